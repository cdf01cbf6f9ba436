#!/usr/bin/env -S python3 -B
"""test_lives.py - the life of a payment, from the webhooks of five providers to GET /v1/payments; prints TAP.

The sources and the webhooks are those of docs/sources, without signatures.  Each webhook comes twice, in a random order; of three
sources the processor gets the events of a payment one at a time, in the order in which they came."""

import http.client
import http.server
import json
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PORT = 13000 + os.getpid() % 2000 * 3
PROVIDERS = ('stripe', 'adyen', 'razorpay', 'square', 'paypal')
# What each life comes to: the payment, how many events it has, its currency, and the greatest authorisation.
LIVES = {'stripe': ('pi_3PayhookLife0001', 8, 'USD', '1000.00'), 'adyen': ('PAYHOOKLIFE00001', 10, 'EUR', '1200.00'),
         'razorpay': ('pay_PayhookLife00001', 7, 'INR', '1000.00'),
         'square': ('PayhookLifePayment000000001ZY', 8, 'USD', '1000.00'),
         'paypal': ('0PAYHOOKLIFE00001', 6, 'USD', None)}
IN_ORDER = ('razorpay', 'square', 'paypal')
SEED = random.SystemRandom().randrange(1 << 32)


class Processor(http.server.ThreadingHTTPServer):
    """Records the calls in the order in which they begin, and calls of one payment that overlap."""

    request_queue_size = 1024  # a connection that finds no room there is a failed call

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = 'HTTP/1.1'

        def do_POST(self):
            call = json.loads(self.rfile.read(int(self.headers['Content-Length'])))
            payment = (call['source'], call['payment_id'])
            server = self.server
            with server.lock:
                server.overlaps += call['source'] in IN_ORDER and payment in server.under_way
                server.under_way.add(payment)
                server.calls.append(call)
            time.sleep(0.002)  # time in which a second call would overlap
            with server.lock:
                server.under_way.discard(payment)
            self.send_response(200)
            self.send_header('Content-Length', '0')
            self.end_headers()

        def log_message(self, *_):
            pass

    def __init__(self):
        super().__init__(('127.0.0.1', 0), self.Handler)
        self.lock, self.calls, self.under_way, self.overlaps = threading.Lock(), [], set(), 0
        threading.Thread(target=self.serve_forever, daemon=True).start()


def read_source(provider):
    """The source of an example, which anybody may send to, with its events in order."""
    source = json.loads((ROOT / f'docs/sources/{provider}/sources.json').read_text())['sources'][0]
    kept = {name: source[name] for name in ('name', 'items', 'filter', 'mapping', 'events') if name in source}
    kept['scheme'] = 'none'
    return dict(kept, order='payment') if provider in IN_ORDER else kept


