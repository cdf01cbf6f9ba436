"""scheme_cases.py - requests of every scheme and of every word of it, each right, wrong and altered, with the answer and the number
of transactions that are due.  Signatures are made by Python's hmac and by openssl, from what the providers document."""

import base64
import dataclasses
import functools
import gzip
import hashlib
import hmac
import json
import os
import subprocess
import time
import urllib.parse

MARK = os.urandom(6).hex()  # in every value that is logged nowhere
NOW = int(time.time())
FORM = 'application/x-www-form-urlencoded'
MAPPING = {'transaction_id': {'at': '/id'}, 'source_account': {'at': '/payer'}, 'destination_account': {'value': 'payee'},
           'amount': {'at': '/n', 'unit': 'minor'}, 'currency': {'value': 'USD'}}
BASIC, SIGNATURE = 'Basic realm="webhooks", charset="UTF-8"', 'Signature'


@dataclasses.dataclass
class Case:
    """A request to a source, the answer and the rows that it has to bring."""
    source: str
    what: str
    headers: list
    status: int
    body: bytes = b''
    target: str = ''        # behind the source's name
    path: str = '/v1/webhooks/'
    rows: int = None        # new transactions; None: one if the status is 2xx
    cause: str = None       # of a 401, in auth_failures; None: any
    text: str = None        # what the answer holds
    type: str = 'application/json'
    challenge: str = SIGNATURE
    front: bool = False     # through the nginx before payhook's
    group: str = ''         # the function that has it

    def __post_init__(self):
        self.rows = int(self.status < 300) if self.rows is None else self.rows


class Names:
    """Ids of events, each of its own."""
    count = 0

    @classmethod
    def next(cls):
        cls.count += 1
        return f'event_{cls.count}'


def event(**more):
    """A body.  The account and what is not mapped have the mark."""
    return json.dumps({'id': Names.next(), 'n': 1000, 'payer': f'payer {MARK}', 'note': f'note {MARK}', **more}).encode()


def altered(body):
    """The body with another amount, and not one byte longer."""
    return body.replace(b'"n": 1000', b'"n": 9000')


# ---- sources and their secrets ----

def text_secret(name):
    return f'{name} {hashlib.sha256((MARK + name).encode()).hexdigest()[:24]}'


PAIRS = {name: f'user-{name}:' + text_secret(name) for name in ('basic', 'hook-basic')}
KEYS = {'hex-key': hashlib.sha256(f'hex {MARK}'.encode()).digest(), 'base64-key': hashlib.sha256(f'base64 {MARK}'.encode()).digest(),
        'svix': hashlib.sha256(f'svix {MARK}'.encode()).digest()}


def secret_text(name):
    """What stands in the file of the source's secret."""
    if name == 'basic':
        return PAIRS['basic']
    if name == 'hex-key':
        return KEYS[name].hex()
    if name == 'base64-key':
        return base64.b64encode(KEYS[name]).decode()
    if name == 'svix':
        return 'v1,whsec_' + base64.b64encode(KEYS[name]).decode()
    return text_secret(name)


def key(name):
    return KEYS.get(name) or text_secret(name).encode()


def hmac_source(name, **words):
    return {'scheme': 'hmac', 'header': 'X-Signature', 'algorithm': 'sha256', 'encoding': 'hex', **words}


