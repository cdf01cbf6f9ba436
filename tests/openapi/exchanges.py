#!/usr/bin/env -S python3 -B
"""Holds every answer that the e2e tests got against openapi.yaml, and openapi.yaml against all those answers.

tests/support/exchange.c writes them to the folder PAYHOOK_EXCHANGES; tests/run sets PAYHOOK_EXCHANGES_WHOLE when the whole
suite has run, as only then an answer that nobody got means something.

An answer belongs to the operation of its method and path (HEAD to that of GET), else to x-errors: to other-methods if
the path is listed, to other-paths if not.  Any may be one of any-request instead, as nginx answers before the routes.  Of
bytes that were no request of the harness's own, the answer is one that some operation may give; it stands for none.
"""

import json
import os
from decimal import Decimal
from pathlib import Path

from document import Document, complaints, tree

DOCUMENTED, SEEN = 'every answer that a test got is documented', 'every documented answer was got by a test'
ACCEPTED, ANSWERS = 'every body that was accepted is one that is documented', 'there were answers to look at'

# Of HTTP itself, or of nginx: documented for none or for all.
USUAL = {'server', 'date', 'content-type', 'content-length', 'transfer-encoding', 'connection', 'keep-alive',
         'strict-transport-security'}

# Of every answer, whoever gives it: nginx/headers.conf.
ALWAYS = {'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer',
          'content-security-policy': "default-src 'none'; frame-ancestors 'none'", 'server': 'nginx'}

TOLD_MOST = 30  # complaints; the others are bound to be the same

# Answers that no test brings about, as (operation, code), and why.
UNSEEN = {
    ('any-request', '500'): 'nginx fails by itself, as when it is out of memory',
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
    """What of an exchange is not as this answer is documented."""
    return [*check_headers(answer.get('headers', {}), exchange['head']),
            *check_body(answer.get('content', {}), exchange, fields(exchange['head']))]


def candidates(document, exchange):
    """Where the answer may be documented: (name, responses).  nginx's own first, as its words are known."""
    everywhere = ('any-request', document.errors['any-request']['responses'])
    if exchange['method'] is None:
        return [everywhere, *(('some operation', operation['responses']) for operation in document.operations.values()),
                *(('some error', errors['responses']) for errors in document.errors.values())]
    method, path, operation = document.operation(exchange['method'], exchange['target'])
    if operation:
        return [everywhere, (f'{method} {path}', operation['responses'])]
    name = 'other-methods' if path else 'other-paths'
    return [everywhere, (name, document.errors[name]['responses'])]


def check_sent(checks, document, exchange, where):
    """What was accepted fits the schema of the request."""
    _, _, operation = document.operation(exchange['method'] or '', exchange['target'] or '')
    contents = (operation or {}).get('requestBody', {}).get('content', {})
    if exchange['status'] >= 300 or not contents or exchange['sent'] is None:
        return
    for complaint in complaints(contents['application/json']['schema'],
                                json.loads(exchange['sent'], parse_float=Decimal)):
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
    if len(checks.rules[DOCUMENTED]) < TOLD_MOST:
        checks.add(DOCUMENTED, f'{where}: {"; ".join(wrong)}')


def check_seen(checks, document, seen):
    """An answer of any-request counts once, whoever documents it beside."""
    everywhere = document.errors['any-request']['responses']
    documented = {(f'{method} {path}', code) for (method, path), operation in document.operations.items()
                  for code, answer in operation['responses'].items() if answer != everywhere.get(code)}
    documented |= {(name, code) for name, errors in document.errors.items() for code in errors['responses']}
    got = seen | {('any-request', code) for name, code in seen if (name, code) not in documented}
    for name, code in sorted(documented - got - set(UNSEEN)):
        checks.add(SEEN, f'{name} {code}: nobody got it; a test is missing, or it is wrong')
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
