#!/usr/bin/env -S python3 -B
"""test_console.py - the operators' console through nginx: sign-in, scopes, answers, acts on record, bounds; prints TAP.

nginx takes this host for a proxy in REAL_IP_FROM, so that each request may have an address of its own."""

import collections
import concurrent.futures
import hashlib
import http.client
import http.server
import itertools
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PORT = 17000 + os.getpid() % 1000 * 3
API = '/console/api/v1/'
KEYS = {'reader': ['read'], 'operator': ['operate'], 'payload': ['payload'], 'all': ['read', 'operate', 'payload']}
DEADLINE_S = 20
MARK = 'a-secret-of-the-body'
addresses = itertools.count(1)
world = None

# Method, path, scope, action on record, what a POST sends.
ENDPOINTS = [
    ('GET', 'overview', 'read', None), ('GET', 'transactions', 'read', None), ('GET', 'transactions/transactions/done', 'read', None),
    ('GET', 'transactions/transactions/done/payload', 'payload', 'payload'),
    ('GET', 'transactions/transactions/done/conflicts/1', 'payload', 'conflict_body'),
    ('GET', 'payments/transactions/none', 'read', None), ('GET', 'conflicts', 'read', None), ('GET', 'auth-failures', 'read', None),
    ('GET', 'validation-errors', 'read', None), ('GET', 'unreadable', 'read', None),
    ('GET', 'workers', 'read', None), ('GET', 'sources', 'read', None), ('GET', 'actions', 'read', None),
    ('GET', 'operations', 'read', None), ('GET', 'operations/1000', 'read', None),
    ('POST', 'transactions/transactions/done/retry', 'operate', 'retry'),
    ('POST', 'transactions/transactions/done/skip', 'operate', 'skip'), ('POST', 'operations', 'operate', 'start_operation'),
    ('POST', 'operations/1000/cancel', 'operate', 'cancel_operation'), ('POST', 'pause', 'operate', 'pause'),
    ('POST', 'resume', 'operate', 'resume'),
]


