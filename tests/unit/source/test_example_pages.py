#!/usr/bin/env -S python3 -B
"""test_example_pages.py - the pages of docs/sources are true to the files beside them; prints TAP.

Each row of the table in docs/sources/README.md and each provider's own page name the scheme, the identity and the events that
its sources.json has.  payhook-app --check accepts each file.  The request beside it, and one that is signed here by another
implementation, verify and are read into a transaction.

The events of life.json of these providers are read, each as its kind.

    test_example_pages.py --write    signs the requests anew
"""

import json
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / 'tests/support'))
import example_signing  # noqa: E402

SOURCES = ROOT / 'docs/sources'
BUILD = pathlib.Path(os.environ.get('PAYHOOK_BUILD', ROOT / 'build'))
AT, SECONDS = '2026-02-19T12:00:00Z', 1771502400
PAGE = ['At the provider', 'Secret', 'Events', 'Identity', 'To know']
ENVIRONMENT = {**os.environ, 'DATABASE_URL': 'postgresql:///nowhere', 'TLS_PORT': '443'}
LIVES = {'adyen-management': ['other', 'other'], 'wise': ['captured', 'paid_out']}
OWN_SIGNERS = ('hmac', 'rsa', 'token', 'none')  # the others are signed in C: test_source_examples.c


def folders():
    return sorted(path.parent for path in SOURCES.glob('*/sources.json'))


def source_of(folder):
    return json.loads((folder / 'sources.json').read_text())['sources'][0]


def mappings(source):
    return source.get('events') or [source]


def words(source):
    """The words that tell the kinds of events apart: of the filters, each once."""
    found = [word for each in mappings(source) for condition in each.get('filter', []) for word in condition.get('is', [])]
    return list(dict.fromkeys(found))


def place(at):
    return at if isinstance(at, str) else json.dumps(at).replace('"', '')


def identities(source):
    """The places of each transaction_id, joined by a plus, each once."""
    found = []
    for each in mappings(source):
        identity = each.get('mapping', {}).get('transaction_id', {'at': '/transaction_id'})
        at = identity.get('at', identity)
        found.append(' + '.join(f'`{place(one)}`' for one in (at if isinstance(at, list) else [at])))
    return list(dict.fromkeys(found))


def check_page(folder):
    lines = [line for line in (folder / 'README.md').read_text().splitlines() if line.startswith('* ')]
    names = [re.match(r'\* \*\*(.*?)\*\*: ', line).group(1) for line in lines]
    assert names == PAGE, f'{folder.name}/README.md: these lines are wanted: {", ".join(PAGE)}; not {", ".join(names)}'
    source = source_of(folder)
    for word in words(source):
        assert f'`{word}`' in lines[2], f'{folder.name}/README.md: Events: `{word}` is missing'
    for identity in identities(source):
        assert identity in lines[3], f'{folder.name}/README.md: Identity: {identity} is missing'
    for secret in source.get('secrets', []):
        assert f'`{secret["file"]}`' in lines[1], f'{folder.name}/README.md: Secret: `{secret["file"]}` is missing'


def rows():
    """The table: folder to its cells, without the first."""
    text = (SOURCES / 'README.md').read_text()
    found = re.findall(r'^\| \[[^\]]+\]\(([a-z-]+)/README\.md\) \| (.*) \|$', text, re.MULTILINE)
    return {name: cells.split(' | ') for name, cells in found}


def check_table():
    table = rows()
    assert sorted(table) == [folder.name for folder in folders()], f'the table has {sorted(table)}'
    for folder in folders():
        source, (scheme, identity, events, _) = source_of(folder), table[folder.name]
        assert scheme == f'`{source["scheme"]}`', f'{folder.name}: the table has the scheme {scheme}'
        assert identity == '; '.join(identities(source)), f'{folder.name}: the table has the identity {identity}, not {"; ".join(identities(source))}'
        wanted = ', '.join(f'`{word}`' for word in words(source)) or 'all'
        assert events == wanted, f'{folder.name}: the table has the events {events}, not {wanted}'