class World:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.chmod(0o755)
        (self.folder / 'env').touch()
        # Thin events and reports are about no payment, so Stripe's and Adyen's sources are in no order.
        (self.folder / 'sources.json').write_text(json.dumps({'sources': [read_source(each) for each in PROVIDERS]}))
        self.processor = Processor()
        self.environment = dict(os.environ, PAYHOOK_ENV_FILE=f'{folder}/env', PAYHOOK_VAR=f'{folder}/var', PAYHOOK_PORT=str(PORT),
                                WORKER_METRICS_PORT=str(PORT + 2), SOURCES_FILE=f'{folder}/sources.json', PROCESSOR='http',
                                PROCESSOR_URL=f'http://127.0.0.1:{self.processor.server_port}/', WORKER_GRACE_MS='200')

    def payhook(self, *arguments):
        ran = subprocess.run([ROOT / 'payhook', *arguments], env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert ran.returncode == 0, ran.stderr.decode()
        return ran.stdout

    def sql(self, text):
        return self.payhook('psql', '-X', '-q', '-At', '-c', text).decode().strip()


def request(method, path, body=None):
    connection = http.client.HTTPConnection('127.0.0.1', PORT, timeout=10)
    connection.request(method, path, body, {'Content-Type': 'application/json'} if body else {})
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, json.loads(text) if text else None


def post(provider, event):
    status, answer = request('POST', f'/v1/webhooks/{provider}', json.dumps(event))
    assert status in (200, 202), f'{provider}: {status} {answer}'
    return status


def payment(provider, name):
    status, answer = request('GET', f'/v1/payments/{name}?source={provider}')
    assert status == 200, f'{provider}: {status} {answer}'
    return answer


def life(provider):
    return json.loads((ROOT / f'docs/sources/{provider}/life.json').read_text())['events']


def await_all(world):
    deadline = time.monotonic() + 30
    while (left := world.sql("SELECT count(*) FROM payhook.transactions WHERE status <> 'PROCESSED'")) != '0':
        assert time.monotonic() < deadline, f'{left} are not processed'
        time.sleep(0.05)


def a_whole_life_has_one_state_in_any_order(world):
    events = [(provider, event) for provider in PROVIDERS for event in life(provider)] * 2
    random.Random(SEED).shuffle(events)
    for provider, event in events:
        post(provider, event)
    for provider, (name, count, currency, authorised) in LIVES.items():
        found = payment(provider, name)
        assert found['state'] == 'charged_back', f'{provider}: {found["state"]}'
        assert found['currency'] == currency and found['events_total'] == len(found['events']) == count, found
        captured = '1200.00' if provider == 'adyen' else '1000.00'
        lost = '800.00' if provider == 'adyen' else '600.00'
        wanted = {'authorised': authorised, 'captured': captured, 'refunded': '400.00', 'disputed': '0.00', 'lost': lost,
                  'paid_out': '0.00'}
        assert found['sums'] == wanted, f'{provider}: {found["sums"]}'
        assert found['anomalies'] == [], f'{provider}: {found["anomalies"]}'
        times = [event['occurred_at'] for event in found['events']]
        assert times == sorted(times), times


def each_event_is_processed_once_and_those_of_a_payment_one_at_a_time(world):
    await_all(world)
    with world.processor.lock:
        calls = list(world.processor.calls)
    names = [(call['source'], call['transaction_id']) for call in calls]
    stored = int(world.sql('SELECT count(*) FROM payhook.transactions'))
    assert len(names) == len(set(names)) == stored, f'{len(names)} calls for {len(set(names))} of {stored} transactions'
    assert world.processor.overlaps == 0, f'{world.processor.overlaps} calls began beside another of their payment'
    for provider in IN_ORDER:
        lanes = world.sql("SELECT payment_id, string_agg(transaction_id, ' ' ORDER BY created_at, payload_id) FROM payhook.transactions"
                          f" WHERE source = '{provider}' AND payment_id IS NOT NULL GROUP BY payment_id").splitlines()
        assert lanes, provider
        for name, order in (lane.split('|') for lane in lanes):
            called = [call['transaction_id'] for call in calls if (call['source'], call['payment_id']) == (provider, name)]
            assert called == order.split(), f'{provider}, {name}: {called} {order}'


def the_call_names_what_happened(world):
    with world.processor.lock:
        calls = {call['transaction_id']: call for call in world.processor.calls}
    call, thin = calls['refund.processed:rfnd_PayhookLife0001:1771602401'], calls['evt_test_65PayhookLife0010']
    assert call['source'] == 'razorpay' and call['kind'] == 'refunded' and call['payment_id'] == 'pay_PayhookLife00001', call
    assert call['amount_text'] == '250.00' and call['amount'] == 250 and call['occurred_at'].startswith('2026-02-20T'), call
    assert thin['amount'] is None and thin['amount_text'] is None and thin['currency'] is None, thin


def a_refund_of_the_whole_amount_is_an_event_of_its_own(world):
    """The worst thing that payhook did: id at the payment, the amount of the capture, and no trace of the refund."""
    for kind, event in (('captured', life('square')[1]), ('refunded', life('square')[4])):
        text = json.dumps(event).replace('11111111-2222-4333-8444-', f'{kind}-')
        text = text.replace('PayhookLifePayment000000001ZY', 'pay_whole')
        text = re.sub(r'("amount_money": \{"amount": )\d+', r'\g<1>100000', text)
        assert post('square', json.loads(text)) == 202
    found = payment('square', 'pay_whole')
    assert found['state'] == 'refunded' and found['events_total'] == 2, found
    assert found['sums']['captured'] == found['sums']['refunded'] == '1000.00', found['sums']


def a_reload_beside_an_older_worker_leaves_the_responders_as_they_are(world):
    await_all(world)
    world.sql('INSERT INTO payhook.workers (owner, host, pid, version, beat_at)'
              " VALUES (1, 'old.example', 1, '0.1.0', now() + interval '1 min')")
    pool = world.folder / 'var/log/pool.log'
    before = len(pool.read_bytes())
    done = subprocess.run([ROOT / 'payhook', 'reload'], env=world.environment, capture_output=True, text=True)
    assert done.returncode == 2 and 'old.example' in done.stderr and '0.1.0' in done.stderr, (done.returncode, done.stderr)
    assert request('GET', '/readyz')[0] == 200
    assert b'responder drains' not in pool.read_bytes()[before:]


def a_responder_does_not_start_beside_an_older_worker(world):
    log = world.folder / 'var/log/pool.log'
    before = len(log.read_bytes())
    status = subprocess.run([ROOT / 'payhook', 'status'], env=world.environment, capture_output=True, text=True).stdout
    os.kill(int(re.search(r'pool +pid (\d+)', status)[1]), signal.SIGUSR2)
    deadline = time.monotonic() + 20
    while b'responder cannot start' not in (text := log.read_bytes()[before:]):
        assert time.monotonic() < deadline, text[-500:]
        time.sleep(0.05)
    assert b'old.example' in text and b'0.1.0' in text
    world.sql('DELETE FROM payhook.workers WHERE owner = 1')
    while request('GET', '/readyz')[0] != 200:
        assert time.monotonic() < deadline, 'it does not start again'
        time.sleep(0.05)


tests = [a_whole_life_has_one_state_in_any_order, each_event_is_processed_once_and_those_of_a_payment_one_at_a_time,
         the_call_names_what_happened, a_refund_of_the_whole_amount_is_an_event_of_its_own,
         a_reload_beside_an_older_worker_leaves_the_responders_as_they_are,
         a_responder_does_not_start_beside_an_older_worker]


def main():
    failed = 0
    print(f'1..{len(tests)}', flush=True)
    print(f'# the orders are those of seed {SEED}', flush=True)
    with tempfile.TemporaryDirectory(prefix='payhook-lives-') as folder:
        world = World(folder)
        try:
            world.payhook('up', '-d')
            for number, each in enumerate(tests, 1):
                problem = None
                try:
                    each(world)
                except (AssertionError, KeyError, ValueError) as error:
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