class Processor(http.server.ThreadingHTTPServer):
    """Answers each call with the status of its transaction, 200 without one."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = 'HTTP/1.1'

        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers['Content-Length'])))
            self.send_response(self.server.statuses.get(body['transaction_id'], 200))
            self.send_header('Content-Length', '0')
            self.end_headers()

        def log_message(self, *_):
            pass

    def __init__(self):
        super().__init__(('127.0.0.1', 0), self.Handler)
        self.statuses = {}
        threading.Thread(target=self.serve_forever, daemon=True).start()


class World:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.chmod(0o755)
        (self.folder / 'env').touch()
        entries = [{'name': name, 'sha256': hashlib.sha256(f'key-of-{name}'.encode()).hexdigest(), 'scopes': scopes} for name, scopes in KEYS.items()]
        (self.folder / 'keys.json').write_text(json.dumps({'keys': entries}))
        self.processor = Processor()
        self.environment = dict(os.environ, PAYHOOK_ENV_FILE=f'{folder}/env', PAYHOOK_VAR=f'{folder}/var', PAYHOOK_PORT=str(PORT),
                                WORKER_METRICS_PORT=str(PORT + 2), PROCESSOR='http', PROCESSOR_URL=f'http://127.0.0.1:{self.processor.server_port}/',
                                OPEN_SOURCE_FROM='all', WORKER_GRACE_MS='200', RESPONDERS='2', API_KEYS_FILE=f'{folder}/keys.json',
                                REAL_IP_FROM='127.0.0.1', CONSOLE_USER_HEADER='X-Forwarded-User', CONSOLE='on', CONSOLE_ALLOW='127.0.0.0/8 10.0.0.0/8')

    def payhook(self, *arguments, **more):
        ran = subprocess.run([ROOT / 'payhook', *arguments], env=dict(self.environment, **more), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert ran.returncode == 0, ran.stderr.decode()
        return ran.stdout.decode()

    def status(self):
        """Its exit status is 1 if something needs attention, as what these tests have left FAILED."""
        ran = subprocess.run([ROOT / 'payhook', 'status'], env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert ran.returncode in (0, 1), ran.stderr.decode()
        return ran.stdout.decode()

    def sql(self, text):
        return self.payhook('psql', '-X', '-q', '-At', '-c', text).strip()


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)


def record(method, target, sent, answer, reason):
    """For tests/openapi: as tests/support/exchange.c writes it."""
    folder = os.environ.get('PAYHOOK_EXCHANGES')
    if not folder:
        return
    head = '\r\n'.join([f'HTTP/1.1 {answer.status} {reason}', *(f'{name}: {value}' for name, value in answer.headers.items()), '', ''])
    line = {'test': 'console', 'method': method, 'target': target, 'sent': None if sent is None else sent.decode('utf-8', 'replace'),
            'status': answer.status, 'head': head, 'body': answer.body.decode('utf-8', 'replace')}
    with open(f'{folder}/{os.getpid()}.jsonl', 'a', encoding='utf-8') as file:
        file.write(json.dumps(line) + '\n')


def send(method, target, body=None, headers=None, recorded=True):
    connection = http.client.HTTPConnection('127.0.0.1', PORT, timeout=15)
    connection.request(method, target, body, headers or {})
    response = connection.getresponse()
    answer = Answer(response.status, response.headers, response.read())
    connection.close()
    if recorded:
        record(method, target, body, answer, response.reason)
    return answer


def ask(method, path, key='all', body=None, headers=None, address=None, recorded=True):
    """A request of the API; each has an address of its own, unless one is given."""
    number = next(addresses)
    sent = {'X-Forwarded-For': address or f'10.1.{number // 250}.{number % 250 + 1}', **(headers or {})}
    if key:
        sent['Authorization'] = f'Bearer key-of-{key}'
    if method == 'POST':
        sent.setdefault('Content-Type', 'application/json')
        body = body if isinstance(body, bytes) else json.dumps(body or {}).encode()
    else:
        body = None
    return send(method, API + path, body, sent, recorded)


def expect(answer, status, text=''):
    assert answer.status == status, f'{answer.status}: {answer.body[:300]!r}'
    assert text in answer.body.decode('utf-8', 'replace'), f'{text} is not in {answer.body[:300]!r}'
    if answer.status >= 400:
        problem = answer.json()
        assert answer.headers['Content-Type'] == 'application/problem+json', answer.headers['Content-Type']
        assert problem['status'] == status and problem['instance'] == answer.headers['X-Request-Id'], problem
        assert problem['title'] and problem['detail'], problem
    return answer


def webhook(name, **members):
    body = {'transaction_id': name, 'source_account': f'acc_{MARK}', 'destination_account': 'acc_b', 'amount': 1500.10, 'currency': 'USD', **members}
    text = json.dumps(body).encode()
    answer = send('POST', '/v1/webhooks/transactions', text, {'Content-Type': 'application/json'}, False)
    assert answer.status == 202, answer.body
    return text


def await_status(name, status):
    deadline = time.monotonic() + DEADLINE_S
    while (found := ask('GET', f'transactions/transactions/{name}').json()['transaction']['status']) != status:
        assert time.monotonic() < deadline, f'{name} is {found}, not {status}'
        time.sleep(0.05)


def newest_action():
    return next(iter(ask('GET', 'actions').json()['data']), {'action_id': 0})


# ---- tests ----

def the_page_is_served_with_its_policy():
    page = send('GET', '/console/', None, {'X-Forwarded-For': '10.0.0.1'}, False)
    assert page.status == 200 and b'<html' in page.body, page.status
    assert page.headers['Content-Security-Policy'].startswith("default-src 'self';"), page.headers['Content-Security-Policy']
    assert page.headers['Content-Type'] == 'text/html; charset=utf-8', page.headers['Content-Type']
    assert send('GET', '/console/main.js', None, None, False).headers['Content-Type'].startswith('application/javascript')
    moved = send('GET', '/console', None, None, False)
    assert moved.status == 308 and moved.headers['Location'] == '/console/', moved.headers['Location']
    assert send('GET', '/console/../ops', None, None, False).status == 404


def a_browser_is_sent_to_the_page_and_a_machine_is_not():
    moved = send('GET', '/', None, {'Accept': 'text/html,application/xhtml+xml;q=0.9,*/*;q=0.8'})
    assert moved.status == 302 and moved.headers['Location'] == '/console/', moved.status
    for accept in ('*/*', 'application/json', 'text/htmlx', ''):
        assert send('GET', '/', None, {'Accept': accept}, False).json()['status'] == 'HEALTHY', accept


def other_addresses_do_not_get_in():
    for path in ('/console/', API + 'overview'):
        assert send('GET', path, None, {'X-Forwarded-For': '203.0.113.7', 'Authorization': 'Bearer key-of-all'}, False).status == 403
    assert send('GET', '/readyz', None, {'X-Forwarded-For': '203.0.113.7'}, False).status == 200


def nobody_signs_in_without_a_key():
    for headers in ({}, {'Authorization': 'Bearer x'}, {'Authorization': 'Basic key-of-all'}, {'Cookie': 'key=key-of-all'}):
        for path in ('overview', 'nothing'):
            answer = expect(ask('GET', path, None, None, headers, recorded=path == 'overview'), 401, 'a key is wanted')
            assert answer.headers['WWW-Authenticate'] == 'Bearer'


def a_failed_sign_in_is_an_auth_failure():
    answer = expect(ask('GET', 'overview', None, None, {'Authorization': 'Bearer wrong'}, '10.9.9.7'), 401)
    deadline = time.monotonic() + DEADLINE_S
    while not (found := [each for each in ask('GET', 'auth-failures?cause=sign_in').json()['data'] if each['address'] == '10.9.9.7']):
        assert time.monotonic() < deadline, 'it is not among the auth failures'
        time.sleep(0.05)
    assert found[0]['request_id'] == answer.headers['X-Request-Id'] and found[0]['source'] is None, found
    assert found[0]['detail'] == 'the key is not in the file', found


def each_endpoint_is_for_keys_of_its_scope():
    """Every kind of key at every endpoint; what is refused to an act is on record."""
    for method, path, scope, action in ENDPOINTS:
        expect(ask(method, path, None), 401)
        for name, scopes in KEYS.items():
            before = newest_action()['action_id']
            answer = ask(method, path, name, {'reason': 'the walk'} if method == 'POST' and path != 'operations' else {})
            if scope in scopes:
                assert answer.status in (200, 404, 409, 422), f'{method} {path} {name}: {answer.status} {answer.body}'
                continue
            expect(answer, 403, f'is not for that: it lacks the scope {scope}')
            found = newest_action()
            if action:
                assert found['action'] == action and found['actor'] == name and found['outcome'] == 'refused', found
                assert found['request_id'] == answer.headers['X-Request-Id'], found
            else:
                assert found['action_id'] == before, found
    ask('POST', 'resume')


def a_failed_transaction_is_found_and_retried():
    world.processor.statuses['broken'] = 400
    webhook('broken')
    await_status('broken', 'FAILED')
    found = ask('GET', 'transactions?status=FAILED&error=400').json()
    assert [row['transaction_id'] for row in found['data']] == ['broken'] and not found['truncated'], found
    story = ask('GET', 'transactions/transactions/broken').json()
    assert story['dead']['attempts'] == 1 and story['may']['retry'] and story['attempts'][0]['outcome'] == 'failed', story
    world.processor.statuses.clear()
    done = expect(ask('POST', 'transactions/transactions/broken/retry', body={'reason': 'repaired'}), 200)
    assert done.json()['outcome'] == 'done', done.body
    await_status('broken', 'PROCESSED')
    act = newest_action()
    assert act['actor'] == 'all' and act['reason'] == 'repaired' and act['action'] == 'retry' and act['via'] == 'console', act
    assert act['request_id'] == done.headers['X-Request-Id'] and act['action_id'] == done.json()['action_id'], act
    expect(ask('POST', 'transactions/transactions/broken/retry'), 409, 'PROCESSED')
    assert newest_action()['outcome'] == 'nothing'
    expect(ask('POST', 'transactions/transactions/broken/retry', body={'even_processed': True}), 422, 'reason')
    expect(ask('POST', 'transactions/transactions/broken/retry', body={'even_processed': True, 'reason': 'asked for'}), 200)
    await_status('broken', 'PROCESSED')
    expect(ask('POST', 'transactions/transactions/none/retry'), 404)


def ids_may_have_any_character():
    name = 'a/b%2F c+d\u202e<script>"\u00e9'
    webhook(name)
    path = ''.join(f'%{byte:02X}' for byte in name.encode())
    assert ask('GET', f'transactions/transactions/{path}').json()['transaction']['transaction_id'] == name
    assert ask('GET', f'transactions?id={path}').json()['data'][0]['transaction_id'] == name
    assert ask('GET', 'transactions?id=' + path.replace('%20', '+')).json()['data'][0]['transaction_id'] == name


def a_payload_is_its_bytes_and_a_file():
    text = webhook('kept')
    answer = ask('GET', 'transactions/transactions/kept/payload', 'payload')
    assert answer.status == 200 and answer.body == text, answer.body
    assert answer.headers['Content-Type'] == 'application/octet-stream', answer.headers['Content-Type']
    assert answer.headers['Content-Disposition'] == 'attachment; filename="payload"'
    assert newest_action()['action'] == 'payload'
    expect(ask('GET', 'transactions/transactions/none/payload'), 404)
    webhook('kept', amount=7)
    shown = ask('GET', 'conflicts?id=kept').json()['data'][0]
    assert shown['differs'] == ['amount'], shown
    body = ask('GET', f'transactions/transactions/kept/conflicts/{shown["ordinal"]}')
    assert body.status == 200 and json.loads(body.body)['amount'] == 7, body.body


def jobs_are_paused_and_resumed():
    expect(ask('POST', 'pause', body={'reason': 'the processor is repaired'}), 200)
    webhook('waits')
    overview = ask('GET', 'overview').json()
    deadline = time.monotonic() + DEADLINE_S
    while not overview['paused']:
        assert time.monotonic() < deadline, overview
        overview = ask('GET', 'overview').json()
    assert overview['paused']['by'] == 'all' and overview['paused']['reason'] == 'the processor is repaired', overview
    expect(ask('POST', 'pause'), 409)
    expect(ask('POST', 'resume'), 200)
    await_status('waits', 'PROCESSED')


def many_are_retried_by_an_operation():
    for number in range(30):
        world.processor.statuses[f'many{number}'] = 400
    for number in range(30):
        webhook(f'many{number}')
    deadline = time.monotonic() + DEADLINE_S
    search = {'action': 'retry', 'filter': {'error': '400'}, 'dry_run': True}
    while ask('POST', 'operations', body=search).json()['total'] != 30:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    world.processor.statuses.clear()
    slow = expect(ask('POST', 'operations', body={**search, 'dry_run': False, 'reason': 'slowly', 'rate': 1}), 200).json()
    expect(ask('POST', f'operations/{slow["operation"]["operation_id"]}/cancel', body={'reason': 'too slow'}), 200)
    expect(ask('POST', 'operations', body={**search, 'dry_run': False}), 422, 'reason')
    expect(ask('POST', 'operations', body={'action': 'retry', 'filter': {}, 'reason': 'x'}), 422)
    started = expect(ask('POST', 'operations', body={**search, 'dry_run': False, 'reason': 'repaired', 'rate': 1000}), 200).json()
    name = started['operation']['operation_id']
    while ask('GET', f'operations/{name}').json()['state'] != 'done':
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert ask('GET', f'operations/{name}').json()['retried'] == started['operation']['total'] > 20, started
    expect(ask('POST', f'operations/{name}/cancel', body={'reason': 'late'}), 409)
    expect(ask('GET', 'operations/1000000'), 404)


def a_proxy_signs_users_in():
    user = {'X-Forwarded-User': 'alice@example.com'}
    expect(ask('GET', 'overview', None, None, user), 200)
    expect(ask('POST', 'transactions/transactions/kept/retry', None, None, user), 409)
    assert newest_action()['actor'] == 'alice@example.com', newest_action()
    expect(ask('GET', 'transactions/transactions/kept/payload', None, None, user), 403)
    assert ask('GET', 'transactions/transactions/kept/payload', 'payload', None, user).status == 200
    expect(ask('POST', 'pause', None, None, {**user, 'Sec-Fetch-Site': 'cross-site'}), 403, 'another site')
    expect(ask('POST', 'pause', None, b'reason=x', {**user, 'Content-Type': 'application/x-www-form-urlencoded'}), 415)
    expect(ask('POST', 'pause', None, b'{}', {**user, 'Content-Type': 'text/plain'}), 415)
    # Whoever is no proxy.
    answer = send('GET', API + 'overview', None, user, False)
    assert answer.status == 401, answer.status


def wrong_requests_have_their_reasons():
    expect(ask('GET', 'nothing', recorded=False), 404, 'nothing at this path')
    expect(ask('GET', 'transactions/transactions/none'), 404, 'none')
    expect(ask('GET', 'transactions/transactions/%ff'), 422, 'UTF-8')
    assert expect(ask('POST', 'overview'), 405).headers['Allow'] == 'GET, HEAD'
    assert expect(ask('GET', 'pause'), 405).headers['Allow'] == 'POST'
    expect(ask('GET', 'transactions?sorce=x'), 422, 'sorce')
    expect(ask('GET', 'transactions?limit=1000'), 422, '"parameter"')
    expect(ask('GET', 'transactions?source=%ff'), 422, 'UTF-8')
    expect(ask('GET', 'transactions?source=a&source=b'), 400, 'twice')
    expect(ask('GET', 'transactions?error=' + 'x' * 3600), 413)
    expect(ask('POST', 'pause', body=b'{'), 400)
    expect(ask('POST', 'pause', body=b'[]'), 400)
    expect(ask('POST', 'pause', body=b'{"reason":1}'), 422, 'a string is wanted')
    expect(ask('POST', 'pause', body=b'{"actor":"x"}'), 422, 'actor')
    expect(ask('POST', 'pause', body=b'{"source":"\\u0000"}'), 422, 'source has a NUL')
    expect(ask('POST', 'resume', body={'source': ''}), 422, 'source is empty')
    expect(ask('POST', 'pause', body=b'{"reason":"' + b'x' * 1048576 + b'"}'), 413)


def failures_of_one_address_are_limited_and_a_key_is_not():
    """An address may share its count with that of an earlier test; hardly three of them do."""
    seen = {}
    for address in ('10.9.9.9', '10.9.9.10', '10.9.9.11'):
        seen[address] = [ask('GET', 'overview', None, address=address).status for _ in range(25)]
        if seen[address] == [401] * 20 + [429] * 5:
            break
    else:
        raise AssertionError(seen)
    answer = expect(ask('GET', 'overview', None, address=address), 429)
    assert answer.headers['Retry-After'] == '60', answer.headers['Retry-After']
    expect(ask('GET', 'overview', address=address), 200)
    others = [ask('GET', 'overview', None, address=f'10.9.8.{n}').status for n in range(3)]
    assert 401 in others, others


def lock_the_record():
    """A psql that holds a lock until its input ends: no act can be put on record."""
    lock = subprocess.Popen([ROOT / 'payhook', 'psql', '-X', '-q', '-At'], env=world.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    lock.stdin.write(b'BEGIN; LOCK TABLE payhook.operator_actions; SELECT 1;\n')
    lock.stdin.flush()
    assert lock.stdout.readline() == b'1\n'
    return lock


def await_a_locked_statement():
    deadline = time.monotonic() + DEADLINE_S
    while world.sql("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'payhook-console' AND wait_event_type = 'Lock'") == '0':
        assert time.monotonic() < deadline
        time.sleep(0.02)


def a_slow_statement_is_answered_503_and_the_rest_goes_on():
    lock = lock_the_record()
    began = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor() as pool:
        slow = pool.submit(ask, 'GET', 'actions')
        expect(ask('GET', 'workers'), 200)
        webhook('beside')
        assert time.monotonic() - began < 1.5
        answer = expect(slow.result(), 503, 'has not answered in time')
    assert answer.headers['Retry-After'] == '1' and 1.5 < time.monotonic() - began < 4, time.monotonic() - began
    answer = expect(ask('POST', 'pause', body={'reason': 'while it is locked'}), 503, 'same request again')
    lock.stdin.close()
    lock.wait()
    expect(ask('GET', 'actions'), 200)
    assert ask('GET', 'overview').json()['paused'] is None


def the_database_has_two_connections_of_the_console():
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        found = list(pool.map(lambda _: ask('GET', 'overview').status, range(200)))
    assert found == [200] * 200, sorted(set(found))
    rows = world.sql("SELECT usename, count(*) FROM pg_stat_activity WHERE application_name = 'payhook-console' GROUP BY 1")
    assert rows == 'payhook_console|2', rows


def more_requests_than_it_takes_at_once_wait():
    """It has 64 slots, and nginx sends no request of the console twice."""
    with concurrent.futures.ThreadPoolExecutor(150) as pool:
        found = list(pool.map(lambda _: ask('GET', 'workers', recorded=False).status, range(600)))
    assert found == [200] * 600, collections.Counter(found)


def acted(answer):
    """The statuses in the console's log of an act with this answer."""
    lines = [json.loads(line) for log in (world.folder / 'var').glob('**/console.log') for line in log.read_text().splitlines() if line.startswith('{')]
    return [line['status'] for line in lines if line['event'] == 'operator acted' and line['request_id'] == answer.headers['X-Request-Id']]


