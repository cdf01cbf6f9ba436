#!/usr/bin/env -S python3 -B
"""Compares every answer that the e2e tests received with openapi.yaml, and openapi.yaml with all those answers.

tests/support/exchange.c writes them to the directory PAYHOOK_EXCHANGES.  tests/run sets PAYHOOK_EXCHANGES_WHOLE if the
whole suite has run: only then does a documented answer that no test received mean that a test is missing.

An answer belongs to the operation of its method and path (HEAD to that of GET), otherwise to x-errors: to
other-methods if the path is documented, to other-paths if not.  Any answer may be one of any-request instead, since
nginx answers before the routes.  If the request was raw bytes, its answer must be one that some operation has, and
counts for none of them.
"""

import json
import os
import urllib.parse
from decimal import Decimal
from pathlib import Path

from document import Document, complaints, tree

DOCUMENTED, SEEN = 'every answer that a test received is documented', 'every documented answer was received by a test'
ACCEPTED, ANSWERS = 'every body that was accepted is one that is documented', 'there were answers to look at'

# Headers of HTTP itself or of nginx; they need not be documented.
USUAL = {'server', 'date', 'content-type', 'content-length', 'transfer-encoding', 'connection', 'keep-alive',
         'strict-transport-security'}

# Headers of every answer, from nginx or a responder: nginx/headers.conf.
ALWAYS = {'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer', 'cross-origin-resource-policy': 'same-origin',
          'content-security-policy': "default-src 'none'; frame-ancestors 'none'", 'server': 'nginx'}

REPORTED_MOST = 30  # errors; further ones are probably the same

# Answers that no test causes, as (operation, code), with the reason.
UNSEEN = {
    ('any-request', '500'): 'nginx fails by itself, as when it is out of memory',
    ('GET /console/api/v1/payments/{source}/{id}', '200'): 'the instance has no source of payments; tests/integration/schema/test_console.c',
    ('POST /console/api/v1/transactions/{source}/{id}/skip', '200'): 'no job is held; tests/integration/schema/test_console_acts.c',
}


def fields(head):
    lines = [line.split(':', 1) for line in head.split('\r\n')[1:] if ':' in line]
    return {name.strip().lower(): value.strip() for name, value in lines}


def header_value(schema, text):
    return int(text) if schema.get('type') == 'integer' and text.isdecimal() else text


def check_headers(documented, head):
    got = fields(head)
    for name, header in documented.items():
        text = got.pop(name.lower(), None)
        if text is not None:
            yield from (f'{name} {each}' for each in complaints(header['schema'], header_value(header['schema'], text)))
        elif header.get('required'):
            yield f'it has no {name}'
    for name, text in ALWAYS.items():
        if got.pop(name, None) != text:
            yield f'it has no {name}: {text}'
    yield from (f'{name} is not documented' for name in got if name not in USUAL)


def check_body(contents, exchange, got):
    kind = got.get('content-type', '').split(';')[0].strip()
    if exchange['status'] == 204 and not kind and not contents:
        yield from ['a 204 has a body'] if exchange['body'] else []
        return
    if kind not in contents:
        yield f'Content-Type {kind or "none"} is not documented'
        return
    if exchange['method'] == 'HEAD':
        yield from ['HEAD has a body'] if exchange['body'] else []
        return
    try:
        value = json.loads(exchange['body'], parse_float=Decimal) if kind.endswith('json') else exchange['body']
    except ValueError as error:
        yield f'{error}: {exchange["body"][:200]}'
        return
    yield from complaints(contents[kind]['schema'], value)
    if kind == 'application/problem+json' and isinstance(value, dict):
        if value.get('status') != exchange['status'] or value.get('instance') != got.get('x-request-id'):
            yield f'status or instance is another: {exchange["body"][:200]}'


def misfit(answer, exchange):
    """The differences between an answer and its documentation."""
    return [*check_headers(answer.get('headers', {}), exchange['head']),
            *check_body(answer.get('content', {}), exchange, fields(exchange['head']))]


