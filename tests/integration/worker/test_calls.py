#!/usr/bin/env -S python3 -B
"""test_calls.py - calls of a processor by real workers: what 409 means, also after a worker is killed; TLS, tokens, headers and
signatures as an independent server sees them; the rate of several workers.  Prints TAP.

    test_calls.py      through tests/support/with_cluster.sh; PAYHOOK_BUILD is the build"""

import base64
import hashlib
import hmac
import http.server
import json
import os
import pathlib
import signal
import ssl
import subprocess
import sys
import tempfile
import threading
import time

BUILD = pathlib.Path(os.environ['PAYHOOK_BUILD'])
CLUSTER = os.environ['PAYHOOK_TEST_CLUSTER']
DATABASE = f'{CLUSTER} dbname=calls_{os.getpid()}'
SECRET = 'whsec_' + base64.b64encode(b'a secret of payhook, 32 bytes ..').decode()
OLDER = 'whsec_' + base64.b64encode(b'the one before it').decode()


def sql(text, database=DATABASE):
    return subprocess.run(['psql', '-X', '-q', '-At', '-v', 'ON_ERROR_STOP=1', '-d', database, '-c', text], check=True, text=True,
                          stdout=subprocess.PIPE).stdout.strip()


def await_value(wanted, query, patience_s=60):
    deadline = time.monotonic() + patience_s
    while (found := sql(query)) != wanted:
        assert time.monotonic() < deadline, f'in vain: {query} is {found}, not {wanted}'
        time.sleep(0.1)


def accept(*names):
    """What a responder does, for tests of what comes after it."""
    values = ', '.join(f"('{name}')" for name in names)
    sql('INSERT INTO payhook.transactions (transaction_id, source_account, destination_account, amount, currency)'
        f" SELECT v, 'a', 'b', 10.50, 'EUR' FROM (VALUES {values}) AS t (v);"
        f' INSERT INTO payhook.jobs (transaction_id) VALUES {values}; NOTIFY jobs')


def attempts(name):
    return sql("SELECT string_agg(outcome || coalesce(': ' || error, ''), '|' ORDER BY attempt, finished_at) FROM payhook.job_attempts"
               f" WHERE transaction_id = '{name}'").split('|')


class Server(http.server.ThreadingHTTPServer):
    """Answers by the function answer(handler, body), which returns a status, and bytes for the body."""

    daemon_threads = True
    request_queue_size = 100

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = 'HTTP/1.1'

        def do_POST(self):
            body = self.rfile.read(int(self.headers['Content-Length']))
            with self.server.lock:
                self.server.calls.append((self.headers, body, time.monotonic()))
            status, text = self.server.answer(self, body)
            try:
                self.send_response(status)
                self.send_header('Content-Length', str(len(text)))
                self.end_headers()
                self.wfile.write(text)
            except OSError:
                self.close_connection = True  # the worker gave up, or is dead

        def log_message(self, *_):
            pass

    def __init__(self, answer, tls=None):
        super().__init__(('127.0.0.1', 0), self.Handler)
        self.answer, self.lock, self.calls = answer, threading.Lock(), []
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        scheme = 'https' if tls else 'http'
        self.url = f'{scheme}://localhost:{self.server_port}/'
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        pass  # a refused handshake


class Idempotent:
    """A processor that carries out each key once, takes a while, and answers 409 meanwhile."""

    def __init__(self, takes_s):
        self.takes_s, self.lock, self.begun, self.done, self.conflicts = takes_s, threading.Lock(), {}, set(), 0

    def __call__(self, handler, _):
        key = handler.headers['Idempotency-Key']
        with self.lock:
            if key in self.begun:
                self.conflicts += key not in self.done
                return (200 if key in self.done else 409), b''
            self.begun[key] = time.monotonic()
        time.sleep(self.takes_s)
        with self.lock:
            self.done.add(key)
        return 200, b''


class Workers:
    """Some workers with these settings, which end with the block."""

    def __init__(self, count=1, **settings):
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith(('PROCESSOR', 'PG'))}
        self.environment.update({'DATABASE_URL': DATABASE, 'WORKER_METRICS_PORT': '0', 'WORKER_GRACE_MS': '0', 'PROCESSOR': 'http',
                                 'CIRCUIT_FAILURES': '0', **settings})
        self.count, self.running = count, []

    def start(self):
        self.running.append(subprocess.Popen([BUILD / 'worker/payhook-worker'], env=self.environment, stderr=LOG))

    def __enter__(self):
        for _ in range(self.count):
            self.start()
        return self

    def __exit__(self, *_):
        for worker in self.running:
            worker.send_signal(signal.SIGTERM)
        for worker in self.running:
            worker.wait(20)


