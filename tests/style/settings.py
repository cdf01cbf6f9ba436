#!/usr/bin/env -S python3 -B
"""Checks the table of settings: the files generated from it are up to date, each listed reader really reads the
setting, and files written by hand (docker compose, the documents) name its settings and no others."""

import fnmatch
import re
import subprocess
import sys

import tree

TABLE_FILE, = tree.files('lib/**/settings.table')
sys.path.insert(0, str((tree.ROOT / TABLE_FILE).parent))
import settings_table  # noqa: E402

COMPOSE = ['docker-compose.yml', 'docker-compose.tls.yml']
HELP_COLUMNS = 100
C_READERS = ('app', 'worker', 'console', 'ctl', 'supervisor')
# The files that must mention a setting which this reader reads.
READ_IN = {
    'pool': ['ops/pool'],
    'migrate': ['ops/conninfo.sh'],
    'shell': ['payhook', 'ops/*.sh'],
    'nginx': ['ops/nginx.sh', 'ops/tls.sh', 'docker/nginx'],
}
# Names in documents that look like settings and are none.
OTHER_NAMES = {'NAME_FILE', 'PAYHOOK_ENV_FILE', 'PAYHOOK_SOURCE'}


def check_outputs(checks, groups):
    for path, make in settings_table.OUTPUTS.items():
        rule = f'{path} is what settings_table.py writes'
        checks.rule(rule)
        is_line, should = tree.text(path).splitlines(), make(groups).splitlines()
        for number, line in enumerate(should, 1):
            if number > len(is_line) or is_line[number - 1] != line:
                checks.add(rule, f'{path}:{number} should be: {line}')
                break
        if len(is_line) > len(should):
            checks.add(rule, f'{path} has {len(is_line)} lines instead of {len(should)}: run settings_table.py --write')


def text_of(patterns):
    """The text of these files, without the shell's table, which names every setting."""
    return '\n'.join(tree.text(path) for path in tree.files(*patterns) if not path.endswith('settings_table.sh'))


def check_readers(checks, settings):
    rule = 'each reader of a setting mentions it'
    checks.rule(rule)
    code = '\n'.join(tree.code(path) for path in tree.files('app/**/*.c', 'worker/**/*.c', 'console/**/*.c', 'ctl/**/*.c', 'supervisor/**/*.c', 'lib/**/*.c'))
    text = {reader: text_of(patterns) for reader, patterns in READ_IN.items()}
    for s in settings:
        if s.is_read_by(set(C_READERS)) and not re.search(rf'(?:\.|->){s.member()}\b', code):
            checks.add(rule, f'{s.name}: no C code reads the member {s.member()}')
        for reader in set(s.readers) - set(C_READERS):
            if not re.search(rf'\b{s.name}\b', text[reader]):
                checks.add(rule, f'{s.name}: {reader} does not: {" ".join(READ_IN[reader])}')


def check_members(checks, settings):
    """Members that settings.c derives from several settings have no setting of their own."""
    rule = 'struct settings has the settings of the C programs and no others'
    checks.rule(rule)
    header, = tree.files('include/**/settings.h')
    body = re.search(r'^struct settings \{$(.*?)^\};$', tree.code(header), re.MULTILINE | re.DOTALL)[1]
    found = set(re.findall(r'\b(\w+)(?:\[\w+\])?[,;]', body)) - {'database', 'extra_currencies', 'open_to', 'open_networks'}
    for name in found ^ {s.member() for s in settings if s.is_read_by(set(C_READERS))}:
        checks.add(rule, name)


def names_of(settings):
    return {s.name for s in settings} | {f'{s.name}_FILE' for s in settings if s.has_file()}


def check_compose(checks, settings):
    everything, known = 'docker compose names every setting that is read in containers', 'docker compose names no other setting'
    checks.rule(everything)
    checks.rule(known)
    used = set(re.findall(r'\$\{([A-Z0-9_]+)', ''.join(map(tree.text, COMPOSE))))
    for name in names_of(s for s in settings if s.readers != ['shell']) - used:
        checks.add(everything, name)
    old = re.search(r'^OLD_SETTINGS=\((.*?)\)$', tree.text('ops/settings.sh'), re.MULTILINE | re.DOTALL)[1].replace("'", '').split()
    for name in used - names_of(settings) - OTHER_NAMES:
        if not any(fnmatch.fnmatchcase(name, pattern) for pattern in old):
            checks.add(known, name)
    for name in set(pattern for pattern in old if '*' not in pattern) - used:
        checks.add(everything, f'{name}, of the replaced service')


def check_lists(checks):
    """A list of variables ends at a line that is neither one nor a comment."""
    rule = 'docker compose names a setting once in a list'
    checks.rule(rule)
    for path in COMPOSE:
        seen = set()
        for line in tree.text(path).splitlines():
            name = re.match(r' +([A-Z][A-Z0-9_]*): ', line)
            if name and name[1] in seen:
                checks.add(rule, f'{path}: {name[1]}')
            if name:
                seen.add(name[1])
            elif not re.match(r' *#', line):
                seen.clear()


def check_documents(checks, settings):
    """Recognises settings by their prefixes, which no other names have."""
    rule = 'the documents name no setting that is none'
    checks.rule(rule)
    prefixes = sorted({name.split('_')[0] for name in names_of(settings) if '_' in name})
    name_of = re.compile(rf'`((?:{"|".join(prefixes)})_[A-Z0-9_]*[A-Z0-9])\b(?!\()')
    for page in tree.files('*.md', 'docs/**/*.md'):
        for name in set(name_of.findall(tree.text(page))) - names_of(settings) - OTHER_NAMES:
            checks.add(rule, f'{page}: {name}')


def check_help(checks, settings):
    names, columns = './payhook help names every setting', f'./payhook help shows a setting in at most {HELP_COLUMNS} columns'
    checks.rule(names)
    checks.rule(columns)
    text = subprocess.run([tree.ROOT / 'payhook', 'help'], check=True, stdout=subprocess.PIPE).stdout.decode()
    for s in settings:
        if not re.search(rf'^  {s.name} ', text, re.MULTILINE):
            checks.add(names, s.name)
    for line in text.partition('\nsettings')[2].splitlines():
        if len(line) > HELP_COLUMNS:
            checks.add(columns, line)


def check_filed(checks, settings):
    rule = 'ops/conninfo.sh takes from its file every setting that may have one'
    checks.rule(rule)
    filed = re.search(r'^FILED=\((.*)\)$', tree.text('ops/conninfo.sh'), re.MULTILINE)[1].split()
    for name in set(filed) ^ {s.name for s in settings if s.has_file()}:
        checks.add(rule, name)


def main():
    checks, rule = tree.Checks(), f'{TABLE_FILE} can be read'
    checks.rule(rule)
    try:
        groups = settings_table.read(settings_table.TABLE)
    except settings_table.Bad as bad:
        checks.add(rule, str(bad))
        checks.end()
    settings = settings_table.all_settings(groups)
    if len(settings) < 10:
        checks.add(rule, f'only these were found: {" ".join(s.name for s in settings)}')
    check_outputs(checks, groups)
    check_readers(checks, settings)
    check_members(checks, settings)
    check_compose(checks, settings)
    check_lists(checks)
    check_documents(checks, settings)
    check_help(checks, settings)
    check_filed(checks, settings)
    checks.end()


main()
