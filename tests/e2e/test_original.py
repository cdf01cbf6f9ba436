#!/usr/bin/env -S python3 -B
"""test_original.py - PROCESSOR_BODY=original: a handler for a provider's payload works behind payhook as it did without; prints TAP.

The source is the example of docs/sources/stripe.  The processor of the test verifies Stripe's signature by itself."""

import hashlib
import hmac
import http.client
import http.server
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / 'docs/sources/stripe'
PORT = 13000 + os.getpid() % 2000 * 3
SECRET = (EXAMPLE / 'secret').read_bytes().strip()
MARK = 'Zo\u00eb\u2019s secret order'  # in every body


class Processor(http.server.ThreadingHTTPServer):
    """Records each call as (headers, body).  Answers with the next of its statuses, then 200."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = 'HTTP/1.1'

        def do_POST(self):
            body = self.rfile.read(int(self.headers['Content-Length']))
            with self.server.lock:
                self.server.calls.append((self.headers, body))
                status = self.server.statuses.pop(0) if self.server.statuses else 200
            self.send_response(status)
            self.send_header('Content-Length', '0')
            self.end_headers()

        def log_message(self, *_):
            pass

    def __init__(self):
        super().__init__(('127.0.0.1', 0), self.Handler)
        self.lock, self.calls, self.statuses = threading.Lock(), [], []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def calls_of(self, name):
        with self.lock:
            return [call for call in self.calls if call[0]['X-Payhook-Transaction-Id'] == name]


class World:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.chmod(0o755)
        (self.folder / 'env').touch()
        for name in ('sources.json', 'secret'):
            shutil.copy(EXAMPLE / name, self.folder)
        self.processor = Processor()
        self.environment = dict(os.environ, PAYHOOK_ENV_FILE=f'{folder}/env', PAYHOOK_VAR=f'{folder}/var', PAYHOOK_PORT=str(PORT),
                                WORKER_METRICS_PORT=str(PORT + 2), SOURCES_FILE=f'{folder}/sources.json', PROCESSOR='http',
                                PROCESSOR_URL=f'http://127.0.0.1:{self.processor.server_port}/stripe', PROCESSOR_BODY='original',
                                WORKER_GRACE_MS='200', LOG_LEVEL='debug')

    def payhook(self, *arguments):
        ran = subprocess.run([ROOT / 'payhook', *arguments], env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert ran.returncode == 0, ran.stderr.decode()
        return ran.stdout

    def sql(self, text):
        return self.payhook('psql', '-X', '-q', '-At', '-c', text).decode().strip()


def webhook(name, filler=0):
    """A body with what a parser and a printer would change: spaces, an escape, a line end, bytes beyond ASCII."""
    body = (EXAMPLE / 'payload.json').read_text().replace('evt_3PayhookExample0001', name)
    body = body.replace('"object": "event",', f'"object":\t"event", "note": "{MARK}", "escaped": "\\u0041\\/", "filler": "{"x" * filler}",')
    return (body + '\r\n').encode()


def signature(body, when):
    return f't={when},v1=' + hmac.new(SECRET, f'{when}.'.encode() + body, hashlib.sha256).hexdigest()


def post(body, signed):
    connection = http.client.HTTPConnection('127.0.0.1', PORT, timeout=10)
    connection.request('POST', '/v1/webhooks/stripe', body, {
        'Content-Type': 'application/json; charset=utf-8', 'Stripe-Signature': signed, 'User-Agent': 'Stripe/1.0',
        'Authorization': 'Bearer of-a-gateway'})
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    assert answer.status == 202, f'{answer.status} {text}'


def await_calls(world, name, count):
    deadline = time.monotonic() + 20
    while len(world.processor.calls_of(name)) < count:
        assert time.monotonic() < deadline, f'{len(world.processor.calls_of(name))} calls of {name}'
        time.sleep(0.02)
    return world.processor.calls_of(name)


def await_status(world, name, status):
    deadline = time.monotonic() + 20
    while (found := world.sql(f"SELECT status FROM payhook.transactions WHERE transaction_id = '{name}'")) != status:
        assert time.monotonic() < deadline, found


def verified(headers, body):
    """As Stripe's libraries do it, apart from the age."""
    parts = dict(part.split('=', 1) for part in headers['Stripe-Signature'].split(','))
    wanted = hmac.new(SECRET, parts['t'].encode() + b'.' + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(wanted, parts['v1'])


def the_processor_gets_what_the_provider_signed(world):
    for name, filler in (('evt_small', 0), ('evt_large', 60000)):
        body = webhook(name, filler)
        signed = signature(body, int(time.time()))
        post(body, signed)
        (headers, received), = await_calls(world, name, 1)
        assert hashlib.sha256(received).digest() == hashlib.sha256(body).digest()
        assert headers['Stripe-Signature'] == signed and verified(headers, received)
        assert headers['Content-Type'] == 'application/json; charset=utf-8', headers['Content-Type']
        await_status(world, name, 'PROCESSED')


def it_gets_what_payhook_knows_and_no_credential(world):
    (headers, _), = world.processor.calls_of('evt_small')
    wanted = {'X-Payhook-Source': 'stripe', 'X-Payhook-Source-Account': 'stripe:cus_PayhookExample', 'X-Payhook-Amount': '1099.00',
              'X-Payhook-Currency': 'USD', 'X-Payhook-Kind': 'captured', 'X-Payhook-Payment-Id': 'pi_3PayhookExample0001',
              'Idempotency-Key': 'stripe/evt_small', 'Authorization': None}
    found = {name: headers[name] for name in wanted}
    assert found == wanted, found
    assert headers['User-Agent'].startswith('payhook/') and len(headers['X-Request-Id']) == 32
    assert len(headers.get_all('Content-Type')) == len(headers.get_all('Content-Length')) == len(headers.get_all('Host')) == 1


def a_repeated_call_is_the_same(world):
    world.processor.statuses = [503]
    body = webhook('evt_again')
    post(body, signature(body, int(time.time())))
    first, second = await_calls(world, 'evt_again', 2)
    assert first[1] == second[1] == body and verified(*second)
    assert first[0]['Idempotency-Key'] == second[0]['Idempotency-Key']


def the_commands_show_and_verify_it(world):
    shown = world.payhook('payload', 'evt_large', '--body')
    assert hashlib.sha256(shown).digest() == hashlib.sha256(webhook('evt_large', 60000)).digest()
    head, _, shown = world.payhook('payload', 'evt_small', '--source', 'stripe').partition(b'\r\n\r\n')
    assert shown == webhook('evt_small')
    lines = head.decode().lower().split('\r\n')
    assert any(line.startswith('stripe-signature: t=') for line in lines) and 'user-agent: stripe/1.0' in lines, lines
    assert 'of-a-gateway' not in head.decode()
    report = world.payhook('verify', 'stripe', '--transaction', 'evt_small').decode()
    assert '(received)' in report and 'verdict    it verifies' in report, report


def nothing_is_sent_in_place_of_it(world):
    world.sql('SELECT payhook.pause()')
    body = webhook('evt_gone')
    post(body, signature(body, int(time.time())))
    world.sql("DELETE FROM payhook.payloads p USING payhook.transactions t WHERE t.transaction_id = 'evt_gone'"
              ' AND p.payload_id = t.payload_id AND p.received_at = t.payload_at')
    world.sql('SELECT payhook.resume()')
    await_status(world, 'evt_gone', 'FAILED')
    assert not world.processor.calls_of('evt_gone')
    error = world.sql("SELECT error FROM payhook.dead_jobs WHERE transaction_id = 'evt_gone'")
    assert error == 'its request is not kept, and PROCESSOR_BODY=original sends nothing else', error


def no_log_has_a_body_or_a_signature(world):
    logs = list((world.folder / 'var').glob('**/*.log'))
    text = b''.join(log.read_bytes() for log in logs)
    assert len(logs) > 2 and b'evt_small' in text
    assert MARK.encode() not in text and b'secret order' not in text and b',v1=' not in text


tests = [the_processor_gets_what_the_provider_signed, it_gets_what_payhook_knows_and_no_credential, a_repeated_call_is_the_same,
         the_commands_show_and_verify_it, nothing_is_sent_in_place_of_it, no_log_has_a_body_or_a_signature]


def main():
    failed = 0
    print(f'1..{len(tests)}', flush=True)
    with tempfile.TemporaryDirectory(prefix='payhook-original-') as folder:
        world = World(folder)
        try:
            world.payhook('up', '-d')
            for number, each in enumerate(tests, 1):
                problem = None
                try:
                    each(world)
                except (AssertionError, ValueError) as error:
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