def await_calls(server, count, patience_s=20):
    deadline = time.monotonic() + patience_s
    while len(server.calls) < count:
        assert time.monotonic() < deadline, f'{len(server.calls)} of {count} calls'
        time.sleep(0.02)


def processed(*names):
    for name in names:
        await_value('PROCESSED', f"SELECT status FROM payhook.transactions WHERE transaction_id = '{name}'")


def a_409_while_the_first_call_is_under_way_is_asked_again(_):
    processor = Idempotent(takes_s=3)
    with Workers(PROCESSOR_URL=Server(processor).url, PROCESSOR_TIMEOUT_MS='1000'):
        accept('slow')
        processed('slow')
    found = attempts('slow')
    assert 'no answer from the processor' in found[0] and found[0].startswith('retried'), found
    conflicts = [each for each in found if 'HTTP 409' in each]
    assert conflicts and len(conflicts) == processor.conflicts, (found, processor.conflicts)
    assert all(each.startswith('retried') and 'an earlier call with this Idempotency-Key' in each for each in conflicts), found
    assert found[-1] == 'processed', found


def a_409_after_a_worker_was_killed_in_mid_call_is_asked_again(_):
    processor = Idempotent(takes_s=30)
    server = Server(processor)
    with Workers(PROCESSOR_URL=server.url) as workers:
        accept('killed')
        await_calls(server, 1)
        workers.running.pop().kill()
        workers.start()
        await_value('PROCESSED', "SELECT status FROM payhook.transactions WHERE transaction_id = 'killed'", 90)
    found = attempts('killed')
    assert found[0].startswith('unknown') and 'HTTP 409' in found[1] and found[-1] == 'processed', found
    assert processor.conflicts == len(found) - 2, (found, processor.conflicts)


def a_409_that_stays_is_final_with_the_last_attempt(_):
    with Workers(PROCESSOR_URL=Server(lambda *_: (409, b'')).url, MAX_ATTEMPTS='2'):
        accept('conflict')
        await_value('FAILED', "SELECT status FROM payhook.transactions WHERE transaction_id = 'conflict'")
    found = attempts('conflict')
    assert len(found) == 2 and found[1].startswith('failed: HTTP 409'), found


def verify(headers, body, secret):
    """As Standard Webhooks describes it."""
    message = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    digest = base64.b64encode(hmac.new(base64.b64decode(secret[6:]), message, hashlib.sha256).digest()).decode()
    return f'v1,{digest}' in headers['webhook-signature'].split(' ') and abs(time.time() - int(headers['webhook-timestamp'])) < 60