def an_act_is_logged_with_the_status_of_its_answer():
    world.sql('REVOKE EXECUTE ON FUNCTION payhook.console_pause(text, text, text, text) FROM payhook_console')
    answer = expect(ask('POST', 'pause', recorded=False), 500, 'not set up as it should be')
    world.sql('SELECT payhook.grant_rights()')
    assert acted(answer) == [500], acted(answer)
    preview = expect(ask('POST', 'operations', body={'action': 'retry', 'filter': {'source': 'none'}, 'dry_run': True}), 200)
    assert acted(preview) == [], acted(preview)


def a_killed_console_comes_back():
    pids = subprocess.run(['pgrep', '-f', r'^\./payhook-console$'], stdout=subprocess.PIPE).stdout.split()
    mine = [int(pid) for pid in pids if os.readlink(f'/proc/{int(pid)}/cwd').startswith(str(world.folder))]
    assert len(mine) == 1, mine
    lock = lock_the_record()
    with concurrent.futures.ThreadPoolExecutor() as pool:
        act = pool.submit(ask, 'POST', 'pause', body={'source': 'none'})
        await_a_locked_statement()
        os.kill(mine[0], signal.SIGKILL)
        # The server goes on with the statement, so "send it again" would be wrong.
        expect(act.result(), 502, 'an act may have taken effect: look at the actions')
    lock.stdin.close()
    lock.wait()
    deadline = time.monotonic() + DEADLINE_S
    while ask('GET', 'overview').status != 200:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert '\n  console ' in world.status()
    ask('POST', 'resume', body={'source': 'none'})