def candidates(document, exchange):
    """The places that may document the answer: (name, responses).  nginx's own come first: their texts are fixed."""
    everywhere = ('any-request', document.errors['any-request']['responses'])
    if exchange['method'] is None:
        return [everywhere, *(('some operation', operation['responses']) for operation in document.operations.values()),
                *(('some error', errors['responses']) for errors in document.errors.values())]
    method, path, operation = document.operation(exchange['method'], exchange['target'])
    if operation:
        return [everywhere, (f'{method} {path}', operation['responses'])]
    name = 'other-methods' if path else 'other-paths'
    return [everywhere, (name, document.errors[name]['responses'])]


def read_sent(text):
    """(media type, value) of a body: JSON, else the fields of a form."""
    try:
        return 'application/json', json.loads(text, parse_float=Decimal)
    except ValueError:
        return 'application/x-www-form-urlencoded', dict(urllib.parse.parse_qsl(text, keep_blank_values=True))


def check_sent(checks, document, exchange, where):
    """An accepted body must match the schema of the request."""
    _, _, operation = document.operation(exchange['method'] or '', exchange['target'] or '')
    contents = (operation or {}).get('requestBody', {}).get('content', {})
    if exchange['status'] >= 300 or not contents or exchange['sent'] is None:
        return
    kind, value = read_sent(exchange['sent'])
    if kind not in contents:
        checks.add(ACCEPTED, f'{where}: {kind} is not documented')
        return
    for complaint in complaints(contents[kind]['schema'], value):
        checks.add(ACCEPTED, f'{where}: {complaint}')


def check_exchange(checks, document, exchange, seen):
    code, wrong = str(exchange['status']), []
    where = f'{exchange["test"]}: {exchange["method"]} {(exchange["target"] or "")[:80]} {code}'
    check_sent(checks, document, exchange, where)
    for name, answers in candidates(document, exchange):
        if code not in answers:
            wrong = [f'{name} has no {code}']
            continue
        wrong = misfit(answers[code], exchange)
        if not wrong:
            seen.add((name, code))
            return
    if len(checks.rules[DOCUMENTED]) < REPORTED_MOST:
        checks.add(DOCUMENTED, f'{where}: {"; ".join(wrong)}')


def check_seen(checks, document, seen):
    """An answer of any-request counts once, even if operations document it as well."""
    everywhere = document.errors['any-request']['responses']
    documented = {(f'{method} {path}', code) for (method, path), operation in document.operations.items()
                  for code, answer in operation['responses'].items() if answer != everywhere.get(code)}
    documented |= {(name, code) for name, errors in document.errors.items() for code in errors['responses']}
    got = seen | {('any-request', code) for name, code in seen if (name, code) not in documented}
    for name, code in sorted(documented - got - set(UNSEEN)):
        checks.add(SEEN, f'{name} {code}: no test received it; a test is missing, or the document is wrong')
    for name, code in sorted(set(UNSEEN) - documented):
        checks.add(SEEN, f'{name} {code} in UNSEEN is not documented')


def main():
    folder, whole = os.environ.get('PAYHOOK_EXCHANGES'), os.environ.get('PAYHOOK_EXCHANGES_WHOLE')
    files = sorted(Path(folder).glob('*.jsonl')) if folder else []
    if not files and not whole:
        print('1..1\nok 1 - there are answers to look at # SKIP the e2e suite has not run')
        return
    checks, document, seen, count = tree.Checks(), Document(), set(), 0
    for name in (ANSWERS, DOCUMENTED, ACCEPTED) + ((SEEN,) if whole else ()):
        checks.rule(name)
    for file in files:
        for line in file.read_text(encoding='utf-8', errors='replace').splitlines():
            count += 1
            check_exchange(checks, document, json.loads(line), seen)
    if whole:
        check_seen(checks, document, seen)
    if count == 0:
        checks.add(ANSWERS, f'none in {folder}')
    print(f'# {count} answers')
    checks.end()


if __name__ == '__main__':
    main()
