#!/usr/bin/env -S python3 -B
"""Runs clang-tidy over the programs and the library, with the checks that .clang-tidy selects.

tidy.py BUILD [--deep] - the build directory contains the compile commands, and keeps in tidy/ a checksum of each file without
findings.  A file is checked again when it, one of its headers or the configuration has changed.

The static analyzer takes nine tenths of the time.  It visits at most NODES states of a function; with --deep as many as clang
does by itself, 225,000, which takes three times as long."""

import hashlib
import json
import os
import re
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import tree

FOLDERS = ('app', 'ctl', 'lib', 'supervisor', 'worker')
RULE = 'clang-tidy finds nothing'
NODES = 30000
ALONE, PAIRED = ('-c', '-MD'), ('-o', '-MF', '-MQ')
FINDING = re.compile(r'^(\S+:\d+:\d+): (?:warning|error): (.*)$', re.MULTILINE)


def sources(build):
    """(path from the root, working directory, compile command) of each file, once."""
    seen = {}
    for entry in json.loads((build / 'compile_commands.json').read_text()):
        path = os.path.relpath(os.path.join(entry['directory'], entry['file']), tree.ROOT)
        if path.split('/')[0] in FOLDERS:
            seen.setdefault(path, (path, entry['directory'], shlex.split(entry['command'])))
    return list(seen.values())


def preprocessed(folder, command):
    words = [word for before, word in zip([''] + command, command) if word not in ALONE + PAIRED and before not in PAIRED]
    return subprocess.run(words + ['-E'], cwd=folder, check=True, stdout=subprocess.PIPE).stdout


def arguments_of(is_deep):
    """The compile commands are for gcc, and clang does not know all its warnings."""
    words = ['-w', '-Wno-error']
    if not is_deep:
        words += ['-Xclang', '-analyzer-config', '-Xclang', f'max-nodes={NODES}']
    return [f'--extra-arg={word}' for word in words]


def look(build, version, extra, path, folder, command):
    """The findings in a file; none if it has not changed since a run without findings."""
    parts = [version, ' '.join(extra).encode(), (tree.ROOT / '.clang-tidy').read_bytes(), (tree.ROOT / path).read_bytes(), preprocessed(folder, command)]
    stamp = build / 'tidy' / hashlib.sha256(b'\0'.join(parts)).hexdigest()
    if stamp.exists():
        return []
    ran = subprocess.run(['clang-tidy', '-p', build, '--quiet', *extra, tree.ROOT / path],
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    output = ran.stdout.decode(errors='replace')
    if ran.returncode == 0:
        stamp.touch()
        return []
    return [f'{os.path.relpath(os.path.join(folder, place), tree.ROOT)}: {text}' for place, text in FINDING.findall(output)] or [output]


def main(arguments):
    if not arguments or arguments[1:] not in ([], ['--deep']):
        sys.exit('usage: tidy.py BUILD [--deep]')
    build, extra, checks = Path(arguments[0]).resolve(), arguments_of('--deep' in arguments[1:]), tree.Checks()
    (build / 'tidy').mkdir(exist_ok=True)
    version = subprocess.run(['clang-tidy', '--version'], check=True, stdout=subprocess.PIPE).stdout
    files = sources(build)
    checks.rule(RULE)
    if not files:
        checks.add(RULE, f'{build}/compile_commands.json names no file of ours')
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        for found in pool.map(lambda each: look(build, version, extra, *each), files):
            for complaint in found:
                checks.add(RULE, complaint)
    checks.end()


main(sys.argv[1:])
