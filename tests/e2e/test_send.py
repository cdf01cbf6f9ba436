#!/usr/bin/env -S python3 -B
"""test_send.py - payhook send to a running payhook with the sources of docs/sources, and payhook listen beside it; prints TAP."""

import base64
import http.server
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / 'docs/sources'
CTL = pathlib.Path(os.environ['PAYHOOK_BUILD']) / 'ctl/payhook-ctl'
PORT = 13000 + os.getpid() % 2000 * 3


class World:
    """A payhook with every source of the examples, and one of payhook's own form that is open."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.chmod(0o755)
        (self.folder / 'env').touch()
        self.sources = self.folder / 'sources.json'
        self.secrets = []
        self.environment = dict(os.environ, PAYHOOK_ENV_FILE=f'{folder}/env', PAYHOOK_VAR=f'{folder}/var', PAYHOOK_PORT=str(PORT),
                                WORKER_METRICS_PORT=str(PORT + 2), SOURCES_FILE=str(self.sources), PROCESSOR_DELAY_MS='100',
                                WORKER_GRACE_MS='200', REAL_IP_FROM='127.0.0.1,::1')

    def run(self, *arguments, sources=None):
        environment = dict(self.environment, SOURCES_FILE=str(sources)) if sources else self.environment
        return subprocess.run([ROOT / 'payhook', *arguments], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def payhook(self, *arguments):
        ran = self.run(*arguments)
        assert ran.returncode == 0, ran.stdout
        return ran.stdout.strip()

    def write_secret(self, path):
        """Another one in the form of the example's, since each source needs one of its own."""
        text, name = path.read_text().strip(), path.parent.name
        if text.startswith('whsec_') and name != 'stripe':
            text = 'whsec_' + base64.b64encode(name.encode() + os.urandom(24)).decode()
        elif re.fullmatch('[0-9A-Fa-f]+', text):
            text = os.urandom(len(text) // 2).hex()
        else:
            text = f'{name} {os.urandom(12).hex()}'
        path.write_text(text)
        self.secrets.append(text)

    def write_sources(self, path, change=lambda source: source):
        """All sources of the examples, each with a secret of its own; the built-in one is open, another one closed."""
        sources = [{'name': 'closed', 'scheme': 'closed'}]
        for example in sorted(EXAMPLES.glob('*/sources.json')):
            shutil.copytree(example.parent, path.parent / example.parent.name, dirs_exist_ok=True)
            for source in json.loads(example.read_text())['sources']:
                if source['name'] == 'transactions':
                    continue
                for secret in source.get('secrets', []):
                    secret['file'] = f'{example.parent.name}/{secret["file"]}'
                    if secret['file'].endswith('/secret'):
                        self.write_secret(path.parent / secret['file'])
                sources.append(change(source))
                if source['name'] == 'bank':
                    sources.append(self.write_by_header(path, source))
        path.write_text(json.dumps({'sources': sources}, indent=1))
        return [source['name'] for source in sources]

    def write_by_header(self, path, bank):
        """A source like the bank's, with the id of the request's header as that of the event."""
        self.secrets.append('whsec_' + base64.b64encode(os.urandom(24)).decode())
        (path.parent / 'by-header').write_text(self.secrets[-1])
        return dict(bank, name='by-header', secrets=[{'file': 'by-header'}], mapping=dict(bank['mapping'], transaction_id={'header': 'webhook-id'}))

    def start(self):
        self.names = self.write_sources(self.sources)
        configured = json.loads(self.sources.read_text())
        configured['sources'].append(
            {'name': 'form-member', 'scheme': 'none', 'body': {'form_member': 'payload'},
             'mapping': {'transaction_id': {'at': '/id'}, 'source_account': {'value': 'a'}, 'destination_account': {'value': 'b'},
                         'amount': {'at': '/n', 'unit': 'major'}, 'currency': {'value': 'EUR'}, 'payment_id': {'at': '/payment'},
                         'occurred_at': {'at': '/at', 'unit': 's'}}})
        self.sources.write_text(json.dumps(configured, indent=1))
        self.hint = self.payhook('up', '-d')

    def sql(self, text):
        return self.payhook('psql', '-X', '-q', '-At', '-c', text)


    def count(self, condition):
        return int(self.sql(f'SELECT count(*) FROM payhook.transactions WHERE {condition}'))

    def tool(self, source, *arguments, sources=None):
        """The program that ./payhook runs, which builds first."""
        environment = dict(self.environment, SOURCES_FILE=str(sources or self.sources))
        return subprocess.run([CTL, 'send', *source, '--url', f'http://localhost:{PORT}', '--examples', EXAMPLES, *arguments], env=environment,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def send(self, source, *arguments, status=0):
        ran = self.tool([source], *arguments)
        assert ran.returncode == status, f'{arguments}: status {ran.returncode}: {ran.stdout}'
        return ran.stdout

    def refuses(self, text, *arguments, sources=None):
        ran = self.tool(arguments[:1], *arguments[1:], sources=sources)
        assert ran.returncode == 2 and text in ran.stdout and 'answer     ' not in ran.stdout, f'{arguments}: {ran.returncode}: {ran.stdout}'


def signing_sources(world):
    """Those that have a secret to sign with."""
    return [name for name in world.names if name not in ('closed', 'paypal', 'wise')]


def each_source_accepts_a_new_event_in_each_run(world):
    for name in signing_sources(world):
        for _ in range(2):
            assert 'answer     20' in world.send(name)
        ids = int(world.sql(f"SELECT count(DISTINCT transaction_id) FROM payhook.transactions WHERE source = '{name}'"))
        assert ids >= 2, f'{name}: {ids} events'
    old = world.sql("SELECT source FROM payhook.transactions WHERE occurred_at < now() - interval '1 h' OR occurred_at > now() + interval '1 h'")
    assert old == '', f'the times of {old} are not of now'


def the_built_in_source_takes_payhooks_own_form(world):
    assert 'answer     202' in world.send('transactions')
    assert world.count("source = 'transactions'") == 1


def a_kind_may_be_wanted(world):
    assert ', refunded, 250.00 USD' in world.send('stripe', '--kind', 'refunded')
    assert 'life.json' in world.send('stripe', '--kind', 'charge.dispute.created')
    assert world.count("source = 'stripe' AND kind = 'disputed'") == 1
    assert ', captured, ' in world.send('adyen', '--kind', 'captured')
    for name in ('paystack', 'paddle', 'gocardless', 'cashfree', 'xendit', 'shopify', 'razorpay', 'square', 'adyen'):
        before = world.count(f"source = '{name}' AND kind = 'refunded'")
        assert ', refunded' in world.send(name, '--kind', 'refunded'), name
        assert world.count(f"source = '{name}' AND kind = 'refunded'") == before + 1, name
    assert 'shopify/refund.http' in world.send('shopify', '--kind', 'refunded')
    world.refuses('--kind lost: no example for the source stripe is of this kind; there are: ', 'stripe', '--kind', 'lost')
    world.refuses('there are: examples without a kind', 'ledger', '--kind', 'refunded')


def json_in_a_form_gets_new_ids(world):
    folder = world.folder / 'examples/form-member'
    folder.mkdir(parents=True)
    payload = json.dumps({'id': 'evt_Example0001', 'payment': 'pay_Example0001', 'at': 1771502398, 'n': '15.00', 'note': 'a b&c=d'})
    body = 'v=1&' + urllib.parse.urlencode({'payload': payload})
    (folder / 'request.http').write_text(f'POST /v1/webhooks/form-member HTTP/1.1\nContent-Type: application/x-www-form-urlencoded\n\n{body}')
    examples = ('--examples', str(folder.parent))
    sent = [world.send('form-member', *examples) for _ in range(2)] + [world.send('form-member', '--conflict', *examples)]
    assert all('answer     202' in each for each in sent), sent
    stored = world.sql("SELECT transaction_id, payment_id, amount FROM payhook.transactions WHERE source = 'form-member'").splitlines()
    assert len(set(stored)) == 3 and not any('Example0001' in row for row in stored), stored
    assert world.count("source = 'form-member' AND occurred_at BETWEEN now() - interval '1 h' AND now() + interval '1 h'") == 3
    assert int(world.sql("SELECT count(*) FROM payhook.transaction_conflicts WHERE source = 'form-member'")) == 1


def a_bad_signature_and_an_old_one_are_refused(world):
    before = world.count('true')
    for name in set(signing_sources(world)) - {'mollie'}:
        assert 'answer     401' in world.send(name, '--bad-signature')
    for name in ('stripe', 'bank', 'clearing'):
        assert 'answer     401' in world.send(name, '--old')
    world.refuses('the scheme github signs no time', 'ledger', '--old')
    world.refuses('the source takes unsigned webhooks', 'transactions', '--bad-signature')
    assert world.count('true') == before
    causes = world.sql("SELECT DISTINCT cause FROM payhook.auth_failures ORDER BY 1").split()
    assert causes == ['old', 'wrong'], causes


def a_duplicate_is_stored_once(world):
    for name in ('stripe', 'square', 'adyen'):
        before = world.count(f"source = '{name}'")
        first = world.send(name, '--duplicate')
        after = world.count(f"source = '{name}'")
        assert first.count('answer     202') == 2, first
        world.send(name, '--duplicate')
        assert world.count(f"source = '{name}'") == after > before


def an_id_of_a_header_is_new_in_each_run_and_the_same_in_a_duplicate(world):
    for option in ('--duplicate', '--duplicate', '--conflict'):
        before = world.count("source = 'by-header'")
        world.send('by-header', option)
        assert world.count("source = 'by-header'") <= before + 1, option
    assert world.sql("SELECT count(*) FROM payhook.transaction_conflicts WHERE source = 'by-header'") == '1'


def a_conflict_is_kept(world):
    before = int(world.sql('SELECT count(*) FROM payhook.transaction_conflicts'))
    assert 'again      with another amount' in world.send('stripe', '--conflict')
    world.send('adyen', '--conflict')
    assert int(world.sql('SELECT count(*) FROM payhook.transaction_conflicts')) > before + 1


def mistakes_are_reported(world):
    world.refuses('no source is named nobody; there are: ', 'nobody')
    world.refuses('the source closed is closed, and its URL answers 404', 'closed')
    world.refuses('it has no secret to sign with: with its public keys only the provider can sign', 'paypal')
    world.refuses('usage: send SOURCE', '--old')
    world.refuses('usage: send SOURCE', 'stripe', '--old', '--duplicate')
    world.refuses('usage: send SOURCE', 'stripe', '--kind')
    world.refuses('--url gopher://x: ', 'stripe', '--url', 'gopher://x')
    other = world.folder / 'other'
    other.mkdir()
    world.write_sources(other / 'sources.json')
    (other / 'stripe/secret').unlink()
    world.refuses('it cannot be opened', 'stripe', sources=other / 'sources.json')

    def foreign(source):
        source.pop('events', None)
        source['mapping'] = {'transaction_id': {'at': '/nothing/of/this'}, 'source_account': {'value': 'a'}, 'destination_account': {'value': 'b'},
                             'amount': {'at': '/nothing', 'unit': 'major'}, 'currency': {'value': 'EUR'}}
        return source
    world.write_sources(other / 'sources.json', lambda source: foreign(source) if source['name'] == 'stripe' else source)
    world.refuses('no example of ', 'stripe', sources=other / 'sources.json')
    ran = world.tool(['stripe'], '--url', 'http://127.0.0.1:1')
    assert ran.returncode == 1 and 'there is no answer from http://127.0.0.1:1/v1/webhooks/stripe: ' in ran.stdout, ran.stdout


def no_secret_is_printed(world):
    output = ''.join(world.tool([name], option).stdout for name in ('stripe', 'bank') for option in ('--conflict', '--bad-signature'))
    for secret in world.secrets:
        assert secret not in output


def a_program_of_ones_own_gets_what_is_sent(world):
    posted = []

    class Program(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            posted.append((self.headers['Idempotency-Key'], json.loads(self.rfile.read(int(self.headers['Content-Length'])))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *arguments):
            pass

    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Program)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    listening = subprocess.Popen([ROOT / 'payhook', 'listen', '--source', 'stripe', '--to', f'http://127.0.0.1:{server.server_port}/'],
                                 env=world.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        said = []
        while not said or 'listening' not in said[-1]:
            said.append(listening.stderr.readline())
            assert said[-1], f'it ended: {said}'
        world.send('square')
        sent = world.send('stripe', '--kind', 'captured')
        shown = listening.stdout.readline()
        assert ' stripe evt_' in shown and ' captured 1099.00 USD pi_' in shown, shown
        assert ' answers 204 after ' in listening.stderr.readline()
        key, event = posted[0]
        assert key == f'stripe/{event["transaction_id"]}' and event['kind'] == 'captured', posted
        assert f'event      {event["transaction_id"]}, captured' in sent, sent
    finally:
        listening.terminate()
        listening.wait()
        server.shutdown()


def up_names_what_works(world):
    assert '/v1/webhooks/transactions -H' in world.hint, world.hint
    world.payhook('down')
    names = json.loads(world.sources.read_text())
    names['sources'].append({'name': 'transactions', 'scheme': 'closed'})
    world.sources.write_text(json.dumps(names))
    hint = world.payhook('up', '-d')
    assert 'curl' not in hint and f'  {ROOT}/payhook send ' in hint, hint
    name = hint.split('payhook send ')[1].split()[0]
    assert 'answer     20' in world.payhook('send', name)


tests = [each_source_accepts_a_new_event_in_each_run, the_built_in_source_takes_payhooks_own_form, a_kind_may_be_wanted,
         json_in_a_form_gets_new_ids, a_bad_signature_and_an_old_one_are_refused, a_duplicate_is_stored_once,
         an_id_of_a_header_is_new_in_each_run_and_the_same_in_a_duplicate, a_conflict_is_kept, mistakes_are_reported, no_secret_is_printed,
         a_program_of_ones_own_gets_what_is_sent, up_names_what_works]


def main():
    failed = 0
    print(f'1..{len(tests)}', flush=True)
    with tempfile.TemporaryDirectory(prefix='payhook-send-') as folder:
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
                    print('# ' + str(problem).replace('\n', '\n# '), flush=True)
        except (AssertionError, OSError, subprocess.CalledProcessError) as error:
            print(f'Bail out! {error}')
            failed += 1
        finally:
            world.payhook('down')
    sys.exit(failed > 0)


main()
