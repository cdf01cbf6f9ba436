#!/usr/bin/env -S python3 -B
"""Checks the maximum sizes of functions, files and headers; one that exceeds them probably contains a second idea.
Relies on clang-format's layout: the body of a function is between two braces in column 0."""

import tree

FUNCTION_LINES = 60  # between its braces
FILE_LINES = 500
HEADER_CODE_LINES = 100  # without blank lines and comments

# "path function": the reason for an exception.  Only tables and flat switches.
LONG_FUNCTIONS = {
}


def functions(path):
    """(name, first line, lines of its body)"""
    lines = tree.code(path).splitlines()
    opened = None
    for number, line in enumerate(lines, 1):
        if line == '{':
            opened = number
        elif line.startswith('}') and opened:
            head = ' '.join(lines[max(0, opened - 4):opened - 1])
            name = head.rsplit('}', 1)[-1].rsplit(';', 1)[-1].split('(')[0].split()
            yield (name[-1].lstrip('*') if name else '?'), opened, number - opened - 1
            opened = None


def main():
    checks = tree.Checks()
    rules = (f'a function has at most {FUNCTION_LINES} lines', f'a file has fewer than {FILE_LINES} lines',
             f'a header has fewer than {HEADER_CODE_LINES} lines of code')
    for rule in rules:
        checks.rule(rule)
    for path in tree.files('**/*.c', '**/*.h'):
        for name, line, length in functions(path):
            if length > FUNCTION_LINES and f'{path} {name}' not in LONG_FUNCTIONS:
                checks.add(rules[0], f'{path}:{line}: {name} has {length}')
        total = len(tree.text(path).splitlines())
        if total >= FILE_LINES:
            checks.add(rules[1], f'{path} has {total}')
        code = sum(1 for each in tree.code(path).splitlines() if each.strip())
        if path.endswith('.h') and code >= HEADER_CODE_LINES:
            checks.add(rules[2], f'{path} has {code}')
    checks.end()


main()
