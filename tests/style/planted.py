#!/usr/bin/env -S python3 -B
"""A test of the checks: each rule fails when what it forbids is there, and no other does.

planted.py COMPILER

Works on copies of the tree in a temporary folder: of all of it, and, as most checks need few files, of a small part.  In a copy
as it is, every check passes; with one offence planted, exactly the rule that forbids it fails; without the files that a check
looks at, it fails rather than pass without having looked."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import tree

# Enough for each check but those of documents and settings to find files of every kind.
SMALL = ['.clang-*', '.shellcheckrc', 'app/counters.*', 'ctl/ctl.h', 'ctl/key.*', 'docker/packages', 'include/base/*',
         'include/runtime/[lm]*', 'lib/base/*', 'lib/runtime/log.c', 'man/*', 'schema/0001*', 'tests/fuzz/fuzz.h', 'tests/style/*',
         'supervisor/plan.*', 'tests/support/*.sh', 'worker/circuit.*']
NEED_ALL = ('documents.py', 'settings.py', 'bounds.py')
SCRIPTS = ['lib/runtime/settings.table', 'docker/*', 'ops/*', 'payhook', 'schema/migrate', 'systemd/*', 'tests/style/*.py']
RESULT = re.compile(r'^(not )?ok \d+ - (.*)$', re.MULTILINE)
BUFFER, SCHEMA, PAGE = 'lib/base/buf.c', 'schema/0001_transactions.sql', 'docs/design.md'


class Copy:
    """Some of the tree's files in a folder of their own, which git takes for a tree, and what is planted in it."""

    def __init__(self, folder, patterns):
        self.folder, self.before = folder, {}
        folder.mkdir()
        for path in tree.files(*patterns):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(tree.ROOT / path, folder / path)
        subprocess.run(['git', 'init', '-q', folder], check=True)

    def keep(self, path):
        file = self.folder / path
        self.before.setdefault(path, file.read_bytes() if file.exists() else None)
        return file

    def plant(self, path, text):
        """At the end of a file, or as a new one."""
        file = self.keep(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes((self.before[path] or b'') + text.encode())

    def remove(self, pattern):
        for path in [path for path in self.folder.glob(pattern) if path.is_file()]:
            self.keep(str(path.relative_to(self.folder))).unlink()

    def restore(self):
        for path, content in self.before.items():
            if content is None:
                (self.folder / path).unlink()
            else:
                (self.folder / path).write_bytes(content)
        self.before.clear()

    def run(self, script, *arguments):
        """(the rules that fail, whether the check passes as a whole, its output)"""
        ran = subprocess.run([self.folder / 'tests/style' / script, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        output = ran.stdout.decode(errors='replace')
        results = RESULT.findall(output)
        return [name for bad, name in results if bad], ran.returncode == 0 and bool(results), output


def lines(count):
    return ''.join(f'\t(void){n};\n' for n in range(count))


def body(name, inside):
    return f'\nvoid {name}(void);\nvoid {name}(void)\n{{\n{inside}}}\n'


PARSES_BADLY = '#include <stdlib.h>\n\nint planted(const char *text);\nint planted(const char *text)\n{\n\treturn atoi(text);\n}\n'
# Only the analyzer follows it.
DEREFERENCES_NULL = ('#include <stddef.h>\n\nint planted(int n);\nint planted(int n)\n{\n\tint *p = n > 3 ? &n : NULL;\n'
                     '\tif (n == 2)\n\t\tn = *p;\n\treturn n;\n}\n')

# Check: rule, and what breaks it: text by file.
OFFENCES = {
    'floors.py': [
        ('a room includes only the rooms below it', {BUFFER: '#include "runtime/log.h"\n'}),
        ('a room includes only the rooms below it', {'lib/runtime/log.c': '#include "queue/queue.h"\n'}),
        ('no circle inside a room', {'include/base/planted.h': '#include "base/plant.h"\n', 'include/base/plant.h': '#include "base/planted.h"\n'}),
        ('every file is in a room', {'lib/planted.c': '\n'}),
        ('every file is in a room', {'lib/base/planted.h': '\n'}),
        ('ours are included as "<room>/x.h", a program\'s own as "x.h"', {BUFFER: '#include "../../app/counters.h"\n'}),
        ('ours are included as "<room>/x.h", a program\'s own as "x.h"', {BUFFER: '#include "counters.h"\n'}),
        ('every foreign header is of the system or has a door', {BUFFER: '#include <runtime/log.h>\n'}),
        ('every foreign header is of the system or has a door', {BUFFER: '#include <json-c/json.h>\n'}),
        ('libpq-fe.h stays behind its door', {BUFFER: '#include <libpq-fe.h>\n'}),
        ('fcgiapp.h stays behind its door', {'app/counters.c': '#include <fcgiapp.h>\n'}),
        ('curl/ stays behind its door', {'worker/circuit.c': '#include <curl/curl.h>\n'}),
        ('openssl/ stays behind its door', {BUFFER: '#include <openssl/evp.h>\n'}),
        ('zlib.h stays behind its door', {BUFFER: '#include <zlib.h>\n'}),
        ('event2/ stays behind its door', {BUFFER: '#include <event2/event.h>\n'}),
    ],
    'words.py': [
        ('no strcpy, strcat, sprintf, strtok', {BUFFER: body('planted', '\tstrcpy(a, b);\n')}),
        ('no atoi, atof: they cannot refuse', {BUFFER: body('planted', '\tatoi(a);\n')}),
        ('no system, no popen', {BUFFER: body('planted', '\tsystem(a);\n')}),
        ('no floating point in the library', {BUFFER: 'double planted;\n'}),
        ('waiting is a row or a timer: no sleep', {BUFFER: body('planted', '\tusleep(1);\n')}),
        ('a program ends in its main.c', {BUFFER: body('planted', '\texit(1);\n')}),
        ('no setjmp, no alloca', {BUFFER: body('planted', '\talloca(1);\n')}),
        ('no SQL is built at run time', {BUFFER: 'const char *planted = "SELECT " "a FROM t WHERE b = \'%s\'";\n'}),
        ('no SQL is built at run time', {SCHEMA: "EXECUTE 'DELETE FROM ' || name;\n"}),
        ('a migration lets the programs before it go on', {SCHEMA: 'ALTER TABLE payhook.jobs DROP COLUMN attempt;\n'}),
        ("names are of the field's words", {BUFFER: body('gate_open', '')}),
        ("names are of the field's words", {BUFFER: 'struct strayThing {\n\tint planted;\n};\n'}),
        ("names are of the field's words", {BUFFER: 'enum planted { PLANTED_LETTER, PLANTED };\n'}),
        ("names are of the field's words", {BUFFER: body('planted', '\tLOG(level, "request is rejected", LOG_TEXT("a", b));\n')}),
        ("names are of the field's words", {'app/counters.c': 'const char *planted = "payhook_refusals_total";\n'}),
        ("names are of the field's words", {'tests/support/tap.sh': 'tell_all() {\n\ttrue\n}\n'}),
        ("names are of the field's words", {'tests/unit/test_ledger.c': '\n'}),
        ("names are of the field's words", {SCHEMA: 'CREATE VIEW payhook.gate_refusals AS SELECT 1;\n'}),
        ("names are of the field's words", {BUFFER: body('planted', '\tworker_log_job("verdict", j);\n')}),
        ("a callback carries its module's name", {BUFFER: body('on_planted', '')}),
        ('no two files of the programs define a function of one name',
         {BUFFER: body('planted', ''), 'app/counters.c': '\nstatic int planted(int a)\n{\n\treturn a;\n}\n'}),
    ],
    'sizes.py': [
        ('a file has fewer than 500 lines', {'lib/base/planted.c': '\n' * 500}),
        ('a function has at most 60 lines', {'lib/base/planted.c': body('planted', lines(61))}),
        ('a header has fewer than 100 lines of code', {'include/base/planted.h': 'extern int planted;\n' * 100}),
    ],
    'headers.sh': [
        ('each header compiles alone and twice', {'include/base/planted.h': 'size_t planted(void);\n'}),
        ('each header compiles alone and twice', {'tests/support/planted.h': 'struct planted {\n\tint once;\n};\n'}),
    ],
    'format.sh': [
        ('C is set by clang-format', {'lib/base/planted.c': 'int  planted;\n'}),
        ('shellcheck finds nothing in the scripts', {'docker/planted': '#!/bin/sh\nrm $1\n'}),
        ('mandoc finds nothing in the man pages', {'man/planted.8': '.Dd nothing\n.Xy\n'}),
    ],
    'tidy.py': [('clang-tidy finds nothing', {'lib/base/planted.c': text}) for text in (PARSES_BADLY, DEREFERENCES_NULL)],
    'documents.py': [
        ('every relative link leads somewhere', {PAGE: '[planted](planted.md)\n'}),
        ('every relative link leads somewhere', {PAGE: '[planted](design.md#planted)\n'}),
        ('every file that is named is there', {PAGE: '`lib/base/planted.c`\n'}),
        ('every command that is shown is one', {PAGE: './payhook planted\n'}),
        ('what is shown for psql is in the schema', {PAGE: '`table planted`\n'}),
        ('every function that is named is in the code', {PAGE: 'planted_function()\n'}),
        ('the pictures of the rooms show every module', {'lib/base/planted.c': '\n'}),
    ],
    'bounds.py': [
        ('the connections that nginx keeps fit into three quarters of the slots', {'nginx/payhook.conf.in': 'keepalive 193;\n'}),
        ('the number of slots is the same wherever it is named', {PAGE: 'Each has 1,023 slots.\n'}),
        ('nginx takes a body of BODY_LIMIT bytes, and no longer one', {'nginx/site.conf.in': '\tclient_max_body_size 65k;\n'}),
        ('the private PostgreSQL takes the connections of the most responders and of its worker',
         {'ops/postgresql.conf.in': 'max_connections = 300\n'}),
    ],
    'arithmetic.py': [
        *[('arithmetic sees only what was matched against digits', {'ops/planted.sh': f'planted() {{\n{text}\n}}\n'}) for text in (
            '\tlocal n\n\tn=$(psql -c "SELECT 1")\n\t((n > 1))', '\tlocal n\n\tread -r n <"$1"\n\techo $((n + 1))', '\techo "$(($(nproc) + 1))"',
            '\t[[ $1 -gt 1 ]]', '\t[ "$PLANTED" -eq 1 ]', '\tlocal n=$PLANTED\n\t[[ $n =~ ^[a-z] && $n -eq 1 ]]', '\techo "${PATH:$1}"',
            '\tlocal -a list=()\n\tlist[$PLANTED]=1', '\techo "${BASH_VERSINFO[$1]}"', '\tlet PLANTED+=$1', '\tlocal -i n=$PLANTED',
            '\tlocal n\n\tfor n in $PLANTED; do\n\t\techo $((n))\n\tdone', '\tlocal n\n\tmapfile -t n <"$1"\n\techo $((n[0]))',
            '\tlocal n=1\n\tn=${PLANTED##*.}\n\techo $((n))', '\techo $((${PLANTED%.*} + 1))', '\tcat <<-END\n\t\t$((PLANTED))\n\tEND')],
        ('arithmetic sees only what was matched against digits',
         {'ops/planted.sh': 'planted() {\n\techo $(($1))\n}\nplanted 1\nplanted "$PLANTED"\n'}),
        *[('no text from outside becomes a name or a command', {'ops/planted.sh': text + '\n'}) for text in (
            'eval "$1"', 'source "$1"', '. /etc/default/planted', 'source "$RUN/record"', 'printf -v "$1" %s x', 'export "$1"', 'unset "$1"', 'declare -g "$1=x"', '[[ -v $1 ]]')],
        ('the quotes and parentheses of every script match', {'ops/planted.sh': 'echo "\n'}),
    ],
    'settings.py': [
        ('docs/settings.md is what settings_table.py writes', {'docs/settings.md': 'planted\n'}),
        ('docker compose names no other setting', {'docker-compose.yml': '# ${PLANTED}\n'}),
        ('docker compose names a setting once in a list', {'docker-compose.yml': '  RATE_LIMIT: 1\n  RATE_LIMIT: 2\n'}),
        ('the documents name no setting that is none', {PAGE: '`TLS_PLANTED`\n'}),
    ],
}
# Check: what it looks at; each by itself must not be missing.
LOOKED_AT = {
    'floors.py': ['lib/**/*.c', 'include/**/*.h', 'app/*', 'ctl/*', 'supervisor/*', 'worker/*'],
    'words.py': ['lib/**/*.c', 'include/**/*.h', 'app/*', 'ctl/*', 'supervisor/*', 'worker/*', 'schema/*'],
    'sizes.py': ['**/*.c', '**/*.h'],
    'headers.sh': ['**/*.h'],
    'format.sh': ['**/*.c', '**/*.h', 'man/*'],
    'tidy.py': ['lib/**/*.c'],
    'documents.py': ['**/*.md', 'schema/*.sql'],
    'bounds.py': ['app/fastcgi.h', 'nginx/payhook.conf.in', 'nginx/site.conf.in', 'ops/nginx.sh', 'include/source/payload.h',
                  'systemd/meson.build',
                  'lib/runtime/settings.table', 'include/pg/abandoned.h', 'ops/postgresql.conf.in', 'docs/design.md'],
    'arithmetic.py': ['lib/**/settings.table', '**/*.sh'],
    'settings.py': ['lib/**/settings.table', 'docs/settings.md', 'docs/**/*.md', 'ops/*.sh', 'include/**/settings.h'],
}


def write_commands(copy):
    """What tidy.py reads of a build folder; returns the folder."""
    build = copy.folder / 'build'
    build.mkdir(exist_ok=True)
    files = [str(path) for path in (copy.folder / 'lib/base').glob('*.c') if path.name in ('fault.c', 'planted.c')]
    commands = [{'directory': str(copy.folder), 'file': file, 'command': f'cc -std=c17 -D_DEFAULT_SOURCE -Iinclude -c {file}'} for file in files]
    (build / 'compile_commands.json').write_text(json.dumps(commands))
    return build


def run(copy, script, compiler):
    if script == 'headers.sh':
        return copy.run(script, *compiler)
    if script == 'tidy.py':
        return copy.run(script, write_commands(copy))
    return copy.run(script)


def test(script, folder, compiler):
    """What goes wrong, by the name of each test of a check, which has a copy of its own."""
    copy = Copy(folder / script, ['**'] if script in NEED_ALL else SCRIPTS if script == 'arithmetic.py' else SMALL)
    results = {}
    failed, passes, output = run(copy, script, compiler)
    results[f'{script}: nothing is found where nothing is planted'] = output if failed or not passes else None
    for rule, files in OFFENCES[script]:
        for path, text in files.items():
            copy.plant(path, text)
        failed, passes, output = run(copy, script, compiler)
        copy.restore()
        if failed != [rule] or passes:
            results[f'{script}: {rule}'] = f'with {files} these fail: {failed}'
        results.setdefault(f'{script}: {rule}')
    for pattern in LOOKED_AT[script]:
        copy.remove(pattern)
        results[f'{script}: fails without {pattern}'] = 'it passes' if run(copy, script, compiler)[1] else None
        copy.restore()
    return results


def main(compiler):
    checks = tree.Checks()
    with tempfile.TemporaryDirectory(prefix='payhook-planted-') as folder, ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        for results in pool.map(lambda script: test(script, Path(folder), compiler), OFFENCES):
            for name, complaint in results.items():
                checks.rule(name)
                if complaint:
                    checks.add(name, complaint)
    checks.end()


main(sys.argv[1:])
