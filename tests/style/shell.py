"""Reads the shell scripts of the tree for arithmetic.py: which files they are, their functions, their code without comments and
quoted text, and the words of a command."""

import re
from collections import namedtuple

import tree

FIRST_LINE = re.compile(rb'#!.*[/ ](?:ba)?sh(?:$| )|# shellcheck shell=')
HERE_DOCUMENT = re.compile(r'<<(-?)[ \t]*([\'"\\]?)(\w+)[\'"]?')
FUNCTION = re.compile(r'^([\w-]+)\(\) [{(](?:.*[})]$|\n(?:.*\n)*?[})])', re.MULTILINE)
OPENING, CLOSING = {'${': 'brace', '$(': 'code'}, {'brace': '}', 'code': ')', 'arithmetic': ')'}

# The name '' is what a file does outside of functions; the text is that from start on.  Of the file's places, expressions are those
# where arithmetic in parentheses begins, quoted those of "=" between double quotes.
Function = namedtuple('Function', 'path name start text expressions quoted')


def scripts():
    """By their first line, or by their name."""
    tree.files('**/*.sh')
    for path in tree.files():
        first = (tree.ROOT / path).read_bytes()[:64].split(b'\n')[0]
        if path.endswith('.sh') or FIRST_LINE.match(first):
            yield path


class Reader:
    """Blanks what the shell does not expand; the place of everything else is kept."""

    def __init__(self, text):
        self.text, self.out, self.at = text, list(text), 0
        self.inside, self.documents, self.expressions, self.quoted = ['code'], [], set(), set()

    def blank(self, end):
        for n in range(self.at, min(end, len(self.text))):
            if self.text[n] != '\n':
                self.out[n] = ' '
        self.at = end

    def single_quoted(self):
        is_escaped = self.text[self.at - 1:self.at] == '$'
        self.at += 1
        end = re.compile(r"(?:\\.|[^'\\])*" if is_escaped else r"[^']*", re.DOTALL).match(self.text, self.at).end()
        self.blank(end)
        self.at += 1

    def here_documents(self):
        """The bodies that begin in the next line; one with a quoted delimiter is not expanded."""
        self.at += 1
        for tabs, quote, word in self.documents:
            end = re.compile(r'^%s%s$' % ('\t*' if tabs else '', re.escape(word)), re.MULTILINE).search(self.text, self.at)
            if end and quote:
                self.blank(end.end())
            elif end:
                self.expressions.update(match.start() + 1 for match in re.compile(r'\$\(\(').finditer(self.text, self.at, end.start()))
                self.at = end.end()
        self.documents = []

    def opens(self, text):
        """Whether something begins here, which is then entered."""
        mode = self.inside[-1]
        if text.startswith('$((') or (mode != 'double' and mode != 'brace' and text.startswith('((')):
            self.inside += ['arithmetic', 'arithmetic']
            self.expressions.add(self.at + (text[0] == '$'))
            self.at += 3 if text[0] == '$' else 2
        elif text[:2] in OPENING:
            self.inside.append(OPENING[text[:2]])
            self.at += 2
        elif text[0] == '(' and mode in ('code', 'arithmetic'):
            self.inside.append(mode)
            self.at += 1
        elif text[0] == '"' and mode != 'double':
            self.inside.append('double')
            self.at += 1
        else:
            return False
        return True

    def closes(self, char):
        mode = self.inside[-1]
        if char != ('"' if mode == 'double' else CLOSING[mode]) or len(self.inside) == 1:
            return False
        self.inside.pop()
        self.at += 1
        return True

    def step(self):
        char, mode, rest = self.text[self.at], self.inside[-1], self.text[self.at:self.at + 3]
        is_text = mode == 'double' or self.inside[-2:] == ['double', 'brace']
        document = mode == 'code' and rest[:2] == '<<' and rest != '<<<' and HERE_DOCUMENT.match(self.text, self.at)
        if char == '\\':
            self.at += 2
        elif char == "'" and not is_text:
            self.single_quoted()
        elif char == '#' and mode == 'code' and (self.at == 0 or self.text[self.at - 1] in ' \t\n;(|&'):
            self.blank((self.text + '\n').index('\n', self.at))
        elif document:
            self.documents.append(document.groups())
            self.at = document.end()
        elif rest == '<<<':
            self.at += 3
        elif char == '\n' and self.documents:
            self.here_documents()
        elif not self.opens(rest) and not self.closes(char):
            if char == '=' and mode == 'double':
                self.quoted.add(self.at)
            self.at += 1

    def read(self):
        while self.at < len(self.text):
            self.step()
        return ''.join(self.out) if self.inside == ['code'] else None


def functions(path):
    """The functions of a script, and what is outside of them; none if its quotes and parentheses do not match."""
    reader = Reader(tree.text(path))
    text = reader.read()
    outside, places = list(text or ''), (frozenset(reader.expressions), frozenset(reader.quoted))
    for match in FUNCTION.finditer(text or ''):
        yield Function(path, match[1], match.start(), match[0], *places)
        for n in range(match.start(), match.end()):
            if outside[n] != '\n':
                outside[n] = ' '
    if text is not None:
        yield Function(path, '', 0, ''.join(outside), *places)


PAIRS = {'(': ')', '{': '}', '[': ']'}


def closing(text, at):
    """The index of the bracket that closes the one at this index; -1 if there is none."""
    wanted = []
    for n in range(at, len(text)):
        if text[n] == '\\' or text[n - 1:n] == '\\':
            continue
        if text[n] in PAIRS:
            wanted.append(PAIRS[text[n]])
        elif wanted and text[n] == wanted[-1]:
            wanted.pop()
            if not wanted:
                return n
    return -1


def word(text, at):
    """The end of the word that begins at this index."""
    is_quoted = False
    while at < len(text):
        char = text[at]
        if char == '\\':
            at += 1
        elif char == '"':
            is_quoted = not is_quoted
        elif char == '$' and text[at + 1:at + 2] in ('(', '{') or char == '(' and text[at - 1] == '=' and not is_quoted:
            end = closing(text, at + (char == '$'))
            at = end if end > 0 else at
        elif not is_quoted and char in ' \t\n;&|()<>':
            break
        at += 1
    return at


def words(text, at):
    """The words of the command from this index on, without redirections."""
    found = []
    while at < len(text):
        while text[at:at + 1] in (' ', '\t') or text[at:at + 2] == '\\\n':
            at += 2 if text[at] == '\\' else 1
        end = word(text, at)
        if end == at:
            break
        found.append(text[at:end])
        at = end
    return found