def a_reload_takes_new_keys():
    keys = json.loads((world.folder / 'keys.json').read_text())
    keys['keys'].append({'name': 'newcomer', 'sha256': hashlib.sha256(b'key-of-newcomer').hexdigest(), 'scopes': ['read']})
    expect(ask('GET', 'overview', 'newcomer'), 401)
    (world.folder / 'keys.json').write_text(json.dumps(keys))
    world.payhook('reload')
    deadline = time.monotonic() + DEADLINE_S
    while ask('GET', 'overview', 'newcomer').status != 200:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def no_log_has_a_key_or_an_account():
    text = b''.join(log.read_bytes() for log in (world.folder / 'var').glob('**/*.log'))
    assert b'operator acted' in text and b'sign-in failed' in text
    for secret in ('key-of-', MARK):
        assert secret.encode() not in text, secret


def without_keys_this_host_reads_and_nobody_acts():
    world.payhook('down')
    del world.environment['API_KEYS_FILE']
    announced = world.payhook('up', '-d')
    assert f'http://localhost:{PORT}/console/' in announced and './payhook key --save' in announced, announced

    def here(method, path, **headers):
        body = b'{}' if method == 'POST' else None
        return send(method, API + path, body, {'Content-Type': 'application/json', **headers})

    expect(here('GET', 'overview'), 200)
    expect(here('POST', 'pause'), 403, 'API_KEYS_FILE')
    act = here('GET', 'actions').json()['data'][0]
    assert act['action'] == 'pause' and act['actor'] == 'nobody' and act['outcome'] == 'refused', act
    expect(here('GET', 'transactions/transactions/kept/payload'), 403)
    expect(here('GET', 'overview', **{'Host': 'evil.example'}), 403, 'ALLOWED_HOSTS')
    expect(here('GET', 'overview', **{'Sec-Fetch-Site': 'cross-site'}), 403, 'another site')
    expect(here('GET', 'overview', **{'Authorization': 'Bearer key-of-all'}), 401, 'API_KEYS_FILE is not set')
    expect(here('GET', 'overview', **{'X-Forwarded-For': '10.1.2.3'}), 403, 'this host only')


