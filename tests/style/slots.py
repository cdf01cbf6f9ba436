#!/usr/bin/env -S python3 -B
"""Checks numbers that nginx and the responders must agree on: connections and slots, and the size of a body.

Each responder can be reached by every worker process of nginx, so the connections that all of them keep idle must fit into
the slots of one responder, with a quarter left for requests on new connections."""

import re

import tree

SLOTS, SITE, SHELL, PAYLOAD = 'app/fastcgi.h', 'nginx/payhook.conf.in', 'ops/nginx.sh', 'include/source/payload.h'
NAMED_IN = ('**/*.md', 'app/*.c', 'nginx/*', 'ops/grafana/*')
FIT = 'the connections that nginx keeps fit into three quarters of the slots'
SAME, BODY = 'the number of slots is the same wherever it is named', 'nginx takes a body of PAYLOAD_MAX bytes, and no longer one'
KB = {'': 1, 'k': 1024, 'm': 1024 * 1024}


def numbers(path, pattern):
    """All numbers that the pattern finds, of which there must be one at least."""
    return [int(found) for found in re.findall(pattern, tree.text(path), re.MULTILINE)] or [-1]


def main():
    checks = tree.Checks()
    for name in (FIT, SAME, BODY):
        checks.rule(name)
    for path in (SLOTS, SITE, SHELL, PAYLOAD):
        tree.files(path)
    slots = numbers(SLOTS, r'^#define FASTCGI_SLOTS (\d+)')[0]
    kept = max(numbers(SITE, r'^\s*keepalive (\d+);'))
    workers = max(numbers(SHELL, r'\[WORKERS\]=\$\(cores (\d+)\)'))
    if min(slots, kept, workers) < 1 or workers * kept * 4 > slots * 3:
        checks.add(FIT, f'{SITE}: keepalive {kept}, times {workers} worker processes ({SHELL}); {SLOTS}: {slots} slots')
    for path in tree.files(*NAMED_IN):
        for found in re.findall(r'(\d[\d,]*) (?:free )?slots\b', tree.text(path)):
            if int(found.replace(',', '')) != slots:
                checks.add(SAME, f'{path}: {found} slots; {SLOTS}: {slots}')
    factors = re.findall(r'^#define PAYLOAD_MAX \((\d+) \* (\d+)\)', tree.text(PAYLOAD), re.MULTILINE)
    longest = int(factors[0][0]) * int(factors[0][1]) if factors else -1
    for name, size, unit in re.findall(r'\b(client_max_body_size|client_body_buffer_size) (\d+)([km]?);', tree.text(SITE)):
        if int(size) * KB[unit] != longest:
            checks.add(BODY, f'{SITE}: {name} {size}{unit}; {PAYLOAD}: {longest}')
    checks.end()


main()
