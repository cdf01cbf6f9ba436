#!/usr/bin/env -S python3 -B
"""Each name in the table of lib/runtime/settings.c stands wherever an operator looks for it."""

import re
import subprocess

import tree

ENTRY = re.compile(r'^\t\{"([A-Z][A-Z0-9_]*)", \w+, AT\(\w+\), "([^"]*)"', re.MULTILINE)
ENV = 'systemd/payhook.env'
EXAMPLE = '.env.example'
PAGES = ['README.md', 'man/payhook.1', ENV, EXAMPLE]
COMPOSE = ['docker-compose.yml', 'docker-compose.tls.yml']


def entries():
    """(name, default)"""
    table = re.search(r'^static const struct setting \w+\[\] = \{$(.*?)^\};$', tree.text('lib/runtime/settings.c'),
                      re.MULTILINE | re.DOTALL)
    return ENTRY.findall(table[1]) if table else []


def check(checks, rule, name_list, page):
    checks.rule(rule)
    for name in name_list:
        if not re.search(rf'\b{name}\b', page):
            checks.add(rule, f'{name} is missing')


def check_defaults(checks, rule):
    """All but one: DATABASE_URL's line is an example."""
    checks.rule(rule)
    lines = re.findall(r'^#?([A-Z][A-Z0-9_]*=.*)$', tree.text(ENV), re.MULTILINE)
    wanted = [f'{name}={initial}' for name, initial in entries() if name != 'DATABASE_URL']
    for line in lines:
        if line not in wanted and not line.startswith('DATABASE_URL='):
            checks.add(rule, line)
    if re.search(r'^[^#\n]', tree.text(ENV), re.MULTILINE):
        checks.add(rule, 'a line is not commented')


def check_example(checks, rule, name_list):
    """Copied as it is, it changes nothing; and what it names is known."""
    checks.rule(rule)
    known = [f'{name}{end}' for name in name_list + ['PAYHOOK_BUILD'] for end in ('=', '_FILE=')]
    for line in tree.text(EXAMPLE).splitlines():
        if line and not line.startswith('#') and line not in known:
            checks.add(rule, line)


def main():
    checks = tree.Checks()
    name_list = [name for name, initial in entries()]
    checks.rule('lib/runtime/settings.c has a table of settings')
    if len(name_list) < 10:
        checks.add('lib/runtime/settings.c has a table of settings', f'only these were found: {" ".join(name_list)}')
    for page in PAGES:
        check(checks, f'{page} names every setting', name_list, tree.text(page))
    check(checks, 'docker-compose.yml or docker-compose.tls.yml names every setting', name_list, ''.join(map(tree.text, COMPOSE)))
    help_text = subprocess.run([tree.ROOT / 'payhook', 'help'], check=True, stdout=subprocess.PIPE).stdout.decode()
    check(checks, './payhook help names every setting', name_list, help_text)
    check_defaults(checks, f'{ENV} shows the defaults, commented')
    check_example(checks, f'{EXAMPLE} sets nothing', name_list)
    checks.end()


main()
