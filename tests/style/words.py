#!/usr/bin/env -S python3 -B
"""Checks that banned functions and constructs do not occur in code, that no SQL is built at run time, and that names use the
field's terms.  Comments and prose are ignored."""

import re
from collections import defaultdict

import names
import tree

# Name of the rule, pattern, files, files excepted.
C_FILES = ('**/*.c', '**/*.h')
PROGRAM_FILES = ('lib/**/*.c', 'app/**/*.c', 'worker/**/*.c', 'console/**/*.c', 'ctl/**/*.c', 'supervisor/**/*.c')
RULES = [
    ('no strcpy, strcat, sprintf, strtok', r'\b(?:strcpy|stpcpy|strcat|v?sprintf|strtok)\s*\(', C_FILES, ()),
    ('no atoi, atof: they cannot refuse', r'\b(?:atoi|atol|atoll|atof)\s*\(', C_FILES, ()),
    ('no system, no popen', r'\b(?:system|popen)\s*\(', C_FILES, ()),
    ('no floating point in the library', r'\b(?:double|float|strtod|strtof)\b', ('lib/**/*.c', 'include/**/*.h'), ()),
    ('waiting is a row or a timer: no sleep', r'\b(?:u|nano|clock_nano)?sleep\s*\(', C_FILES, ('tests/',)),
    ('a program ends in its main.c', r'\b(?:_?exit|_Exit|quick_exit|abort)\s*\(', C_FILES,
     ('app/main.c', 'worker/main.c', 'console/main.c', 'ctl/main.c', 'supervisor/child.c', 'tests/', 'bench/')),
    ('no setjmp, no alloca', r'\b(?:setjmp|longjmp|alloca)\s*\(', C_FILES, ()),
]

# DDL takes no parameters.  These statements contain the name of the database or of a partition, no value of a sender.
SQL_EXCEPTED = [
    "EXECUTE format('ALTER DATABASE %I SET search_path = payhook, public', current_database());",
    "EXECUTE format('CREATE TABLE payhook.%I PARTITION OF payhook.job_attempts FOR VALUES FROM (%L) TO (%L)',",
    "EXECUTE format('COMMENT ON TABLE payhook.%I IS %L', name, 'Attempts that were settled on ' || day || ' (UTC)');",
    "EXECUTE format('CREATE TABLE payhook.%I (LIKE payhook.%I INCLUDING ALL)', name, parent);",
    "EXECUTE format('COMMENT ON TABLE payhook.%I IS %L', name, parent || ' of ' || day || ' (UTC)');",
    "EXECUTE format('ALTER TABLE payhook.%I ATTACH PARTITION payhook.%I FOR VALUES FROM (%L) TO (%L)',",
    "EXECUTE format('LOCK TABLE payhook.%I IN ACCESS EXCLUSIVE MODE NOWAIT', old);",
    "EXECUTE format('ALTER TABLE payhook.%I DETACH PARTITION payhook.%I', parent, old);",
    "EXECUTE format('ALTER TABLE payhook.%I RENAME TO %I', old, parent || '_expired_' || right(old, 8));",
    "EXECUTE format('DROP TABLE payhook.%I', old);",
    "EXECUTE format('ALTER TABLE payhook.%I ALTER COLUMN %I SET STATISTICS %s', name, col.attname, col.target);",
    "EXECUTE format('ALTER TABLE payhook.%I SET (autovacuum_vacuum_cost_limit = 100, autovacuum_vacuum_cost_delay = 2)', name);",
    "EXECUTE format('DROP TABLE IF EXISTS payhook.%I', old.relname);",
]
SQL_BUILT = re.compile(r'\bEXECUTE\b(?!\s+(?:ON\s+)?(?:FUNCTION|PROCEDURE)\b)|\bpg_sleep\b', re.IGNORECASE)
# Removes what programs of the previous version may use; an exception states since which version no program does.
TAKES_AWAY = re.compile(r'\bDROP\s+(?:TABLE|VIEW|FUNCTION|COLUMN|SCHEMA)\b|\bRENAME\b|\bSET\s+NOT\s+NULL\b|\bALTER\b.*\bTYPE\b',
                        re.IGNORECASE)
