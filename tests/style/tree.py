#!/usr/bin/env -S python3 -B
"""Shared by the style checks: the list of files, C code without comments and strings, and TAP output.

tree.py [PATTERN...] prints the matching files, one a line."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def files(*patterns):
    """The files that match these patterns ("lib/**/*.c", "**/*.h"; none: all), as paths from the root: those in git,
    and new ones that git does not ignore.  A pattern without a match ends the check, which would otherwise pass
    unchecked."""
    git = ['git', '-c', f'safe.directory={ROOT}', '-C', ROOT, 'ls-files', '-z', '--cached', '--others', '--exclude-standard', '--']
    found = set()
    for pattern in patterns or ['**']:
        listed = subprocess.run(git + [f':(glob){pattern}'], check=True, stdout=subprocess.PIPE).stdout.decode()
        paths = [path for path in listed.split('\0') if path and (ROOT / path).is_file()]
        if not paths:
            print(f'Bail out! no file matches {pattern}')
            sys.exit(1)
        found.update(paths)
    return sorted(found)


def text(path):
    return (ROOT / path).read_text(encoding='utf-8')


TOKEN = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)


def code(path):
    """C code without comments and string contents; line numbers are kept."""
    return TOKEN.sub(lambda match: '\n' * match[0].count('\n') or '""', text(path))


class Checks:
    """Each rule is one test: rule() declares it, add() records a violation, end() prints the results."""

    def __init__(self):
        self.rules = {}

    def rule(self, name):
        self.rules.setdefault(name, [])

    def add(self, name, complaint):
        complaints = self.rules.setdefault(name, [])
        if complaint not in complaints:
            complaints.append(complaint)

    def end(self):
        print(f'1..{len(self.rules)}')
        for number, (name, complaints) in enumerate(self.rules.items(), 1):
            print(f'{"not ok" if complaints else "ok"} {number} - {name}')
            for complaint in complaints:
                print(f'# {complaint}')
        sys.exit(1 if any(self.rules.values()) else 0)


if __name__ == '__main__':
    print('\n'.join(files(*sys.argv[1:])))
