#!/usr/bin/env -S python3 -B
"""Checks that shell scripts use nothing from outside in arithmetic, as a name, or as a command, before they have looked at it.

Bash evaluates the text of a variable in arithmetic: "a[$(id)]" runs a command there.  So what another program prints, what a file
holds and what the caller passes is first matched against digits, by is_number or by a pattern that begins with [0-9].  A variable
is a number if each of its assignments is one, or if the function that takes it from outside matches it afterwards; an argument is
one if each call passes a number."""

import re
from functools import lru_cache

import shell
import tree

NUMBERS, NAMES, READABLE = RULES = [
    'arithmetic sees only what was matched against digits', 'no text from outside becomes a name or a command',
    'the quotes and parentheses of every script match']
SETTINGS = 'lib/runtime/settings.table'
OWN = set('EUID UID PPID SECONDS RANDOM BASHPID EPOCHSECONDS'.split())  # bash's
# "path function name": these names are of this repository, or were matched before.
NAMES_EXCEPTED = {
    'ops/environment.sh with_environment variable': 'the names that bash itself lists; others match a pattern',
    'ops/commands.sh cmd_test line': 'from the table of settings',
    'ops/conninfo.sh filed_take name': 'from a list',
    'ops/settings.sh env_take name': 'env_line has matched it, and it is a setting',
    'ops/settings.sh tls_settings_check name': 'from a list',
    'ops/settings.sh settings_read name': 'from the table of settings',
    'tests/integration/ops/test_trust.sh lists_of_another name': 'from a list',
    'tests/integration/ops/test_trust.sh database_of_another name': 'from a list',
    'tests/integration/ops/test_trust.sh files_of_the_processor_of_another name': 'from a list',
    'tests/unit/runtime/test_environment.sh  line': 'from the table of settings',
    'tests/unit/runtime/test_environment.sh  LIBRARY_VARIABLES': 'from a list',
    'tests/unit/runtime/test_shell_settings.sh  line': 'from the table of settings',
    'tests/unit/runtime/test_shell_settings.sh takes @': 'the words of the tests',
    'tests/unit/runtime/test_shell_settings.sh refuses @': 'the words of the tests',
}

# Where bash evaluates.  In $(( )) and (( )) too, which shell.py finds.
SLICE = re.compile(r'\$\{[\w@*]+(?:\[[^]]*\])?:(?![-+=?])')
SUBSCRIPT = re.compile(r'\$\{[#!]?(\w+)\[(?![@*]\])|(?<![\w$}"\'])([A-Za-z_]\w*)\[(?=[^]\n]*\]\+?=)')
COMPARISON = re.compile(r'(?<=[ \t])-(?:eq|ne|lt|le|gt|ge)(?=[ \t])')
TESTED = re.compile(r'(?:\[|\btest\b)[^\n]*?((?:"[^"\n]*"|[^\s"]+)[ \t]+)$')
INTEGER = re.compile(r'(?:^|[;&|({]|\b(?:do|then|else)\b)[ \t]*(?:let|(?:declare|local|typeset|readonly)[ \t]+-\w*i\w*)[ \t]', re.MULTILINE)
OPERAND = re.compile(r'\$\{#[^}]*\}|\$[#?!$]|\$\{!?(?P<braced>\w+)(?P<more>[^}]*)\}|\$(?P<plain>\w+)|(?P<command>\$\((?!\()|`)|\b0x[0-9a-fA-F]+'
                     r'|\b\d+\b#?|(?P<bare>[A-Za-z_]\w*)')
CHANGED = re.compile(r'([A-Za-z_]\w*)[ \t]*(?:[-+*/%|&]?=(?!=)|\+\+|--)')

# Where variables get their values.
ASSIGNED = re.compile(r'(?<![\w$}{/.:?=#-])([A-Za-z_]\w*)(?:\[[^]\n]*\])?\+?=(?![=~])')
READ = re.compile(r'(?<![\w-])(read|mapfile|readarray)(?=[ \t])')
FOR = re.compile(r'(?<![\w-])for[ \t]+(\w+)[ \t]*(in[ \t]|;|\n)')
PRINTED = re.compile(r'\bprintf[ \t]+-v[ \t]+(\w+)(?=[ \t])')
LOCAL = re.compile(r'(?<![\w-])(?:local|declare|typeset)[ \t]')
ASSOCIATIVE = re.compile(r'\b(?:local|declare|typeset)[ \t]+-A[ \t]+')
MATCHED = re.compile(r'\bis_number[ \t]+([^\n;&|]*)|\$\{?!?(\w+)\}?[ \t]+=~[ \t]+\^\(?\[0-9\]')
TAKES_VALUE = {'read': 'dinNptu', 'mapfile': 'dnOsuCc', 'readarray': 'dnOsuCc'}  # these options have a word of their own
NUMBER = re.compile(r'[+-]?\d*|\$\{#[^}]*\}|\$[#?!$]|\$\(\(.*\)\)|\{\d+\.\.\d+\}', re.DOTALL)
VARIABLE = re.compile(r'\$(\w+)|\$\{(\w+)(?::?[-=](.*))?\}')