ADJACENT = re.compile(r'"\s*"')
STATEMENT = re.compile(r'"\s*(?:SELECT|INSERT|UPDATE|DELETE|WITH|LISTEN|NOTIFY)\b(?:\\.|[^"\\])*%(?:\.\*)?[sdlzu]')


def check_c(checks):
    for name, pattern, patterns, excepted in RULES:
        checks.rule(name)
        for path in tree.files(*patterns):
            if path.startswith(excepted or '\0'):
                continue
            for number, line in enumerate(tree.code(path).splitlines(), 1):
                if re.search(pattern, line):
                    checks.add(name, f'{path}:{number}: {line.strip()}')


def check_sql(checks):
    name, forward = 'no SQL is built at run time', 'a migration lets the programs before it go on'
    checks.rule(name)
    checks.rule(forward)
    for path in tree.files('schema/*.sql'):
        for number, line in enumerate(tree.text(path).splitlines(), 1):
            if SQL_BUILT.search(line.split('--')[0]) and line.strip() not in SQL_EXCEPTED:
                checks.add(name, f'{path}:{number}: {line.strip()}')
            if TAKES_AWAY.search(line.split('--')[0]) and line.strip() not in SQL_EXCEPTED:
                checks.add(forward, f'{path}:{number}: {line.strip()}')
    for path in tree.files(*PROGRAM_FILES):
        for match in STATEMENT.finditer(ADJACENT.sub('', tree.text(path))):
            checks.add(name, f'{path}: {match[0][:80]}')


# Words that are in no name, as the field has others: CONTRIBUTING.md, "Names and sizes".
NOWHERE = set("""gate stray strays parcel rides rider riders intake finder keeper survey tally verdict refusal refusals
    tell tells told say says who whose whom cutter crew letter forge honest ledger scene breakage""".split())
# And those that tests may use, as they speak of more than payhook.
NOT_IN_PROGRAMS = set("""watch results page counts news manager exchange delivery arrival rejection rejections rejected work
    doubt door""".split())
PROGRAMS = ('lib/', 'include/', 'app/', 'worker/', 'console/', 'ctl/', 'supervisor/')
# Variables and members are not searched: JSON's escape letter, and the members and tables that keep an old name in SQL.
NAMES_EXCEPTED = {
    'database rejected a statement': 'a database does reject statements; webhooks and requests fail',
    'man_page': 'what man shows',
    **dict.fromkeys(('rejected_requests', 'rejections', 'rejection_summary', 'add_rejections', '0011_rejected_requests.sql'),
                    'of the version before, which goes on while a migration runs: 0013_auth_failures.sql'),
}
UNREAD = ('tests/fuzz/corpus/', 'docs/')  # inputs, and examples of what others send


def check_names(checks):
    rule = "names are of the field's words"
    checks.rule(rule)
    for path in tree.files():
        if path.startswith(UNREAD) or b'\0' in (tree.ROOT / path).read_bytes():
            continue
        banned = NOWHERE | NOT_IN_PROGRAMS if path.startswith(PROGRAMS + ('schema/',)) else NOWHERE
        for line, name in names.in_file(path):
            for word in sorted(names.words(name) & banned) if name not in NAMES_EXCEPTED else ():
                checks.add(rule, f'{path}:{line}: {name}: {word}')


def check_functions(checks):
    """So that a name in a backtrace is one function."""
    rule, callbacks = 'no two files of the programs define a function of one name', "a callback carries its module's name"
    checks.rule(rule)
    checks.rule(callbacks)
    places = defaultdict(list)
    for path in tree.files(*PROGRAM_FILES):
        for line, name in names.functions(path):
            places[name].append(f'{path}:{line}')
            if name.startswith('on_'):
                checks.add(callbacks, f'{path}:{line}: {name}')
    for name, where in sorted(places.items()):
        if len(where) > 1 and name != 'main':
            checks.add(rule, f'{name}: {" ".join(where)}')


checks = tree.Checks()
check_c(checks)
check_sql(checks)
check_names(checks)
check_functions(checks)
checks.end()
