#!/usr/bin/env -S python3 -B
"""test_invalid_webhooks.py - a webhook that cannot be read leaves its reason, or is kept until it can be mapped; prints TAP.

The source "bank" keeps what it cannot map, "card" refuses it, and "open" has no scheme."""

import hashlib
import hmac
import http.client
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PORT = 13000 + os.getpid() % 2000 * 3
SECRETS = {'bank': b'the secret of the bank, long enough', 'card': b'the secret of the card, long enough'}
SECRET_WORD = 'zoe-account-4711'  # in bodies: it may be in no log and in no reason


def source(name, **more):
    return {'name': name, 'scheme': 'hmac', 'secrets': [{'file': name}], 'header': 'x-signature', 'algorithm': 'sha256',
            'encoding': 'hex', 'items': '/events', 'mapping': mapping('/sum')} | more


def mapping(amount):
    return {'transaction_id': {'at': '/id'}, 'source_account': {'at': '/from'}, 'destination_account': {'value': 'us'},
            'amount': {'at': amount, 'unit': 'major'}, 'currency': {'at': '/currency'}}


class World:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.chmod(0o755)
        (self.folder / 'env').touch()
        for name, secret in SECRETS.items():
            (self.folder / name).write_bytes(secret)
        self.write(mapping('/sum'))
        self.environment = dict(os.environ, PAYHOOK_ENV_FILE=f'{folder}/env', PAYHOOK_VAR=f'{folder}/var', PAYHOOK_PORT=str(PORT),
                                WORKER_METRICS_PORT=str(PORT + 2), SOURCES_FILE=f'{folder}/sources.json', PROCESSOR_DELAY_MS='10',
                                WORKER_GRACE_MS='200')

    def write(self, of_bank):
        sources = [source('bank', unreadable='keep', answer={'status': 200, 'body': 'taken'}, mapping=of_bank), source('card'),
                   {'name': 'open', 'scheme': 'none'}]
        (self.folder / 'sources.json').write_text(json.dumps({'sources': sources}))

    def payhook(self, *arguments):
        ran = subprocess.run([ROOT / 'payhook', *arguments], env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert ran.returncode == 0, ran.stdout.decode()
        return ran.stdout.decode().strip()

    def sql(self, text):
        return self.payhook('psql', '-X', '-q', '-At', '-c', text)

    def logs(self):
        return ''.join(path.read_text(errors='replace') for path in (self.folder / 'var/log').iterdir())


def post(name, body, signed=True, content_type='application/json'):
    headers = {'Content-Type': content_type}
    if name in SECRETS:
        headers['X-Signature'] = hmac.new(SECRETS[name] if signed else b'other', body, hashlib.sha256).hexdigest()
    connection = http.client.HTTPConnection('127.0.0.1', PORT, timeout=10)
    connection.request('POST', f'/v1/webhooks/{name}', body, headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


def events(*items):
    return json.dumps({'events': list(items)}).encode()


def item(name, amount='1.00', **more):
    return {'id': name, 'from': SECRET_WORD, 'sum': amount, 'currency': 'EUR'} | more


def until(what, condition):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, f'not within 20 s: {what}'
        time.sleep(0.02)


def metric(line):
    connection = http.client.HTTPConnection('127.0.0.1', PORT, timeout=10)
    connection.request('GET', '/metrics')
    text = connection.getresponse().read().decode()
    connection.close()
    return next((float(each.rsplit(' ', 1)[1]) for each in text.splitlines() if each.startswith(line + ' ')), None)


def recorded(world, where):
    return world.sql(f"SELECT status || ' ' || is_verified || ' ' || problems FROM payhook.validation_errors WHERE {where}")


def a_validation_error_leaves_pointers_and_codes_and_no_values(world):
    status, _ = post('card', events(item('c1'), item('c2', '1.005'), item('c3')))
    assert status == 422, status
    until('the row is there', lambda: recorded(world, "source = 'card'"))
    found = recorded(world, "source = 'card'")
    assert found == '422 true /events/1/sum too_many_decimals', found
    assert world.sql("SELECT count(*) FROM payhook.transactions WHERE source = 'card'") == '0'
    line = next(json.loads(line) for line in world.logs().splitlines() if '"webhook is invalid"' in line)
    assert line['source'] == 'card' and line['problems'] == '/events/1/sum too_many_decimals', line
    assert line['signature'] == 'verified' and line['status'] == 422 and len(line['request_id']) == 32, line
    shown = world.sql("SELECT request_id FROM payhook.validation_errors WHERE source = 'card'")
    assert shown == line['request_id'], shown


def what_anyone_may_send_is_kept_apart(world):
    assert post('open', b'{"a":1,')[0] == 400
    assert post('card', events(item('c4')), content_type='text/plain')[0] == 415
    until('the rows are there', lambda: recorded(world, "source = 'open'") and recorded(world, 'status = 415'))
    assert recorded(world, "source = 'open'") == '400 false malformed'
    assert recorded(world, 'status = 415') == '415 false media_type'


def each_source_is_counted(world):
    assert post('card', events(item('c5')))[0] == 202
    assert post('card', events(item('c6')), signed=False)[0] == 401
    series = 'payhook_source_webhooks_total{source="card",outcome="%s"}'
    assert metric(series % 'accepted') == 1, metric(series % 'accepted')
    assert metric(series % 'refused') == 1, metric(series % 'refused')
    assert metric(series % 'unverified') == 2, metric(series % 'unverified')
    last = metric('payhook_source_last_accepted_timestamp_seconds{source="card"}')
    assert abs(last - time.time()) < 60, last
    assert metric('payhook_source_last_accepted_timestamp_seconds{source="open"}') is None


def one_bad_item_keeps_no_other_out(world):
    body = events(item('b1'), item('b2', total='7.50', sum=None), item('b3'))
    for _ in range(2):
        status, text = post('bank', body)
        assert (status, text) == (200, 'taken'), (status, text)
    stored = world.sql("SELECT string_agg(transaction_id, ',' ORDER BY transaction_id) FROM payhook.transactions WHERE source = 'bank'")
    assert stored == 'b1,b3', stored
    kept = world.sql("SELECT source || ' ' || count || ' ' || reason FROM payhook.unreadable")
    assert kept == 'bank 2 /events/1/sum wrong_type', kept
    assert metric('payhook_webhooks_total{outcome="unreadable"}') == 2
    assert metric('payhook_source_webhooks_total{source="bank",outcome="accepted"}') == 2


def what_is_no_json_or_has_no_items_is_kept_and_what_is_signed_wrong_is_not(world):
    assert post('bank', b'no JSON')[0] == 200
    assert post('bank', b'{"events": 7}')[0] == 200
    assert post('bank', events(item('b4'), item('b5', '1'), item('b5', '2')))[0] == 200
    assert post('bank', b'no JSON either', signed=False)[0] == 401
    reasons = world.sql("SELECT string_agg(reason, ',' ORDER BY unreadable_id) FROM payhook.unreadable")
    assert reasons == '/events/1/sum wrong_type,malformed,items,items_differ', reasons
    assert world.sql("SELECT count(*) FROM payhook.transactions WHERE transaction_id = 'b5'") == '0'
    assert world.sql("SELECT count(*) FROM payhook.transactions WHERE transaction_id = 'b4'") == '1'


def remap_stores_them_when_the_mapping_fits(world):
    before = world.sql('SELECT count(*) FROM payhook.transactions')
    assert 'nothing was changed' in world.payhook('remap', '--dry-run')
    assert world.sql('SELECT count(*) FROM payhook.transactions') == before
    world.write(mapping('/total'))
    world.payhook('reload')
    report = world.payhook('remap', 'bank')
    assert '1 transactions new, 0 duplicates, 0 conflicts; stays, as 2 cannot be read' in report, report
    world.write(mapping('/sum'))
    world.payhook('reload')
    assert world.sql("SELECT amount FROM payhook.transactions WHERE transaction_id = 'b2'") == '7.50'
    until('it is processed', lambda: world.sql("SELECT status FROM payhook.transactions WHERE transaction_id = 'b2'") == 'PROCESSED')


def a_source_has_room_for_ten_thousand(world):
    world.sql("INSERT INTO payhook.unreadable_webhooks (source, body_sha256, content_type, headers, body, reason)"
              " SELECT 'bank', sha256(n::text::bytea), '', '{}', n::text::bytea, '' FROM generate_series(1,"
              " 10000 - (SELECT count(*) FROM payhook.unreadable_webhooks WHERE source = 'bank')) n")
    assert post('bank', events(item('b6', 'x'), item('b7')))[0] == 422
    assert world.sql("SELECT count(*) FROM payhook.transactions WHERE transaction_id = 'b7'") == '0'
    assert post('bank', b'no JSON')[0] == 200, 'it is kept already'
    until('the refusal is there', lambda: recorded(world, "source = 'bank'"))
    assert recorded(world, "source = 'bank'") == '422 true /events/0/sum not_a_decimal'
    assert post('bank', events(item('b8')))[0] == 200


def forget_and_backup_have_them(world):
    backup = world.folder / 'backup'
    world.payhook('backup', str(backup))
    assert backup.stat().st_size > 0
    names = world.sql(f"SELECT count(*) FROM payhook.unreadable_webhooks WHERE payhook.body_names(body, '{SECRET_WORD}')")
    assert int(names) > 0, names
    receipt = world.payhook('forget', '--account', SECRET_WORD, '--yes')
    assert f'erased    {names} webhooks that could not be read' in receipt, receipt


def no_value_of_a_body_is_in_the_logs(world):
    assert SECRET_WORD not in world.logs() and 'no JSON' not in world.logs()


def main():
    tests = [a_validation_error_leaves_pointers_and_codes_and_no_values, what_anyone_may_send_is_kept_apart, each_source_is_counted,
             one_bad_item_keeps_no_other_out, what_is_no_json_or_has_no_items_is_kept_and_what_is_signed_wrong_is_not,
             remap_stores_them_when_the_mapping_fits, a_source_has_room_for_ten_thousand, forget_and_backup_have_them,
             no_value_of_a_body_is_in_the_logs]
    failed = 0
    print(f'1..{len(tests)}', flush=True)
    with tempfile.TemporaryDirectory(prefix='payhook-invalid-', dir='/tmp') as folder:
        world = World(folder)
        try:
            world.payhook('up', '-d')
            for number, each in enumerate(tests, 1):
                name, problem = each.__name__.replace('_', ' '), None
                try:
                    each(world)
                except (AssertionError, OSError, StopIteration) as error:
                    problem, failed = error, failed + 1
                print(f'{"not ok" if problem else "ok"} {number} - {name}', flush=True)
                if problem:
                    print(*(f'# {line}' for line in repr(problem).splitlines()), sep='\n', flush=True)
        except AssertionError as error:
            print(f'Bail out! {error}')
            failed += 1
        finally:
            world.payhook('down')
    sys.exit(failed > 0)


main()
