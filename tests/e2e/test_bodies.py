#!/usr/bin/env -S python3 -B
"""test_bodies.py - the forms in which providers send a body: types of JSON, arrays, forms; prints TAP.

Right and wrong signatures are made here, by Python's own hmac."""

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
PORT = 19000 + os.getpid() % 2000 * 3
SECRET = 'a secret of the bodies'
MAPPING = {'transaction_id': {'at': '/id'}, 'source_account': {'value': 'payer'}, 'destination_account': {'value': 'payee'},
           'amount': {'at': '/n', 'unit': 'minor'}, 'currency': {'value': 'USD'}}
SIGNED = {'scheme': 'github', 'secrets': [{'env': 'BODIES_SECRET'}], 'mapping': MAPPING}
SOURCES = {'sources': [
    {'name': 'signed', **SIGNED},
    {'name': 'list', **SIGNED, 'items': '/events'},
    {'name': 'array', **SIGNED, 'items': ''},
    {'name': 'form', **SIGNED, 'body': 'form'},
    {'name': 'member', **SIGNED, 'body': {'form_member': 'payload'}},
    {'name': 'member-array', **SIGNED, 'body': {'form_member': 'payload'}, 'items': '', 'answer': {'status': 200, 'body': 'ok'}},
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
                                WORKER_GRACE_MS='200', BODIES_SECRET=SECRET)

    def payhook(self, *arguments, **more):
        ran = subprocess.run([ROOT / 'payhook', *arguments], env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **more)
        assert ran.returncode == 0, ran.stdout.decode()
        return ran.stdout.decode().strip()

    def sql(self, text):
        return self.payhook('psql', '-X', '-q', '-At', '-c', text)

    def stored(self, source):
        return int(self.sql(f"SELECT count(*) FROM payhook.transactions WHERE source = '{source}'"))


def send(source, body, kind, headers):
    connection = http.client.HTTPConnection('127.0.0.1', PORT, timeout=10)
    connection.request('POST', f'/v1/webhooks/{source}', body, {'Content-Type': kind, **headers} if kind else headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text, dict(answer.getheaders())


def signature(body):
    return 'sha256=' + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()


def post(source, body, kind='application/json', signed=None, **headers):
    """signed: the bytes that are signed, if they are others than those that are sent."""
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    return send(source, body, kind, {'X-Hub-Signature-256': signature(signed if signed is not None else body), **headers})


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
    for wrong in (b'id=1&n=1&id=2', b'id=1&n=1&%69d=2', b'id=%zz&n=1', b'id=1&n=1&x=%', b'id=1%00&n=1', b'id=\0&n=1', b'id=%ff&n=1'):
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


def requests_are_verified_and_read_by_the_command_too(world):
    def verify(source, body, kind, *headers):
        head = [f'POST /v1/webhooks/{source} HTTP/1.1', f'Content-Type: {kind}', f'X-Hub-Signature-256: {signature(body)}', *headers]
        ran = subprocess.run([ROOT / 'payhook', 'verify', source], env=world.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             input='\r\n'.join([*head, '', '']).encode() + body)
        return ran.stdout.decode()

    for source, body, kind, wanted in (('form', b'id=f_1&n=100', FORM, 'transaction_id       f_1'),
                                       ('form', b'id=f_1&id=2', FORM, 'answer     400: '),
                                       ('form', b'{}', 'application/json', 'answer     415: '),
                                       ('member', b'payload=%7B%22id%22:%22g%22,%22n%22:1%7D', FORM, 'transaction_id       g'),
                                       ('array', b'[{"id":"h","n":1}]', 'application/json', 'item 0'),
                                       ('array', b'[]', 'application/json', 'answer     200: ignored'),
                                       ('list', b'{"events":[]}', 'application/json', 'answer     200: ignored')):
        shown = verify(source, body, kind)
        assert wanted in shown, f'{wanted}: {shown}'


tests = [members_that_are_not_mapped_may_have_any_text_of_json, numbers_are_exact_however_they_are_written, json_has_several_types,
         an_array_may_be_empty_if_it_is_signed, a_body_may_be_the_array, five_hundred_and_twelve_items_are_stored_whole_or_not_at_all,
         a_form_is_an_object_of_texts, a_field_of_a_form_may_hold_json, requests_are_verified_and_read_by_the_command_too]


def main():
    failed = 0
    print(f'1..{len(tests)}', flush=True)
    with tempfile.TemporaryDirectory(prefix='payhook-bodies-') as folder:
        world = World(folder)
        try:
            world.payhook('up', '-d')
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
            world.payhook('down')
    sys.exit(failed > 0)


main()