def the_first_key_is_made_by_one_command():
    key = world.payhook('key', '--save', 'first', 'read', 'operate').strip()
    assert key.startswith('payhook_') and '\n' not in key, key
    world.payhook('down')
    world.payhook('up', '-d')
    expect(send('GET', API + 'overview', None, {'Authorization': f'Bearer {key}'}, False), 200)
    expect(send('GET', API + 'overview', None, {}, False), 401)
    second = world.payhook('key', '--save', 'second', 'read').strip()
    world.payhook('reload')
    deadline = time.monotonic() + DEADLINE_S
    while send('GET', API + 'overview', None, {'Authorization': f'Bearer {second}'}, False).status != 200:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    try:
        world.payhook('key', '--save', 'second', 'read')
    except AssertionError as error:
        assert 'is the name of another key already' in str(error), error
    else:
        raise AssertionError('the same name twice')
    together = world.folder / 'together.json'
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: world.payhook('key', '--save', f'k{n}', 'read', API_KEYS_FILE=str(together)), range(4)))
    assert sorted(k['name'] for k in json.loads(together.read_text())['keys']) == ['k0', 'k1', 'k2', 'k3'], together.read_text()
    broken = world.folder / 'broken.json'
    broken.write_text('{')
    try:
        world.payhook('key', '--save', 'third', 'read', API_KEYS_FILE=str(broken))
    except AssertionError as error:
        assert 'the key cannot be added' in str(error), error
    assert broken.read_text() == '{' and not pathlib.Path(f'{broken}.new').exists()


