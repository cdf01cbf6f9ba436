#!/usr/bin/env -S python3 -B
"""Checks with readelf that the programs are built as hardened as the Debian package is: ./payhook up and the Dockerfile use
the flags of meson.build alone.

hardening.py BUILD PROGRAM...

A program shows what the linker did, and which checking functions of the C library it calls.  What the compiler did stands in
the notes and the debugging information of the objects: the linker drops the note of CET as soon as one object of the C
library lacks it, as Debian's do.  clang records no flags, so the protection against stack clashes is checked for gcc only."""

import re
import subprocess
import sys
from pathlib import Path

import tree

BRANCHES = {'Advanced Micro Devices X86-64': ('IBT', 'SHSTK'), 'AArch64': ('BTI', 'PAC')}
FOLDERS = ('lib', 'app', 'worker', 'console', 'ctl', 'supervisor')

PIE, RELRO, WRITABLE = 'a program is position-independent', 'relocations are read-only before main', 'no segment is writable and executable'
FORTIFY, CANARY = 'calls of the C library are fortified', 'stacks have canaries'
BRANCH, CLASH = 'indirect branches are protected', 'stack clashes are detected'
RULES = (PIE, RELRO, WRITABLE, FORTIFY, CANARY, BRANCH, CLASH)


def readelf(file, *options):
    return subprocess.run(['readelf', '-W', *options, file], check=True, stdout=subprocess.PIPE).stdout.decode()


def check_program(checks, program):
    name, dynamic, segments = Path(program).name, readelf(program, '-d'), readelf(program, '-l')
    symbols = readelf(program, '--dyn-syms')
    if not re.search(r'\(FLAGS_1\).*\bPIE\b', dynamic):
        checks.add(PIE, name)
    if 'GNU_RELRO' not in segments or not re.search(r'\(FLAGS_1\).*\bNOW\b', dynamic):
        checks.add(RELRO, name)
    if 'GNU_STACK' not in segments or re.search(r'^  (LOAD|GNU_STACK) .* RWE ', segments, re.MULTILINE):
        checks.add(WRITABLE, name)
    if not re.search(r' UND __(?!stack)\w+_chk\b', symbols):
        checks.add(FORTIFY, name)
    if '__stack_chk_fail' not in symbols:
        checks.add(CANARY, name)


def check_object(checks, path):
    machine = re.search(r'Machine:\s+(.*)', readelf(path, '-h'))[1].strip()
    notes = readelf(path, '-n')
    for feature in BRANCHES.get(machine, ()):
        if not re.search(rf'feature: .*\b{feature}\b', notes):
            checks.add(BRANCH, f'{path.name}: no {feature}')
    producer = re.search(r'DW_AT_producer\s*:.*?(GNU C.*)', readelf(path, '--debug-dump=info', '--dwarf-depth=1'))
    if producer and '-fstack-clash-protection' not in producer[1]:
        checks.add(CLASH, path.name)


def main(build, *programs):
    checks = tree.Checks()
    for rule in RULES:
        checks.rule(rule)
    objects = [path for folder in FOLDERS for path in (Path(build) / folder).glob('**/*.o')]
    if not programs or not objects:
        print('Bail out! nothing to look at')
        sys.exit(1)
    for program in programs:
        check_program(checks, program)
    for path in objects:
        check_object(checks, path)
    checks.end()


main(*sys.argv[1:])