MERCADO = 'id:{query.data.id|lower};request-id:{header.x-request-id};ts:{time};'
SOURCES = {
    'token': {'scheme': 'token', 'header': 'X-Callback-Token'},
    'token-of-another': {'scheme': 'token', 'header': 'X-Callback-Token'},
    'basic': {'scheme': 'basic'},
    'hook-basic': {'scheme': 'github', 'basic': {'file': 'hook-basic.basic'}},
    'rsa-hex': {'scheme': 'rsa', 'header': 'X-Signature', 'encoding': 'hex', 'secrets': [{'file': 'rsa.pub'}]},
    'rsa-base64': {'scheme': 'rsa', 'header': 'X-Signature', 'encoding': 'base64', 'secrets': [{'file': 'rsa.pub'}]},
    'rsa-certificate': {'scheme': 'rsa', 'header': 'X-Signature', 'encoding': 'base64', 'secrets': [{'file': 'rsa.crt'}]},
    'parts': hmac_source('parts', form='ts={time};h1={signature}', signed='{time}:{body}'),
    'any': hmac_source('any', form='{any}/SHA256/{signature}'),
    'rotated': hmac_source('rotated', prefix='sha256='),
    'seconds': hmac_source('seconds', timestamp_header='X-Time'),
    'milliseconds': hmac_source('milliseconds', timestamp_header='X-Time', timestamp_unit='ms'),
    'auto': hmac_source('auto', timestamp_header='X-Time', timestamp_unit='auto', algorithm='sha512', encoding='base64'),
    'bare': hmac_source('bare', timestamp_header='X-Time', separator=''),
    'bare-ms': hmac_source('bare-ms', timestamp_header='X-Time', separator='', timestamp_unit='ms'),
    'hex-key': hmac_source('hex-key', key='hex'),
    'base64-key': hmac_source('base64-key', key='base64'),
    'query': hmac_source('query', form='ts={time},v1={signature}', timestamp_unit='auto', signed=MERCADO, answer=200, mapping={
        'transaction_id': {'at': [{'query': 'data.id'}, {'header': 'x-request-id'}], 'join': ':'}, 'source_account': {'value': 'payer'},
        'destination_account': {'value': 'payee'}, 'kind': {'value': 'other'}}),
    'query-body': hmac_source('query-body', signed='{query.account}:{header.x-part};{body}'),
    'svix': {'scheme': 'standard-webhooks'},
    'svix-text': {'scheme': 'standard-webhooks', 'key': 'text'},
    'raw': hmac_source('raw', form='t={time},v1={signature}'),
    'decoded': hmac_source('decoded', form='t={time},v1={signature}', signed_encoding='decoded'),
    'form': hmac_source('form', prefix='sha256=', body='form'),
    'member': hmac_source('member', prefix='sha256=', body={'form_member': 'payload'}),
    'array': hmac_source('array', prefix='sha256=', items='', answer={'status': 200, 'body': 'ok', 'type': 'text/plain'}),
    'ping-form': hmac_source('ping-form', ping={'form': 'webhook_id'}),
    'ping-member': hmac_source('ping-member', ping={'at': '/type', 'is': ['ping']}, answer={'status': 200, 'body': ''}),
    'ping-header': {'scheme': 'github', 'ping': {'header': 'X-GitHub-Event', 'is': ['ping']}},
    'answer': hmac_source('answer', answer={'status': 200, 'body': '[accepted]', 'type': 'text/plain'},
                          filter=[{'at': '/type', 'is': ['paid']}]),
    'kept': hmac_source('kept', unreadable='keep', answer=204),
}


def sources():
    return [{'name': name, 'secrets': [{'file': f'{name}.secret'}], 'mapping': MAPPING, **words} for name, words in SOURCES.items()]


def write_secrets(folder):
    for name, words in SOURCES.items():
        if 'secrets' not in words:
            (folder / f'{name}.secret').write_text(secret_text(name) + '\n')
    (folder / 'hook-basic.basic').write_text(PAIRS['hook-basic'] + '\n')
    for name in ('rsa', 'stranger'):
        subprocess.run(['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-noenc', '-days', '2', '-subj', '/CN=example', '-keyout',
                        folder / f'{name}.key', '-out', folder / f'{name}.crt'], check=True, stderr=subprocess.DEVNULL)
    public = subprocess.run(['openssl', 'x509', '-in', folder / 'rsa.crt', '-pubkey', '-noout'], check=True, stdout=subprocess.PIPE).stdout
    (folder / 'rsa.pub').write_bytes(public)