def openssl(folder, *words):
    subprocess.run(['openssl', *words], cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def make_certificates(folder):
    openssl(folder, 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=authority',
            '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '2')
    for name in ('localhost', 'payhook'):
        openssl(folder, 'req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', f'/CN={name}', '-keyout',
                f'{name}.key', '-out', f'{name}.csr')
        (folder / 'extensions').write_text(f'subjectAltName=DNS:{name}\n')
        openssl(folder, 'x509', '-req', '-in', f'{name}.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2',
                '-extfile', 'extensions', '-out', f'{name}.pem')


def tls_of(folder):
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(folder / 'localhost.pem', folder / 'localhost.key')
    tls.load_verify_locations(folder / 'ca.pem')
    tls.verify_mode = ssl.CERT_REQUIRED
    return tls


def grant(_, body):
    assert b'grant_type=client_credentials' in body, body
    return 200, json.dumps({'access_token': 't0ken', 'token_type': 'Bearer', 'expires_in': 3600}).encode()


def a_call_has_certificate_token_headers_and_signature(folder):
    make_certificates(folder)
    (folder / 'headers').write_text('# of the bank\nX-Tenant: {file:tenant}-1\n')
    (folder / 'tenant').write_text('north\n')
    (folder / 'secrets').write_text(f'{SECRET}\n{OLDER}\n')
    tokens = Server(grant, tls_of(folder))
    server = Server(lambda *_: (200, b''), tls_of(folder))
    settings = {'PROCESSOR_URL': server.url, 'PROCESSOR_TOKEN_URL': tokens.url, 'PROCESSOR_CLIENT_ID': 'payhook',
                'PROCESSOR_CLIENT_SECRET': 's3cr3t', 'PROCESSOR_HEADERS': f'{folder}/headers', 'PROCESSOR_CA': f'{folder}/ca.pem',
                'PROCESSOR_SIGNING_SECRETS_FILE': f'{folder}/secrets', 'PROCESSOR_CLIENT_CERTIFICATE': f'{folder}/payhook.pem',
                'PROCESSOR_CLIENT_KEY': f'{folder}/payhook.key'}
    names = [f'trusted_{n}' for n in range(20)]
    with Workers(**settings):
        accept(*names)
        processed(*names)
    assert len(server.calls) == len(names) and len(tokens.calls) == 1, (len(server.calls), len(tokens.calls))
    for headers, body, _ in server.calls:
        assert headers['Authorization'] == 'Bearer t0ken' and headers['X-Tenant'] == 'north-1', headers
        assert headers['webhook-id'] == headers['Idempotency-Key'] == json.loads(body)['transaction_id'], headers
        assert verify(headers, body, SECRET) and verify(headers, body, OLDER), headers
        assert not verify(headers, body + b' ', SECRET)


def without_authority_or_certificate_no_call_is_made(folder):
    server = Server(lambda *_: (200, b''), tls_of(folder))
    for name, settings, why in (('stranger', {}, 'certificate'), ('nameless', {'PROCESSOR_CA': f'{folder}/ca.pem'}, '')):
        with Workers(PROCESSOR_URL=server.url, MAX_ATTEMPTS='1', **settings):
            accept(name)
            await_value('FAILED', f"SELECT status FROM payhook.transactions WHERE transaction_id = '{name}'")
        assert 'no answer from the processor' in attempts(name)[0] and why in attempts(name)[0], attempts(name)
    assert not server.calls


def at_last(measure):
    """Up to three tries: other work on the machine holds calls up, which then arrive together."""
    for number in (1, 2, 3):
        try:
            return measure(number)
        except AssertionError:
            if number == 3:
                raise


def three_workers_together_keep_the_rate(_):
    at_last(rate_of_three_workers)


def rate_of_three_workers(number):
    server = Server(lambda *_: (200, b''))
    names = [f'rated_{number}_{n}' for n in range(300)]
    with Workers(3, PROCESSOR_URL=server.url, PROCESSOR_RATE='30'):
        await_value('3', 'SELECT count(*) FROM payhook.workers')
        accept(*names)
        await_calls(server, len(names), 40)
    times = sorted(at for _, _, at in server.calls)
    assert len(times) == len(names), len(times)
    # After 3 s each has observed the others; a worker has saved the calls of a tenth of a second.
    later = [at for at in times if at >= times[0] + 3]
    most = max(sum(1 for each in later if at <= each < at + 1) for at in later)
    assert most <= 30 + 9, f'{most} calls in one second'
    rate = len(later) / (later[-1] - later[0])
    assert rate > 15, f'{rate:.0f} calls a second'


def a_slow_token_server_saves_no_calls_up(_):
    at_last(calls_after_a_slow_token)


def calls_after_a_slow_token(number):
    def slow(handler, body):
        time.sleep(6)
        return grant(handler, body)
    server = Server(lambda *_: (200, b''))
    names = [f'saved_{number}_{n}' for n in range(60)]
    with Workers(PROCESSOR_URL=server.url, PROCESSOR_RATE='20', PROCESSOR_TOKEN_URL=Server(slow).url, PROCESSOR_CLIENT_ID='payhook',
                 PROCESSOR_CLIENT_SECRET='s3cr3t'):
        accept(*names)
        await_calls(server, len(names), 40)
    times = sorted(at for _, _, at in server.calls)
    together = sum(1 for at in times if at < times[0] + 0.5)
    assert together <= 20, f'{together} of {len(times)} calls in half a second'


tests = [a_409_while_the_first_call_is_under_way_is_asked_again, a_409_that_stays_is_final_with_the_last_attempt,
         a_call_has_certificate_token_headers_and_signature, without_authority_or_certificate_no_call_is_made,
         three_workers_together_keep_the_rate, a_slow_token_server_saves_no_calls_up,
         a_409_after_a_worker_was_killed_in_mid_call_is_asked_again]


def main():
    failed = 0
    sql(f'CREATE DATABASE calls_{os.getpid()} TEMPLATE template_payhook', f'{CLUSTER} dbname=postgres')
    print(f'1..{len(tests)}', flush=True)
    try:
        with tempfile.TemporaryDirectory(prefix='payhook-calls-') as folder:
            for number, each in enumerate(tests, 1):
                problem, begun = None, time.monotonic()
                try:
                    each(pathlib.Path(folder))
                except (AssertionError, subprocess.SubprocessError, OSError, KeyError) as error:
                    problem, failed = error, failed + 1
                print(f'{"not ok" if problem else "ok"} {number} - {each.__name__.replace("_", " ")}', flush=True)
                print(f'# {time.monotonic() - begun:.0f} s', flush=True)
                if problem:
                    print(f'# {type(problem).__name__} {problem}', flush=True)
    finally:
        if failed:
            LOG.seek(0)
            print(''.join(f'# {line}' for line in LOG.readlines()[-20:]))
        sql(f'DROP DATABASE calls_{os.getpid()} WITH (FORCE)', f'{CLUSTER} dbname=postgres')
    sys.exit(failed > 0)


LOG = tempfile.TemporaryFile('w+')
main()
