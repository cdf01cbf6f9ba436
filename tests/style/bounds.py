#!/usr/bin/env -S python3 -B
"""Checks limits that several parts must agree on: nginx's connections and the responders' slots, the size of a body, and
the connections of all processes and PostgreSQL's max_connections.

Each responder can be reached by every worker process of nginx, so the connections that all of them keep idle must fit into
the slots of one responder, with a quarter left for requests on new connections."""

import re

import tree

SLOTS, POOL, SITE, SHELL, PAYLOAD = 'app/served.h', 'nginx/payhook.conf.in', 'nginx/site.conf.in', 'ops/nginx.sh', 'include/source/payload.h'
PACKAGE = 'systemd/meson.build'
NAMED_IN = ('**/*.md', 'app/*.c', 'nginx/*', 'ops/grafana/*')
SETTINGS, CONNECTION, CLUSTER, TABLE = 'lib/runtime/settings.table', 'include/pg/abandoned.h', 'ops/postgresql.conf.in', 'docs/design.md'
CALLS = 'console/calls.h'
SPARE = 20  # connections for psql, backups, exporters, and those that PostgreSQL reserves
FIT = 'the connections that nginx keeps fit into three quarters of the slots'
SAME, BODY = 'the number of slots is the same wherever it is named', 'nginx takes a body of BODY_LIMIT bytes, and no longer one'
DATABASE = "the private PostgreSQL takes the connections of the most responders, of its worker and of the console"


def numbers(path, pattern):
    """All numbers that the pattern finds, of which there must be one at least."""
    return [int(found) for found in re.findall(pattern, tree.text(path), re.MULTILINE)] or [-1]


def check_database(checks):
    """The table of docs/design.md has a row for each connection of a process; to these come those it abandons."""
    rows = re.findall(r'^\| `payhook-(app|worker) [a-z-]+` \|', tree.text(TABLE), re.MULTILINE)
    abandoned = numbers(CONNECTION, r'^#define ABANDONED_MAX (\d+)')[0]
    responders = numbers(SETTINGS, r'^RESPONDERS \| number 0 (\d+)')[0]
    limit = numbers(CLUSTER, r'^max_connections = (\d+)')[-1]
    console = numbers(CALLS, r'^#define CALLS_CONNECTIONS (\d+)')[0]
    most = responders * (rows.count('app') + abandoned) + rows.count('worker') + abandoned + console + abandoned + SPARE
    if min(rows.count('app'), rows.count('worker'), abandoned, responders, console) < 1 or most > limit:
        checks.add(DATABASE, f'{CLUSTER}: max_connections = {limit}; {responders} responders, a worker and the console may open {most}')


def check_body(checks):
    """The most of the setting is what the buffers hold; its default is that of the shell and of the package's site."""
    most, default = re.search(r'^BODY_LIMIT \| number \d+ (\d+) \| (\d+)', tree.text(SETTINGS), re.MULTILINE).groups()
    factors = re.findall(r'^#define PAYLOAD_MAX \((\d+) \* (\d+)\)', tree.text(PAYLOAD), re.MULTILINE)
    if not factors or int(factors[0][0]) * int(factors[0][1]) != int(most):
        checks.add(BODY, f'{SETTINGS}: BODY_LIMIT up to {most}; {PAYLOAD}: {factors}')
    sizes = re.findall(r'^\t(client_max_body_size|client_body_buffer_size) (.*);', tree.text(SITE), re.MULTILINE)
    if sizes != [('client_max_body_size', '@BODY_LIMIT@'), ('client_body_buffer_size', '@BODY_LIMIT@')]:
        checks.add(BODY, f'{SITE}: {sizes}')
    packaged = re.findall(r"'BODY_LIMIT': '(\d+)k'", tree.text(PACKAGE))
    filled = re.findall(r'\[BODY_LIMIT\]=\$\(\(10#\$\{BODY_LIMIT:-(\d+)\}\)\)', tree.text(SHELL))
    if [int(size) * 1024 for size in packaged] != [int(default)] or filled != [default]:
        checks.add(BODY, f'{SETTINGS}: BODY_LIMIT {default}; {PACKAGE}: {packaged}k; {SHELL}: {filled}')


def main():
    checks = tree.Checks()
    for name in (FIT, SAME, BODY, DATABASE):
        checks.rule(name)
    for path in (SLOTS, POOL, SITE, SHELL, PAYLOAD, PACKAGE, SETTINGS, CONNECTION, CLUSTER, TABLE, CALLS):
        tree.files(path)
    check_database(checks)
    slots = numbers(SLOTS, r'^#define FASTCGI_SLOTS (\d+)')[0]
    kept = max(numbers(POOL, r'^\s*keepalive (\d+);'))
    workers = max(numbers(SHELL, r'\[WORKERS\]=\$\(cores (\d+)\)'))
    if min(slots, kept, workers) < 1 or workers * kept * 4 > slots * 3:
        checks.add(FIT, f'{POOL}: keepalive {kept}, times {workers} worker processes ({SHELL}); {SLOTS}: {slots} slots')
    for path in tree.files(*NAMED_IN):
        for found in re.findall(r'(\d[\d,]*) (?:free )?slots\b', tree.text(path)):
            if int(found.replace(',', '')) != slots:
                checks.add(SAME, f'{path}: {found} slots; {SLOTS}: {slots}')
    check_body(checks)
    checks.end()


main()