def secrets():
    """Every text that may stand in no log and no table: secrets, passwords, and what a request has of them."""
    texts = [secret_text(name) for name, words in SOURCES.items() if 'secrets' not in words] + list(PAIRS.values())
    texts += [pair.partition(':')[2] for pair in PAIRS.values()] + [value for pair in PAIRS.values() for value in [base64_of(pair.encode())]]
    texts += [base64_of(each) for each in KEYS.values()] + [each.hex() for each in KEYS.values()]
    return texts + [f'wrong token {MARK}', f'wrong password {MARK}']


def base64_of(data):
    return base64.b64encode(data).decode()


# ---- signatures ----

def digest(name, message, hashed='sha256', encoding='hex'):
    made = hmac.new(key(name), message, hashed).digest()
    return made.hex() if encoding == 'hex' else base64_of(made)


def forged(message, hashed='sha256'):
    return hmac.new(b'a secret that no source has', message, hashed).hexdigest()


@functools.lru_cache
def rsa(folder, name, body, hashed='-sha256'):
    return subprocess.run(['openssl', 'dgst', hashed, '-sign', f'{folder}/{name}.key'], input=body, check=True, stdout=subprocess.PIPE).stdout


def basic(pair):
    return ('Authorization', 'Basic ' + base64_of(pair.encode()))


# ---- the cases ----

def of_token(_):
    token, name = secret_text('token'), 'X-Callback-Token'

    def case(what, headers, status, cause=None, **more):
        return Case('token', what, headers, status, event(), cause=cause, **more)
    yield case('right', [(name, token)], 202)
    yield case('right, the name in another case', [(name.lower(), token)], 202)
    yield case('another one', [(name, f'wrong token {MARK}')], 401, 'wrong')
    yield case('of another source', [(name, secret_text('token-of-another'))], 401, 'wrong')
    yield case('without its last byte', [(name, token[:-1])], 401, 'wrong')
    yield case('with a byte more', [(name, token + '0')], 401, 'wrong')
    yield case('in capitals', [(name, token.upper())], 401, 'wrong')
    yield case('longer than any', [(name, token * 40)], 401, 'malformed')
    yield case('empty', [(name, '')], 401, 'missing')
    yield case('missing', [], 401, 'missing')
    yield case('in the query', [], 401, 'missing', target='?' + urllib.parse.urlencode({name: token}))
    yield case('as a Bearer', [('Authorization', f'Bearer {token}')], 401, 'missing')


def of_basic(_):
    right, wrong = PAIRS['basic'], 'user-basic:' + f'wrong password {MARK}'

    def case(what, headers, status, cause=None):
        return Case('basic', what, headers, status, event(), cause=cause, challenge=BASIC)
    yield case('right', [basic(right)], 202)
    yield case('right, the word in lower case', [('Authorization', basic(right)[1].replace('Basic', 'basic'))], 202)
    yield case('another password', [basic(wrong)], 401, 'wrong')
    yield case('another user', [basic('x' + right)], 401, 'wrong')
    yield case('without the colon', [basic(right.replace(':', ''))], 401, 'wrong')
    yield case('not in base64', [('Authorization', 'Basic ' + right.replace(' ', ''))], 401, 'malformed')
    yield case('another scheme of HTTP', [('Authorization', 'Bearer ' + base64_of(right.encode()))], 401, 'malformed')
    yield case('missing', [], 401, 'missing')


def of_basic_beside_a_signature(_):
    right, wrong = basic(PAIRS['hook-basic']), basic(f'user-hook-basic:wrong password {MARK}')

    def case(what, status, cause, *wanted, signed=lambda body: body):
        body = event()
        signature = ('X-Hub-Signature-256', 'sha256=' + digest('hook-basic', signed(body)))
        headers = [{'basic': right, 'wrong': wrong, 'signature': signature}[each] for each in wanted]
        return Case('hook-basic', what, headers, status, body, cause=cause, challenge=BASIC)
    yield case('both right', 202, None, 'basic', 'signature')
    yield case('the signature alone', 401, 'missing', 'signature')
    yield case('the password alone', 401, 'missing', 'basic')
    yield case('a wrong password', 401, 'wrong', 'wrong', 'signature')
    yield case('an altered body', 401, 'wrong', 'basic', 'signature', signed=altered)