def run(program, folder, *arguments, given=None):
    return subprocess.run([BUILD / program, *arguments], env={**ENVIRONMENT, 'SOURCES_FILE': str(folder / 'sources.json')}, input=given,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def check_configuration(folder):
    ran = run('app/payhook-app', folder, '--check')
    assert ran.returncode == 0, f'{folder.name}: {ran.stdout.decode()}'


def split(request):
    """(target, headers, body) of a request.http."""
    head, _, body = request.partition(b'\n\n')
    first, *lines = head.decode().split('\n')
    return first.split(' ')[1], dict(line.split(': ', 1) for line in lines), body


def signed(folder, name='request.http', body=None):
    """A request of the folder, signed here: request.http with the payload beside it, or any with this body."""
    source = source_of(folder)
    target, headers, own = split((folder / name).read_bytes())
    if body is None:
        body = next(folder.glob('payload.*')).read_bytes() if name == 'request.http' else own
    made = example_signing.sign(source, folder, body, SECONDS, target, headers)
    kept = {name: text for name, text in headers.items() if name.lower() not in {name.lower() for name in made}}
    kept.update({'Content-Length': str(len(body)), **made})
    lines = [f'POST {target} HTTP/1.1'] + [f'{name}: {text}' for name, text in kept.items()]
    return '\n'.join(lines).encode() + b'\n\n' + body


def check_request(folder, request, owner):
    ran = run('ctl/payhook-ctl', folder, 'verify', source_of(folder)['name'], '--at', AT, given=request)
    report = ran.stdout.decode()
    assert ran.returncode == 0, f'{folder.name}, {owner}: {report}'
    assert re.search(r'^answer     20[02], when it is durable$', report, re.MULTILINE) and ' is read:\n' in report, f'{folder.name}, {owner}: {report}'
    return report


def check_examples(folder):
    for file in sorted(folder.glob('*.http')):
        check_request(folder, file.read_bytes(), file.name)
        if source_of(folder)['scheme'] in OWN_SIGNERS:
            check_request(folder, signed(folder, file.name), f'{file.name}, signed here')
            assert signed(folder, file.name) == file.read_bytes(), f'{folder.name}/{file.name}: not the payload; see --write'


def check_life(folder):
    events = json.loads((folder / 'life.json').read_text())['events']
    reports = [check_request(folder, signed(folder, body=json.dumps(event).encode()), f'event {number}') for number, event in enumerate(events, 1)]
    kinds = [re.search(r'^ +kind +(\w+)$', report, re.MULTILINE).group(1) for report in reports]
    assert kinds == LIVES[folder.name], f'{folder.name}/life.json: {kinds}'


def check_bad_item():
    folder = SOURCES / 'gocardless'
    body = json.loads((folder / 'payload.json').read_text())
    body['events'].append({'id': 'EV0PAYHOOK0009', 'resource_type': 'payments'})
    report = run('ctl/payhook-ctl', folder, 'verify', 'gocardless', '--at', AT, given=signed(folder, body=json.dumps(body).encode())).stdout.decode()
    assert 'answer     202, when it is kept as unreadable; else 422' in report, report


def main():
    if sys.argv[1:] == ['--write']:
        for folder in folders():
            if source_of(folder)['scheme'] in OWN_SIGNERS:
                for file in folder.glob('*.http'):
                    file.write_bytes(signed(folder, file.name))
        return 0
    tests = [('the table is true to the files', check_table)]
    for folder in folders():
        tests += [(f'{folder.name}: {name}', lambda check=check, folder=folder: check(folder))
                  for name, check in (('the page is true to its file', check_page), ('the configuration is accepted', check_configuration),
                                      ('the request verifies and is read', check_examples))]
    tests += [(f'{name}: the events of life.json are read', lambda folder=SOURCES / name: check_life(folder)) for name in LIVES]
    tests.append(('gocardless: an event that cannot be read keeps no other out', check_bad_item))
    failed = 0
    print(f'1..{len(tests)}')
    for number, (name, check) in enumerate(tests, 1):
        try:
            check()
            print(f'ok {number} - {name}')
        except (AssertionError, OSError, ValueError, KeyError, StopIteration) as error:
            failed += 1
            print(f'not ok {number} - {name}')
            print('# ' + str(error).strip().replace('\n', '\n# '))
    return failed > 0


if __name__ == '__main__':
    sys.exit(main())
