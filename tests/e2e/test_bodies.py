#!/usr/bin/env -S python3 -B
"""test_bodies.py - the forms in which providers send a body: types of JSON, arrays, forms, gzip; prints TAP.

Right and wrong signatures are made here, by Python's own hmac."""

import gzip
import hashlib
import hmac
import http.client
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[2]
CTL = pathlib.Path(os.environ.get('PAYHOOK_BUILD', ROOT / 'build')) / 'ctl/payhook-ctl'
PORT = 19000 + os.getpid() % 2000 * 3
MAPPING = {'transaction_id': {'at': '/id'}, 'source_account': {'value': 'payer'}, 'destination_account': {'value': 'payee'},
           'amount': {'at': '/n', 'unit': 'minor'}, 'currency': {'value': 'USD'}}


def source(name, **more):
    return {'name': name, 'scheme': 'github', 'secrets': [{'env': variable(name)}], 'mapping': MAPPING, **more}


def variable(name):
    return f'BODIES_{name.upper().replace("-", "_")}'


def secret(name):
    return f'a secret of the source {name}'


SOURCES = {'sources': [
    source('signed'),
    source('list', items='/events'),
    source('array', items=''),
    source('decoded', signed_encoding='decoded'),
    source('form', body='form'),
    source('member', body={'form_member': 'payload'}),
    source('member-array', body={'form_member': 'payload'}, items='', answer={'status': 200, 'body': 'ok'}),
]}
FORM = 'application/x-www-form-urlencoded'