def of_rsa(folder):
    for name, encode in (('rsa-hex', bytes.hex), ('rsa-base64', base64_of), ('rsa-certificate', base64_of)):
        body = event()
        made = encode(rsa(folder, 'rsa', body))
        yield Case(name, 'right', [('X-Signature', made)], 202, body)
        yield Case(name, 'an altered body', [('X-Signature', made)], 401, altered(body), cause='wrong')
        body = event()
        yield Case(name, 'another key', [('X-Signature', encode(rsa(folder, 'stranger', body)))], 401, body, cause='wrong')
        yield Case(name, 'SHA-1', [('X-Signature', encode(rsa(folder, 'rsa', body, '-sha1')))], 401, body, cause='wrong')
        yield Case(name, 'cut', [('X-Signature', encode(rsa(folder, 'rsa', body)[:-1]))], 401, body, cause='wrong')
        yield Case(name, 'in no encoding', [('X-Signature', '%' + encode(rsa(folder, 'rsa', body))[1:])], 401, body, cause='malformed')
        yield Case(name, 'missing', [], 401, body, cause='missing')


def of_parts(_):
    def case(what, form, status, cause=None, when=NOW, signed=None, shown=None):
        """form: with {t}, {s}, the right signature, and {f}, a forged one."""
        body = event()
        message = (signed or (lambda body: f'{when}:'.encode() + body))(body)
        header = form.format(t=shown or when, s=digest('parts', message), f=forged(message))
        return Case('parts', what, [('X-Signature', header)], status, body, cause=cause)
    yield case('right', 'ts={t};h1={s}', 202)
    yield case('the parts in another order', 'h1={s};ts={t}', 202)
    yield case('a comma and a space between', 'ts={t}, h1={s}', 202)
    yield case('a part that is not known', 'v=2;ts={t};h1={s};h2={f}', 202)
    yield case('two signatures, the second right', 'ts={t};h1={f};h1={s}', 202)
    yield case('two signatures, the first right', 'ts={t};h1={s};h1={f}', 202)
    yield case('eight signatures, the last right', 'ts={t}' + ';h1={f}' * 7 + ';h1={s}', 202)
    yield case('nine signatures', 'ts={t}' + ';h1={f}' * 8 + ';h1={s}', 401, 'malformed')
    yield case('a forged one', 'ts={t};h1={f}', 401, 'wrong')
    yield case('an altered body', 'ts={t};h1={s}', 401, 'wrong', signed=lambda body: f'{NOW}:'.encode() + altered(body))
    yield case('an altered time', 'ts={t};h1={s}', 401, 'wrong', shown=NOW + 1)
    yield case('the body alone signed', 'ts={t};h1={s}', 401, 'wrong', signed=lambda body: body)
    yield case('another separator signed', 'ts={t};h1={s}', 401, 'wrong', signed=lambda body: f'{NOW}.'.encode() + body)
    yield case('old', 'ts={t};h1={s}', 401, 'old', when=NOW - 4000)
    yield case('in the future', 'ts={t};h1={s}', 401, 'future', when=NOW + 4000)
    yield case('the time twice', 'ts={t};ts={t};h1={s}', 401, 'malformed')
    yield case('without the time', 'h1={s}', 401, 'malformed')
    yield case('without a signature', 'ts={t}', 401, 'malformed')
    yield case('a time that is no number', 'ts={t}x;h1={s}', 401, 'malformed')