SOURCED = re.compile(r'^[ \t]*(?:source|\.)[ \t]+(?!"?(?:\$(?:HERE|ROOT|\{BASH_SOURCE\[0\]%/\*\})/)?'
                     r'(?:\.\./)?(?:ops/|tests/(?:support|deploy)/|\w+\.sh\b))"?(\S+)', re.MULTILINE)
DECLARED = re.compile(r'(?<![\w-])(?:export|local|declare|typeset|readonly|unset)(?=[ \t])')
NAMED = re.compile(r'\bprintf[ \t]+-v[ \t]+"?\$\{?(\w+)|(?:\[|\btest\b)[^\n]*?[ \t]-v[ \t]+"?[^"\n; ]*\$\{?(\w+)|(?<![\w-])(eval)(?=[ \t])')


@lru_cache(maxsize=None)
def local_names(function):
    found = set()
    for match in LOCAL.finditer(function.text) if function.name else ():
        found.update(word.split('=')[0] for word in shell.words(function.text, match.end()))
    return found


def is_matched(function, name, after, before):
    """Whether the function matches this variable against digits between these places."""
    if name == 'BASH_REMATCH':
        return function.text[:before].rpartition('=~')[2].startswith(' ^([0-9]')
    return any(match[2] == name or match[1] and re.search(r'\$\{?%s\b' % re.escape(name), match[1])
               for match in MATCHED.finditer(function.text, after, before))


def read_names(text, command, at):
    """The variables that "read" or "mapfile" sets."""
    is_value = False
    for word in shell.words(text, at):
        if word.startswith('-') and not is_value:
            is_value = word[-1] in TAKES_VALUE[command]
        elif is_value:
            is_value = False
        elif re.fullmatch(r'[A-Za-z_]\w*', word):
            yield word