class World:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.chmod(0o755)
        (self.folder / 'env').touch()
        (self.folder / 'sources.json').write_text(json.dumps(SOURCES))
        self.environment = dict(os.environ, PAYHOOK_ENV_FILE=f'{folder}/env', PAYHOOK_VAR=f'{folder}/var', PAYHOOK_PORT=str(PORT),
                                WORKER_METRICS_PORT=str(PORT + 2), SOURCES_FILE=f'{folder}/sources.json', PROCESSOR_DELAY_MS='0',
                                WORKER_GRACE_MS='200', **{variable(each['name']): secret(each['name']) for each in SOURCES['sources']})

    def payhook(self, *arguments, **more):
        ran = subprocess.run([ROOT / 'payhook', *arguments], env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **more)
        assert ran.returncode == 0, ran.stdout.decode()
        return ran.stdout.decode().strip()

    def start(self):
        self.payhook('up', '-d')
        self.psql = subprocess.Popen([ROOT / 'payhook', 'psql', '-X', '-q', '-At'], env=self.environment, text=True,
                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def stop(self):
        if hasattr(self, 'psql'):
            self.psql.communicate()
        self.payhook('down')

    def sql(self, text):
        """By one psql for all tests, as each start of it takes long on a busy machine."""
        self.psql.stdin.write(f'{text};\n\\echo END\n')
        self.psql.stdin.flush()
        lines = iter(lambda: self.psql.stdout.readline().rstrip('\n'), 'END')
        return '\n'.join(lines)

    def stored(self, name):
        return int(self.sql(f"SELECT count(*) FROM payhook.transactions WHERE source = '{name}'"))


def send(name, body, kind, headers):
    connection = http.client.HTTPConnection('127.0.0.1', PORT, timeout=10)
    connection.request('POST', f'/v1/webhooks/{name}', body, {'Content-Type': kind, **headers} if kind else headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text, dict(answer.getheaders())


def signature(name, body):
    return 'sha256=' + hmac.new(secret(name).encode(), body, hashlib.sha256).hexdigest()


def post(name, body, kind='application/json', signed=None, **headers):
    """signed: the bytes that are signed, if they are others than those that are sent."""
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    return send(name, body, kind, {'X-Hub-Signature-256': signature(name, signed if signed is not None else body), **headers})


def expect(answer, status, *texts):
    assert answer[0] == status and all(text in answer[1] for text in texts), f'{answer}, {status} {texts} wanted'


def event(name, **more):
    return {'id': name, 'n': 1000, **more}


def members_that_are_not_mapped_may_have_any_text_of_json(world):
    for number, member in enumerate(['"description":"cut \\ud83d"', '"x":"\\u0000"', '"\\udca9\\u0000":[{"y":"\\udca9\\ud83d"}]']):
        expect(post('signed', f'{{"id":"text_{number}","n":1000,{member}}}'.encode()), 202)
        canonical = f'{{"transaction_id":"text_{number}","source_account":"a","destination_account":"b","amount":1,"currency":"USD",{member}}}'
        expect(send('transactions', canonical, 'application/json', {}), 202)
    expect(post('signed', b'{"id":"cut \\ud83d","n":1}'), 422, '"pointer":"/id","code":"unpaired_surrogate"')
    expect(post('signed', b'{"id":"cut\\u0000","n":1}'), 422, '"pointer":"/id","code":"control_character"')
    assert world.sql("SELECT count(*) FROM payhook.transactions WHERE transaction_id LIKE 'cut%'") == '0'


def numbers_are_exact_however_they_are_written(world):
    for number, (written, amount) in enumerate([('1500.0', '15.00'), ('1.5e3', '15.00'), ('1.0E7', '100000.00'), ('1500', '15.00')]):
        expect(post('signed', f'{{"id":"number_{number}","n":{written}}}'.encode()), 202)
        assert world.sql(f"SELECT amount FROM payhook.transactions WHERE transaction_id = 'number_{number}'") == amount, written
        expect(post('signed', f'{{"id":"number_{number}","n":{float(amount) * 100:.0f}}}'.encode()), 202)
    expect(post('signed', b'{"id":"number","n":15.00}'), 422, 'not_minor_units')
    canonical = '{"transaction_id":"%s","source_account":"a","destination_account":"b","amount":%s,"currency":"USD"}'
    for number, (written, amount) in enumerate([('1500.0', '1500.0'), ('1.5e3', '1500'), ('125e-2', '1.25')]):
        expect(send('transactions', canonical % (f'plain_{number}', written), 'application/json', {}), 202)
        assert world.sql(f"SELECT amount FROM payhook.transactions WHERE transaction_id = 'plain_{number}'") == amount, written
    expect(send('transactions', canonical % ('far', '1e-9'), 'application/json', {}), 422, 'too_many_decimals')
    expect(send('transactions', canonical % ('far', '1e999999999999'), 'application/json', {}), 422, 'too_many_digits')
    assert world.sql("SELECT count(*) FROM payhook.transaction_conflicts") == '0'


def json_has_several_types(_):
    for kind in ('application/json; charset=UTF8', 'APPLICATION/JSON;charset="utf-8"', 'application/vnd.api+json',
                 'application/cloudevents+json; charset=utf8; v=1'):
        expect(post('signed', event('types'), kind), 202)
    expect(post('signed', event('types'), 'text/plain'), 415, 'its Content-Type is \\"text/plain\\"')
    expect(post('signed', event('types'), 'application/json; charset=latin1'), 415, 'its charset is \\"latin1\\"')
    expect(post('signed', event('types'), None), 415, 'without a Content-Type')
    expect(post('signed', b'id=1&n=1', FORM), 415, 'must be application/json')


def an_array_may_be_empty_if_it_is_signed(world):
    ignored = '{"message":"Ignored"}'
    expect(post('list', {'events': []}), 200, ignored)
    expect(post('list', {'events': []}, signed=b''), 401)
    expect(post('list', {}), 422, 'there is no array at /events')
    expect(post('array', []), 200, ignored)
    expect(post('array', [], signed=b'[ ]'), 401)
    expect(post('member-array', b'payload=%5B%5D', FORM), 200, 'ok')
    assert world.stored('list') == world.stored('array') == 0


def a_body_may_be_the_array(world):
    expect(post('array', [event('a_1'), event('a_2')]), 202)
    expect(post('array', [event('a_1'), event('a_2')]), 202)
    assert world.stored('array') == 2
    expect(post('array', [event('a_3'), {'id': ''}]), 422, '"pointer":"/1/id","code":"empty"')
    expect(post('array', event('a_4')), 422, 'the body is no array')
    expect(post('signed', [event('a_5')]), 400, 'there should be an object')
    assert world.stored('array') == 2


def five_hundred_and_twelve_items_are_stored_whole_or_not_at_all(world):
    items = [{'id': f'many_{number}', 'n': number} for number in range(512)]
    body = json.dumps(items, separators=(',', ':')).encode()
    assert len(body) < 65536
    expect(post('array', body), 202)
    assert world.sql("SELECT count(*) FROM payhook.transactions WHERE transaction_id LIKE 'many_%'") == '512'
    expect(post('array', body), 202)
    expect(post('array', items + [{'id': 'many', 'n': 1}]), 422, 'more than 512')
    expect(post('array', [{'id': f'more_{item["id"]}', 'n': 1} for item in items[:511]] + [{'id': 'more_last', 'n': -1}]), 422, '/511/n')
    assert world.sql("SELECT count(*) FROM payhook.transactions WHERE transaction_id LIKE 'more_%'") == '0'
    assert world.sql("SELECT count(*) FROM payhook.transactions WHERE transaction_id LIKE 'many%'") == '512'


def a_form_is_an_object_of_texts(world):
    body = urllib.parse.urlencode({'id': 'tr_7 é+&=', 'n': '1050', 'note': 'x'}).encode()
    expect(post('form', body, FORM), 202)
    assert world.sql("SELECT transaction_id, amount FROM payhook.transactions WHERE source = 'form'") == 'tr_7 é+&=|10.50'
    expect(post('form', body, f'{FORM}; charset=UTF-8'), 202)
    expect(post('form', body, FORM, signed=body + b'&'), 401)
    expect(post('form', event('1'), 'application/json'), 415, 'must be application/x-www-form-urlencoded')
    for wrong in (b'id=1&n=1&id=2', b'id=1&n=1&%69d=2', b'id=%zz&n=1', b'id=1&n=1&x=%', b'id=1%00&n=1', b'id=\0&n=1', b'id=%ff&n=1', 'id=é&n=1'.encode()):
        expect(post('form', wrong, FORM), 400)
        expect(post('form', wrong, FORM, signed=b''), 401)
    expect(post('form', b'id=&n=x', FORM), 422, '"pointer":"/id","code":"empty"', '"pointer":"/n","code":"not_a_decimal"')
    assert world.stored('form') == 1


def a_field_of_a_form_may_hold_json(world):
    body = urllib.parse.urlencode({'payload': json.dumps(event('hook', note='a&b=%'))}).encode()
    expect(post('member', body, FORM), 202)
    assert world.sql("SELECT transaction_id FROM payhook.transactions WHERE source = 'member'") == 'hook'
    expect(post('member', body + b'&payload=%7B%7D', FORM), 400, 'named twice')
    expect(post('member', b'other=1', FORM), 422, 'no field \\"payload\\"')
    expect(post('member', b'payload=%7B', FORM), 400, 'the text ends at byte 1')
    expect(post('member', body, FORM, signed=b''), 401)
    assert world.sql("SELECT convert_from(body, 'UTF8') FROM payhook.payloads WHERE source = 'member'").encode() == body, 'kept as it came'


GZIP = {'Content-Encoding': 'gzip'}


def a_body_in_gzip_is_signed_as_it_came(world):
    zipped = gzip.compress(json.dumps(event('zipped')).encode())
    expect(post('signed', zipped, **GZIP), 202)
    expect(post('signed', zipped, **{'content-encoding': 'X-GZIP'}), 202)
    expect(post('signed', json.dumps(event('zipped')).encode(), **{'Content-Encoding': 'identity'}), 202)
    expect(post('signed', zipped, signed=gzip.decompress(zipped), **GZIP), 401)
    expect(post('signed', zipped, signed=b'', **GZIP), 401)
    expect(post('signed', zipped), 400)
    kept = world.sql("SELECT encode(p.body, 'hex'), p.headers ->> 'content-encoding' FROM payhook.payloads p JOIN payhook.transactions t"
                     " USING (payload_id) WHERE t.transaction_id = 'zipped'")
    assert kept == f'{zipped.hex()}|gzip', kept
    shown = world.payhook('verify', 'signed', '--transaction', 'zipped')
    assert 'it verifies' in shown and 'transaction_id       zipped' in shown, shown


def a_body_in_gzip_may_be_signed_decoded(world):
    plain = json.dumps(event('unzipped')).encode()
    expect(post('decoded', gzip.compress(plain), signed=plain, **GZIP), 202)
    expect(post('decoded', gzip.compress(plain, 1), signed=plain, **GZIP), 202)
    expect(post('decoded', plain), 202)
    expect(post('decoded', gzip.compress(plain), **GZIP), 401)
    expect(post('decoded', gzip.compress(plain)[:-1], signed=plain, **GZIP), 401)
    expect(post('decoded', plain, **GZIP), 401)
    expect(post('decoded', gzip.compress(bytes(70000)), **GZIP), 413, 'decodes to more than 65536 bytes')
    assert world.stored('decoded') == 1
    shown = world.payhook('verify', 'decoded', '--transaction', 'unzipped')
    assert 'it verifies' in shown and 'transaction_id       unzipped' in shown, shown


def other_codings_and_broken_gzip_are_refused(world):
    zipped = gzip.compress(json.dumps(event('broken')).encode())
    for coding in ('br', 'deflate', 'gzip, gzip', 'zstd'):
        answer = post('signed', zipped, **{'Content-Encoding': coding})
        expect(answer, 415, f'the Content-Encoding \\"{coding}\\" is not taken')
        assert answer[2].get('Accept-Encoding') == 'gzip, identity', answer
    assert 'Accept-Encoding' not in post('signed', zipped, 'text/plain')[2]
    for broken in (zipped + zipped, zipped + b'\0', zipped[:-1], zipped[:-8] + bytes(8), b'', b'{}'):
        expect(post('signed', broken, **GZIP), 400, 'not one member of gzip')
        expect(post('signed', broken, signed=b'-', **GZIP), 401)
    expect(post('signed', gzip.compress(bytes(5000000)), **GZIP), 413, 'decodes to more than 65536 bytes')
    expect(post('signed', gzip.compress(bytes(5000000)), signed=b'-', **GZIP), 401)
    expect(post('signed', gzip.compress(b'{"id":'), **GZIP), 400, 'the text ends at byte 6')
    canonical = b'{"transaction_id":"open","source_account":"a","destination_account":"b","amount":1,"currency":"USD"}'
    expect(send('transactions', gzip.compress(canonical), 'application/json', GZIP), 202)
    form = b'id=form_1&n=5'
    expect(post('form', gzip.compress(form), FORM, **GZIP), 202)
    assert world.sql("SELECT count(*) FROM payhook.transactions WHERE transaction_id IN ('open', 'form_1')") == '2'


def a_conflict_in_gzip_is_shown(world):
    expect(post('signed', gzip.compress(json.dumps(event('clash')).encode()), **GZIP), 202)
    other = gzip.compress(json.dumps({'id': 'clash', 'n': 7}).encode())
    expect(post('signed', other, **GZIP), 202)
    assert world.sql("SELECT body FROM payhook.conflicts WHERE transaction_id = 'clash'") == '\\x' + other.hex()


def requests_are_verified_and_read_by_the_command_too(world):
    def verify(name, body, kind, *headers):
        head = [f'POST /v1/webhooks/{name} HTTP/1.1', f'Content-Type: {kind}', f'X-Hub-Signature-256: {signature(name, body)}', *headers]
        ran = subprocess.run([CTL, 'verify', name], env=world.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             input='\r\n'.join([*head, '', '']).encode() + body)
        return ran.stdout.decode()

    for name, body, kind, wanted in (('form', b'id=f_1&n=100', FORM, 'transaction_id       f_1'),
                                       ('form', b'id=f_1&id=2', FORM, 'answer     400: '),
                                       ('form', b'{}', 'application/json', 'answer     415: '),
                                       ('member', b'payload=%7B%22id%22:%22g%22,%22n%22:1%7D', FORM, 'transaction_id       g'),
                                       ('array', b'[{"id":"h","n":1}]', 'application/json', 'item 0'),
                                       ('array', b'[]', 'application/json', 'answer     200: ignored'),
                                       ('list', b'{"events":[]}', 'application/json', 'answer     200: ignored')):
        shown = verify(name, body, kind)
        assert wanted in shown, f'{wanted}: {shown}'
    zipped = gzip.compress(b'{"id":"z","n":1}')
    shown = verify('signed', zipped, 'application/json', 'Content-Encoding: gzip')
    assert 'it verifies' in shown and 'transaction_id       z' in shown, shown
    shown = verify('decoded', zipped, 'application/json', 'Content-Encoding: gzip')
    assert 'it does not verify' in shown, shown
    for body, status in ((gzip.compress(bytes(70000)), 413), (zipped[:-1], 401)):
        shown = verify('decoded', body, 'application/json', 'Content-Encoding: gzip')
        assert f'it does not verify, and is answered {status}' in shown, shown
    assert 'answer     415: its Content-Encoding' in verify('signed', zipped, 'application/json', 'Content-Encoding: br')
    assert 'answer     400: ' in verify('signed', zipped[:-1], 'application/json', 'Content-Encoding: gzip')


tests = [members_that_are_not_mapped_may_have_any_text_of_json, numbers_are_exact_however_they_are_written, json_has_several_types,
         an_array_may_be_empty_if_it_is_signed, a_body_may_be_the_array, five_hundred_and_twelve_items_are_stored_whole_or_not_at_all,
         a_form_is_an_object_of_texts, a_field_of_a_form_may_hold_json, a_body_in_gzip_is_signed_as_it_came,
         a_body_in_gzip_may_be_signed_decoded, other_codings_and_broken_gzip_are_refused, a_conflict_in_gzip_is_shown, requests_are_verified_and_read_by_the_command_too]


def main():
    failed = 0
    print(f'1..{len(tests)}', flush=True)
    with tempfile.TemporaryDirectory(prefix='payhook-bodies-') as folder:
        world = World(folder)
        try:
            world.start()
            for number, each in enumerate(tests, 1):
                problem = None
                try:
                    each(world)
                except AssertionError as error:
                    problem, failed = error, failed + 1
                print(f'{"not ok" if problem else "ok"} {number} - {each.__name__.replace("_", " ")}', flush=True)
                if problem:
                    print(f'# {problem}', flush=True)
        except (AssertionError, OSError, subprocess.CalledProcessError) as error:
            print(f'Bail out! {error}')
            failed += 1
        finally:
            world.stop()
    sys.exit(failed > 0)


main()