def of_several(_):
    for name, form in (('any', '{n}/SHA256/{s}'), ('rotated', 'sha256={s}')):
        def header(*signatures, between=','):
            return [('X-Signature', between.join(form.format(n=n, s=each) for n, each in enumerate(signatures, 1)))]
        bodies = [event() for _ in range(9)]
        right = [digest(name, body) for body in bodies]
        yield Case(name, 'one, right', header(right[0]), 202, bodies[0])
        yield Case(name, 'two, the first right', header(right[1], forged(bodies[1])), 202, bodies[1])
        yield Case(name, 'two, the second right', header(forged(bodies[2]), right[2]), 202, bodies[2])
        yield Case(name, 'two with a space between', header(forged(bodies[3]), right[3], between=', '), 202, bodies[3])
        yield Case(name, 'two, none right', header(forged(bodies[4]), forged(b'')), 401, bodies[4], cause='wrong')
        yield Case(name, 'an altered body', header(right[5]), 401, altered(bodies[5]), cause='wrong')
        yield Case(name, 'nine', header(*[forged(b'')] * 8, right[6]), 401, bodies[6], cause='malformed')
        yield Case(name, 'another form', [('X-Signature', right[7])], 401, bodies[7], cause='malformed')
        yield Case(name, 'missing', [], 401, bodies[8], cause='missing')


def of_time(_):
    def case(name, what, time_text, status, cause=None, signed=None, between=b'.'):
        body = event()
        message = signed(body) if signed else time_text.encode() + between + body
        made = digest(name, message, *(('sha512', 'base64') if name == 'auto' else ()))
        return Case(name, what, [('X-Time', time_text), ('X-Signature', made)], status, body, cause=cause)
    seconds, ms = str(NOW), str(NOW * 1000 + 7)
    for name, units in (('seconds', {'s'}), ('milliseconds', {'ms'}), ('auto', {'s', 'ms'})):
        yield case(name, 'seconds', seconds, 202 if 's' in units else 401, None if 's' in units else 'old')
        yield case(name, 'milliseconds', ms, 202 if 'ms' in units else 401, None if 'ms' in units else 'malformed')
        now = seconds if 's' in units else ms
        yield case(name, 'an altered body', now, 401, 'wrong', signed=lambda body, now=now: now.encode() + b'.' + altered(body))
        yield case(name, 'old', str(int(now) - (4000 if 's' in units else 4000000)), 401, 'old')
        yield case(name, 'the time not signed', now, 401, 'wrong', signed=lambda body: body)
        yield case(name, 'a sign before the time', '+' + now, 401, 'malformed')
    yield case('bare', 'right', seconds, 202, between=b'')
    yield case('bare-ms', 'right', ms, 202, between=b'')
    yield case('bare', 'with a point signed', seconds, 401, 'wrong')
    yield case('bare', 'nine digits', str(NOW)[:9], 401, 'malformed', between=b'')
    yield case('bare', 'a zero before the time', '0' + seconds, 401, 'malformed', between=b'')
    yield case('bare-ms', 'ten digits', seconds, 401, 'malformed', between=b'')
    yield case('bare-ms', 'an altered body', ms, 401, 'wrong', signed=lambda body: ms.encode() + altered(body))


def of_keys(_):
    for name in ('hex-key', 'base64-key'):
        body = event()
        yield Case(name, 'right', [('X-Signature', digest(name, body))], 202, body)
        yield Case(name, 'an altered body', [('X-Signature', digest(name, body))], 401, altered(body), cause='wrong')
        as_text = hmac.new(secret_text(name).encode(), body, 'sha256').hexdigest()
        yield Case(name, 'the key as text', [('X-Signature', as_text)], 401, event(), cause='wrong')


