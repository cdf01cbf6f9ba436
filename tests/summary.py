#!/usr/bin/env python3
"""Counts the single tests of a run.

summary.py FOLDER                       reads the results of tests/run; prints the failures, the rows of the table in CONTRIBUTING.md
                                        with the time of each suite, then "N passed, N failed"
summary.py --match TESTS SUITE NAME...  prints the suite's test programs with these names, which may be patterns
summary.py --installed BUILD            prints the programs that this build directory installs
summary.py --programs BUILD SUITE NAME...  prints what these tests of a suite need to be built, or all its tests if none is named

Each directory in FOLDER contains a name and one of these: the output of a failure (failure); the output of one TAP
program (tap) and its exit status (status); or the run of a suite, which is meson's log with one JSON object for each
test program, meson's list of programs (tests), and meson's exit status (status).  A run also has its time (seconds).
"""

import fnmatch
import json
import re
import sys
from pathlib import Path

TAIL_LINES = 40
CONTRIBUTING = Path(__file__).resolve().parent.parent / 'CONTRIBUTING.md'
ROW = re.compile(r'^(\| (\w+) \|.*\|)[^|]*\|$', re.MULTILINE)
RESULT = re.compile(r'^(not )?ok\b *\d* *-? *([^#]*)(?:# *(skip|todo)\b)?', re.IGNORECASE)


class Summary:
    def __init__(self):
        self.passed = 0
        self.skipped = 0
        self.failures = []  # (name, output)
        self.times = {}  # by suite: how long it took in each build, as text

    def fail(self, name, output):
        self.failures.append((name, output))

    def add_tap(self, name, program):
        """One TAP program: each result line is a test; an irregular end of the program counts as a failed one."""
        out = program.get('stdout', '')
        output = out + program.get('stderr', '')
        count = bad = 0
        for line in out.splitlines():
            match = RESULT.match(line)
            if not match:
                continue
            count += 1
            directive = (match[3] or '').lower()
            if directive == 'skip':
                self.skipped += 1
            elif match[1] and directive != 'todo':
                bad += 1
                self.fail(f'{name}: {match[2].strip()}', output)
            else:
                self.passed += 1
        plan = re.search(r'^1\.\.(\d+)', out, re.MULTILINE)
        if count == 0:
            self.fail(f'{name}: ran no test', output)
        elif plan and int(plan[1]) != count:
            self.fail(f'{name}: ran {count} tests of {plan[1]}', output)
        elif program['result'] not in ('OK', 'SKIP', 'FAIL') and (bad == 0 or program['result'] != 'ERROR'):
            self.fail(f'{name}: ended with {program["result"]}', output)

    def add_program(self, name, protocol, program):
        if protocol == 'tap':
            self.add_tap(name, program)
        elif program['result'] == 'OK':
            self.passed += 1
        elif program['result'] == 'SKIP':
            self.skipped += 1
        else:
            self.fail(f'{name}: {program["result"]}', program.get('stdout', '') + program.get('stderr', ''))

    def add_suite(self, name, folder):
        tests = json.loads((folder / 'tests').read_text())
        protocols = {test['name']: test['protocol'] for test in tests}
        status = int((folder / 'status').read_text())
        log = folder / 'log'
        before = len(self.failures)
        programs = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
        for program in programs:
            short = program['name'].split(' / ')[-1].split(':')[-1]
            self.add_program(f'{name} {short}', protocols.get(short, 'tap'), program)
        if not programs:
            self.fail(f'{name}: there are no tests', '')
        elif status != 0 and len(self.failures) == before:
            self.fail(f'{name}: meson test ended with {status}', '')

    def add_time(self, name, folder):
        """The first build needs no name: it is gcc's."""
        suite, _, build = name.rstrip(')').partition(' (')
        suite, build = ('fuzz', 'search') if suite == 'fuzzing' else (suite, build)
        spent = int((folder / 'seconds').read_text())
        text = f'{spent} s' if spent < 120 else f'{spent // 60} min {spent % 60} s'
        self.times.setdefault(suite, []).append(text if build == 'gcc' else f'{build} {text}')

    def print_times(self):
        for row in ROW.finditer(CONTRIBUTING.read_text()):
            if row[2] in self.times:
                print(f'{row[1]} {", ".join(self.times[row[2]])} |')

    def close(self):
        shown = set()
        for name, output in self.failures:
            print(f'-- failed: {name}')
            if output.strip() and output not in shown:
                shown.add(output)
                print('\n'.join('   ' + line for line in output.splitlines()[-TAIL_LINES:]))
        if self.failures:
            print(''.join(f'failed: {name}\n' for name, _ in self.failures), end='')
        self.print_times()
        if not self.passed and not self.failures:
            print('no test ran')
        skipped = f', {self.skipped} skipped' if self.skipped else ''
        print(f'{self.passed} passed, {len(self.failures)} failed{skipped}')
        return 0 if self.passed and not self.failures else 1


def match(tests, suite, patterns):
    return [test['name'] for test in json.loads(Path(tests).read_text())
            if suite in [each.split(':')[-1] for each in test['suite']]
            and any(fnmatch.fnmatch(test['name'], pattern) for pattern in patterns)]


def targets(build):
    """The executables and the libraries that are preloaded, as meson describes them, by their paths in the build folder."""
    root = json.loads((build / 'meson-info/meson-info.json').read_text())['directories']['build']
    return {str(Path(target['filename'][0]).relative_to(root)): target
            for target in json.loads((build / 'meson-info/intro-targets.json').read_text())
            if target['type'] in ('executable', 'shared library')}


def programs(build, suite, patterns):
    tests = build / 'meson-info/intro-tests.json'
    names, known, found = match(tests, suite, patterns or ['*']), targets(build), set()
    for test in json.loads(tests.read_text()):
        if test['name'] in names and suite in [each.split(':')[-1] for each in test['suite']]:
            found.update(path for word in test['cmd'] for path in known if word == path or word.endswith(f'/{path}'))
            found.update(path for path, target in known.items() if target['id'] in test['depends'])
    return sorted(found)


def main(arguments):
    if arguments[0] == '--match':
        print('\n'.join(match(arguments[1], arguments[2], arguments[3:])))
        return 0
    if arguments[0] == '--installed':
        print('\n'.join(path for path, target in targets(Path(arguments[1])).items() if target['installed']))
        return 0
    if arguments[0] == '--programs':
        print(''.join(f'{path}\n' for path in programs(Path(arguments[1]), arguments[2], arguments[3:])), end='')
        return 0
    summary = Summary()
    for folder in sorted(path for path in Path(arguments[0]).iterdir() if (path / 'name').exists()):
        name = (folder / 'name').read_text().strip()
        if (folder / 'seconds').exists():
            summary.add_time(name, folder)
        if (folder / 'failure').exists():
            summary.fail(name, (folder / 'failure').read_text(errors='replace'))
        elif (folder / 'tap').exists():
            status = int((folder / 'status').read_text())
            summary.add_tap(name, {'stdout': (folder / 'tap').read_text(errors='replace'), 'result': 'ERROR' if status else 'OK'})
        else:
            summary.add_suite(name, folder)
    return summary.close()


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