class Scripts:
    """Every function of every script, and what is known of its variables."""

    def __init__(self, checks):
        self.functions, self.associative, self.assigned, self.calls = [], set(), {}, {}
        self.spans, self.busy = {}, set()
        for path in shell.scripts():
            found = list(shell.functions(path))
            self.functions += found
            if not found:
                checks.add(READABLE, path)
        numbers = re.findall(r'^(\w+) \| number [^|\n]*\|[^|\n]*\| ([\w ]+)$', tree.text(SETTINGS), re.MULTILINE)
        self.settings = {name for name, readers in numbers if set(readers.split()) & {'shell', 'pool', 'nginx'}}
        for function in self.functions:
            for match in ASSOCIATIVE.finditer(function.text):
                self.associative.update(word.split('=')[0] for word in shell.words(function.text, match.end()))
        names = {function.name for function in self.functions}
        for function in self.functions:
            self.spans[function] = list(self.expressions(function))
            for name, at, value in self.assignments(function):
                self.assigned.setdefault(name, []).append((function, at, value))
            for call in re.finditer(r'(?<![^\s(;!])[\w-]+(?![\w(=-])', function.text):
                if call[0] in names:
                    self.calls.setdefault(call[0], []).append((function, shell.words(function.text, call.end())))

    def expressions(self, function):
        """(start, end) of what bash evaluates."""
        text = function.text
        for at in function.expressions:
            start = at - function.start
            if 0 <= start < len(text) and text[start:start + 2] == '((':
                yield start + 2, shell.closing(text, start) - 1
        for match in SLICE.finditer(text):
            yield match.end(), shell.closing(text, match.start() + 1)
        for match in SUBSCRIPT.finditer(text):
            if (match[1] or match[2]) not in self.associative:
                yield match.end(), shell.closing(text, match.end() - 1)
        for match in COMPARISON.finditer(text):
            before = TESTED.search(text, text.rfind('\n', 0, match.start()) + 1, match.start())
            if before:
                yield before.start(1), match.start()
                yield match.end() + 1, shell.word(text, match.end() + 1)
        for match in INTEGER.finditer(text):
            yield match.end(), (text + '\n').index('\n', match.end())

    def assignments(self, function):
        """(name, place, the word that is assigned, or None if it comes from outside)"""
        text = function.text
        for start, end in self.spans[function]:
            for match in CHANGED.finditer(text, start, end):
                yield match[1], match.start(), '0'
        for match in ASSIGNED.finditer(text):
            is_text = function.start + match.end() - 1 in function.quoted
            if not is_text and not any(start <= match.start() < end for start, end in self.spans[function]):
                yield match[1], match.start(), text[match.end():shell.word(text, match.end())]
        for match in READ.finditer(text):
            for name in read_names(text, match[1], match.end()):
                yield name, match.start(), None
        for match in FOR.finditer(text):
            for word in match[2].startswith('in') and shell.words(text, match.end()) or [None]:
                yield match[1], match.start(), word
        for match in PRINTED.finditer(text):
            yield match[1], match.start(), None

    def is_number(self, function, name, at):
        """Whether a variable or an argument holds a number at this place, if anything."""
        if name in OWN or name in self.settings or is_matched(function, name, 0, at):
            return True
        key = (function.path, function.name, name)
        if key in self.busy:
            return True
        self.busy.add(key)
        found = self.arguments(function, name) if name.isdigit() else self.values(function, name)
        result = bool(found) and all(map(self.is_value, found))
        self.busy.discard(key)
        return result

    def values(self, function, name):
        """(function, word) of every assignment to a variable that is not matched afterwards."""
        found = self.assigned.get(name, [])
        if name in local_names(function):
            found = [each for each in found if each[0] == function]
        else:
            found = [each for each in found if name not in local_names(each[0])]
        return [(where, '0' if is_matched(where, name, at, len(where.text)) else value) for where, at, value in found]

    def arguments(self, function, number):
        """(function, word) of every call; of what runs outside of functions, no caller is known."""
        found = []
        for where, words in self.calls.get(function.name, ()) if function.name else ():
            is_clear = len(words) >= int(number) and not any('@' in word or '*' in word for word in words[:int(number)])
            found.append((where, words[int(number) - 1] if is_clear else None))
        return found

    def is_value(self, found):
        """Whether a word of a function is a number: digits, a number's variable, arithmetic, a count."""
        function, word = found
        text = (word if word is not None else 'outside').replace('"', '').replace("'", '')
        if NUMBER.fullmatch(text):
            return True
        if text.startswith('(') and text.endswith(')'):
            return all(self.is_value((function, each)) for each in text[1:-1].split())
        indices = re.fullmatch(r'\$\{!(\w+)\[@\]\}', text)
        if indices:
            return indices[1] not in self.associative
        match = VARIABLE.fullmatch(text)
        return bool(match) and self.is_number(function, match[1] or match[2], len(function.text)) and self.is_value((function, match[3] or '0'))


def line_of(function, at):
    return tree.text(function.path).count('\n', 0, function.start + at) + 1


def check_numbers(checks, scripts, function):
    for start, end in scripts.spans[function]:
        for operand in OPERAND.finditer(function.text, start, end):
            name = operand['braced'] or operand['plain'] or operand['bare']
            if operand['command']:
                complaint = 'the output of a command'
            elif name and (operand['more'] or '')[:1] in tuple('%#/'):
                complaint = f'a part of {name}'
            elif name and not scripts.is_number(function, name, operand.start()):
                complaint = f'${name}'
            else:
                continue
            checks.add(NUMBERS, f'{function.path}:{line_of(function, operand.start())}: {complaint}')


def check_names(checks, function):
    """Of "${!PG@}" bash makes a list of its own names."""
    found = [(match.start(), next(filter(None, match.groups()))) for match in NAMED.finditer(function.text)]
    found += [(match.start(), match[1]) for match in SOURCED.finditer(function.text)]
    for match in DECLARED.finditer(function.text):
        for word in shell.words(function.text, match.end()):
            name = re.match(r'"?\$\{?(\w+|@)', word)
            found += [(match.start(), name[1])] if name else []
    for at, name in found:
        if f'{function.path} {function.name} {name}' not in NAMES_EXCEPTED:
            checks.add(NAMES, f'{function.path}:{line_of(function, at)}: {name}')


def main():
    checks = tree.Checks()
    for rule in RULES:
        checks.rule(rule)
    scripts = Scripts(checks)
    for function in scripts.functions:
        check_numbers(checks, scripts, function)
        check_names(checks, function)
    checks.end()


main()