def the_console_may_be_off():
    world.payhook('down')
    world.environment['CONSOLE'] = 'off'
    assert '/console/' not in world.payhook('up', '-d')
    assert send('GET', '/console/', None, None, False).status == 404
    assert send('GET', API + 'overview', None, None, False).status == 404
    assert send('GET', '/', None, {'Accept': 'text/html'}, False).status == 200
    assert '\n  console ' not in world.status()


tests = [the_page_is_served_with_its_policy, a_browser_is_sent_to_the_page_and_a_machine_is_not, other_addresses_do_not_get_in,
         nobody_signs_in_without_a_key, a_failed_sign_in_is_an_auth_failure, each_endpoint_is_for_keys_of_its_scope,
         a_failed_transaction_is_found_and_retried,
         ids_may_have_any_character, a_payload_is_its_bytes_and_a_file, jobs_are_paused_and_resumed, many_are_retried_by_an_operation,
         a_proxy_signs_users_in, wrong_requests_have_their_reasons, failures_of_one_address_are_limited_and_a_key_is_not,
         a_slow_statement_is_answered_503_and_the_rest_goes_on, the_database_has_two_connections_of_the_console,
         more_requests_than_it_takes_at_once_wait, an_act_is_logged_with_the_status_of_its_answer, a_killed_console_comes_back, a_reload_takes_new_keys, no_log_has_a_key_or_an_account,
         without_keys_this_host_reads_and_nobody_acts, the_first_key_is_made_by_one_command, the_console_may_be_off]


def main():
    global world
    failed = 0
    print(f'1..{len(tests)}', flush=True)
    with tempfile.TemporaryDirectory(prefix='payhook-console-') as folder:
        world = World(folder)
        try:
            world.payhook('up', '-d')
            webhook('done')
            for number, each in enumerate(tests, 1):
                problem = None
                try:
                    each()
                except (AssertionError, KeyError, IndexError, ValueError, OSError, http.client.HTTPException) as error:
                    problem, failed = f'{type(error).__name__}: {error}', failed + 1
                print(f'{"not ok" if problem else "ok"} {number} - {each.__name__.replace("_", " ")}', flush=True)
                if problem:
                    print('# ' + problem.replace('\n', '\n# '), flush=True)
        except (AssertionError, OSError, subprocess.CalledProcessError) as error:
            print(f'Bail out! {error}')
            failed += 1
        finally:
            world.payhook('down')
    sys.exit(failed > 0)


main()