def of_query(_):
    """What is signed is in the query and in a header; the body is not."""
    def case(what, target, value, status=200, cause=None, rid=None, headers=None, seconds=NOW, **more):
        """value: the parameter as it is signed."""
        rid = rid or Names.next()
        made = digest('query', f'id:{value};request-id:{rid};ts:{seconds};'.encode())
        sent = [('x-request-id', rid)] if headers is None else headers
        return Case('query', what, [*sent, ('X-Signature', f'ts={seconds},v1={made}')], status, b'{"type":"payment"}', target=target,
                    cause=cause, **more)
    yield case('right', '?data.id=17&type=payment', '17')
    yield case('the time in milliseconds', '?data.id=17', '17', seconds=NOW * 1000)
    yield case('behind another parameter', '?type=payment&data.id=17', '17')
    yield case('capitals, signed in lower case', '?data.id=ABc', 'abc')
    yield case('capitals, signed as they are', '?data.id=ABc', 'ABc', 401, 'wrong')
    yield case('percent codes', '?data.id=%31%2F7%C3%A9', '1/7é')
    yield case('percent codes, signed undecoded', '?data.id=%31%2f7', '%31%2f7', 401, 'wrong')
    yield case('decoded once', '?data.id=%2531', '%31')
    yield case('a plus is a plus', '?data.id=a+b', 'a+b')
    yield case('a plus is no space', '?data.id=a+b', 'a b', 401, 'wrong')
    yield case('two slashes in the value', '?data.id=a//b', 'a//b')
    yield case('another value', '?data.id=18', '17', 401, 'wrong')
    yield case('twice', '?data.id=17&data.id=17', '17', 401, 'malformed')
    yield case('twice with another value', '?data.id=18&data.id=17', '17', 401, 'malformed')
    yield case('missing', '?type=payment', '', 401, 'missing')
    yield case('empty', '?data.id=', '', 401, 'missing')
    yield case('no query', '', '', 401, 'missing')
    yield case('its name in percent codes', '?data%2Eid=17', '17', 401, 'missing')
    yield case('a broken percent code', '?data.id=%zz', '%zz', 401, 'malformed')
    yield case('a NUL', '?data.id=1%007', '17', 401, 'malformed')
    yield case('the byte that ends it', '?data.id=17;x', '17;x', 401, 'malformed')
    yield case('256 bytes', '?data.id=' + '1' * 256, '1' * 256, 401, 'malformed')
    yield case('the header missing', '?data.id=17', '17', 401, 'missing', headers=[])
    yield case('another header', '?data.id=17', '17', 401, 'wrong', headers=[('x-request-id', 'other')])
    yield case('the header twice', '?data.id=17', '17', 401, rid='second', headers=[('x-request-id', 'first'), ('x-request-id', 'second')])
    yield case('old', '?data.id=17', '17', 401, 'old', seconds=NOW - 4000)
    yield case('a body that is altered, as it is not signed', '?data.id=19', '19')
    yield case('two slashes in the path', '?data.id=17', '17', 404, path='/v1//webhooks/')
    yield case('a letter of the path in percent codes', '?data.id=17', '17', path='/v1/%77ebhooks/')
    yield case('a prefix that nginx rewrites', '?data.id=%31%2f7&x=1', '1/7', path='/hooks/', front=True)
    yield case('a prefix that nginx rewrites, another value', '?data.id=18', '17', 401, 'wrong', path='/hooks/', front=True)
    yield case('two slashes before the prefix', '?data.id=a//b', 'a//b', path='//hooks//', front=True)


def of_query_and_body(_):
    def case(what, target, status, cause=None, signed=lambda body: body, part=f'part {MARK}', account=f'a{MARK}/é'):
        body = event()
        made = digest('query-body', f'{account}:{part};'.encode() + signed(body))
        return Case('query-body', what, [('X-Part', part.encode('utf-8').decode('latin-1')), ('X-Signature', made)], status, body,
                    target=target, cause=cause)
    account = urllib.parse.quote(f'a{MARK}/é', safe='')
    yield case('right', f'?account={account}', 202)
    yield case('another account', '?account=other', 401, 'wrong')
    yield case('an altered body', f'?account={account}', 401, 'wrong', signed=altered)
    yield case('bytes moved between two values', f'?account={account}:x', 401, 'malformed')
    yield case('a colon in percent codes', f'?account={account}%3A', 401, 'malformed')
    yield case('bytes moved from the header to the body', f'?account={account}', 401, 'malformed', part=f'x;{MARK}')


def of_svix(_):
    def case(name, what, names, status, cause=None, when=NOW, forms='v1,{s}', signed=lambda body: body, extra=()):
        body, rid = event(), 'msg_' + Names.next()
        message = f'{rid}.{when}.'.encode() + signed(body)
        header = forms.format(s=digest(name, message, encoding='base64'), f=base64_of(bytes.fromhex(forged(message))))
        return Case(name, what, [*zip(names, (rid, str(when), header)), *extra], status, body, cause=cause)
    svix, standard = [[f'{prefix}-{word}' for word in ('id', 'timestamp', 'signature')] for prefix in ('svix', 'webhook')]
    for name in ('svix', 'svix-text'):
        yield case(name, "Svix's names", svix, 202)
        yield case(name, 'the names of the standard', standard, 202)
        yield case(name, 'two signatures, the second right', svix, 202, forms='v1,{f} v1,{s}')
        yield case(name, 'a version that is not known', svix, 202, forms='v2,{f} v1,{s}')
        yield case(name, 'a forged one', svix, 401, 'wrong', forms='v1,{f}')
        yield case(name, 'an altered body', svix, 401, 'wrong', signed=altered)
        yield case(name, 'old', svix, 401, 'old', when=NOW - 4000)
        yield case(name, 'names of both', ['svix-id', 'svix-timestamp', 'webhook-signature'], 401)
        yield case(name, 'both ids', svix, 401, 'malformed', extra=[('webhook-id', 'other')])
        yield case(name, 'another version alone', svix, 401, 'unsupported', forms='v2,{s}')


def of_gzip(_):
    def case(name, what, status, signed, body=None, sent=None, coding='gzip', **more):
        body = body or event()
        zipped = gzip.compress(body)
        made = digest(name, f'{NOW}.'.encode() + (zipped if signed == 'raw' else altered(body) if signed == 'altered' else body))
        headers = [('X-Signature', f't={NOW},v1={made}')] + ([('Content-Encoding', coding)] if coding else [])
        return Case(name, what, headers, status, sent(body) if sent else zipped, **more)
    for name in ('raw', 'decoded'):
        other = {'raw': 'decoded', 'decoded': 'raw'}[name]
        yield case(name, 'right', 202, name)
        yield case(name, f'signed {other}', 401, other, cause='wrong')
        yield case(name, 'not in gzip', 202, 'decoded', sent=lambda body: body, coding=None)
        yield case(name, 'an altered body', 401, 'altered', cause='wrong')
        yield case(name, 'another coding', 415, name, coding='br')
    yield case('raw', 'broken off', 401, 'raw', sent=lambda body: gzip.compress(body)[:-1], cause='wrong')
    yield case('decoded', 'broken off', 401, 'decoded', sent=lambda body: gzip.compress(body)[:-1], cause='malformed')
    yield case('decoded', 'decodes to too much', 413, 'decoded', body=event(filler='x' * 70000))


def of_forms(_):
    def case(name, what, fields, status, signed=None, kind=FORM, **more):
        body = fields if isinstance(fields, bytes) else urllib.parse.urlencode(fields).encode()
        return Case(name, what, [('X-Signature', 'sha256=' + digest(name, body if signed is None else signed))], status, body, type=kind, **more)

    def fields():
        return {'id': Names.next(), 'n': '1000', 'payer': f'é&= {MARK}'}
    yield case('form', 'right', fields(), 202)
    yield case('form', 'with a charset', fields(), 202, kind=f'{FORM}; charset=UTF-8')
    yield case('form', 'altered', fields(), 401, signed=b'', cause='wrong')
    yield case('form', 'a field twice', b'id=twice&n=1&payer=p&id=2', 400)
    yield case('form', 'a broken percent code', b'id=%zz&n=1&payer=p', 400)
    yield case('form', 'as JSON', event(), 415, kind='application/json')
    yield case('member', 'right', {'payload': event().decode(), 'other': '1'}, 202)
    yield case('member', 'altered', {'payload': event().decode()}, 401, signed=b'', cause='wrong')
    yield case('member', 'without the field', {'other': '1'}, 422, text='the form has no field \\"payload\\"')
    yield case('member', 'no JSON in the field', b'payload=%7B', 400)
    yield case('member', 'as JSON', event(), 415, kind='application/json')


def of_arrays(_):
    def case(what, items, status, signed=None, **more):
        body = b'[' + b','.join(items) + b']'
        return Case('array', what, [('X-Signature', 'sha256=' + digest('array', body if signed is None else signed))], status, body, **more)
    yield case('two items', [event(), event()], 200, rows=2, text='ok')
    yield case('no item', [], 200, rows=0, text='ok')
    yield case('no item, signed wrong', [], 401, signed=b'[ ]', cause='wrong')
    yield case('an item that cannot be read', [event(), b'{}'], 422, text='"pointer":"/1/id"')
    body = event()
    yield Case('array', 'an object', [('X-Signature', 'sha256=' + digest('array', body))], 422, body, text='the body is no array')


def of_pings(_):
    yield Case('ping-form', 'a ping', [], 200, b'webhook_id=7', type=FORM, rows=0)
    yield Case('ping-form', 'another field beside it', [], 415, b'webhook_id=7&x=1', type=FORM)
    yield Case('ping-member', 'a ping', [], 200, b'{"type":"ping"}', rows=0, text='')
    yield Case('ping-member', 'another word', [], 401, event(type='pong'), cause='missing')
    yield Case('ping-member', 'a ping deeper', [], 401, event(data={'type': 'ping'}), cause='missing')
    yield Case('ping-header', 'a ping', [('X-GitHub-Event', 'ping')], 200, event(), rows=0)
    yield Case('ping-header', 'another word', [('X-GitHub-Event', 'pings')], 401, event(), cause='missing')
    zipped = [('Content-Encoding', 'gzip')]
    yield Case('ping-member', 'a ping in gzip', zipped, 401, gzip.compress(b'{"type":"ping"}'), cause='missing')
    yield Case('ping-header', 'a ping in gzip', [*zipped, ('X-GitHub-Event', 'ping')], 200, gzip.compress(event()), rows=0)
    for name in ('ping-form', 'ping-member'):
        body = event()
        yield Case(name, 'an event', [('X-Signature', digest(name, body))], 202 if name == 'ping-form' else 200, body)
    body = event()
    yield Case('ping-header', 'an event', [('X-Hub-Signature-256', 'sha256=' + digest('ping-header', body))], 202, body)


def of_answers(_):
    def case(name, what, body, status, signed=None, **more):
        return Case(name, what, [('X-Signature', digest(name, body if signed is None else signed))], status, body, **more)
    body = event(type='paid')
    yield case('answer', 'new', body, 200, text='[accepted]')
    yield case('answer', 'a conflict', altered(body), 200, rows=0, text='[accepted]')
    yield case('answer', 'ignored', event(type='other'), 200, rows=0, text='[accepted]')
    yield case('answer', 'altered', event(type='paid'), 401, signed=b'', cause='wrong')
    yield case('answer', 'invalid', event(type='paid', n='x'), 422)
    yield case('kept', 'new', event(), 204, text='')
    yield case('kept', 'one that cannot be mapped', event(n='x'), 204, rows=0, text='')
    yield case('kept', 'altered', event(n='x'), 401, signed=b'', cause='wrong')


GROUPS = [of_token, of_basic, of_basic_beside_a_signature, of_rsa, of_parts, of_several, of_time, of_keys, of_query, of_query_and_body,
          of_svix, of_gzip, of_forms, of_arrays, of_pings, of_answers]


def all_cases(folder):
    return [dataclasses.replace(case, group=group.__name__) for group in GROUPS for case in group(folder)]
