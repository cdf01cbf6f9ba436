#!/usr/bin/env -S python3 -B
"""test_paypal.py - another body under a signature of PayPal's, which covers no more of a body than its CRC-32; prints TAP.

The source is the example of docs/sources/paypal, with a certificate of the test's own."""

import base64
import datetime
import http.client
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import zlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / 'docs/sources/paypal'
PORT = 13000 + os.getpid() % 2000 * 3
FREE = '0' * 64  # digits of the body that nothing reads, from which any CRC can be made
PATH = '/v1/webhooks/paypal'


class World:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.chmod(0o755)
        (self.folder / 'env').touch()
        self.environment = dict(os.environ, PAYHOOK_ENV_FILE=f'{folder}/env', PAYHOOK_VAR=f'{folder}/var', PAYHOOK_PORT=str(PORT),
                                WORKER_METRICS_PORT=str(PORT + 2), SOURCES_FILE=f'{folder}/sources.json', PROCESSOR_DELAY_MS='100',
                                WORKER_GRACE_MS='200')

    def payhook(self, *arguments):
        ran = subprocess.run([ROOT / 'payhook', *arguments], env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert ran.returncode == 0, ran.stdout.decode()
        return ran.stdout.decode().strip()

    def start(self):
        subprocess.run(['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-noenc', '-days', '2', '-subj', '/CN=example', '-keyout',
                        self.folder / 'key.pem', '-out', self.folder / 'certificate.pem'], check=True, stderr=subprocess.DEVNULL)
        sources = (EXAMPLE / 'sources.json').read_text()
        self.webhook_id = json.loads(sources)['sources'][0]['webhook_id']
        (self.folder / 'sources.json').write_text(sources)
        self.payhook('up', '-d')

    def sql(self, text):
        return self.payhook('psql', '-X', '-q', '-At', '-c', text)

    def sign(self, name, body):
        """The headers of a transmission."""
        time = datetime.datetime.now(datetime.timezone.utc).strftime('%Y-%m-%dT%H:%M:%SZ')
        message = f'{name}|{time}|{self.webhook_id}|{zlib.crc32(body)}'
        signature = subprocess.run(['openssl', 'dgst', '-sha256', '-sign', self.folder / 'key.pem'], input=message.encode(), check=True,
                                   stdout=subprocess.PIPE).stdout
        return {'Content-Type': 'application/json', 'PayPal-Transmission-Id': name, 'PayPal-Transmission-Time': time,
                'PayPal-Auth-Algo': 'SHA256withRSA', 'PayPal-Transmission-Sig': base64.b64encode(signature).decode()}


def post(body, headers):
    connection = http.client.HTTPConnection('127.0.0.1', PORT, timeout=10)
    connection.request('POST', PATH, body, headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


def webhook(name, amount='30.00'):
    """The example as an event with this id, of a capture with this id."""
    body = (EXAMPLE / 'payload.json').read_text().replace('WH-0PAYHOOK0EXAMPLE01-1PAYHOOK0EXAMPLE01', name)
    body = body.replace('0PAYHOOKEXAMPLE01', name).replace('"value":"30.00"', f'"value":"{amount}"')
    return body.replace('Payment completed for $ 30.0 USD', FREE).encode()


def with_crc(body, wanted):
    """The body with digits 0 and 1 in place of FREE that give it this CRC-32.  Each digit flips bits of its own in the CRC, so
    these are linear equations."""
    at, plain, rows = body.index(FREE.encode()), zlib.crc32(body), {}
    for digit in range(len(FREE)):
        flipped = bytearray(body)
        flipped[at + digit] ^= 1
        bits, digits = plain ^ zlib.crc32(flipped), 1 << digit
        while bits and (lead := bits.bit_length()) in rows:
            bits, digits = bits ^ rows[lead][0], digits ^ rows[lead][1]
        if bits:
            rows[bits.bit_length()] = bits, digits
    left, chosen = plain ^ wanted, 0
    while left:
        bits, digits = rows[left.bit_length()]
        left, chosen = left ^ bits, chosen ^ digits
    result = bytearray(body)
    for digit in range(len(FREE)):
        result[at + digit] ^= chosen >> digit & 1
    assert zlib.crc32(result) == wanted
    return bytes(result)


def a_second_body_under_one_signature_is_refused(world):
    body = webhook('FIRST')
    headers = world.sign('first', body)
    assert post(body, headers)[0] == 202
    for other in (webhook('FIRST', '99999.00'), webhook('SECOND', '99999.00')):
        status, text = post(with_crc(other, zlib.crc32(body)), headers)
        assert status == 401, f'{status} {text}'
        assert json.loads(text)['detail'] == 'the webhook is not signed as this source signs', text
    assert world.sql("SELECT transaction_id, amount FROM payhook.transactions WHERE source = 'paypal'") == 'FIRST|30.00'
    assert world.sql("SELECT count(*) FROM payhook.transaction_conflicts") == '0'
    assert post(body, headers)[0] == 202, 'a repetition'


def every_responder_remembers_it(world):
    """Each request goes by a connection of its own, to any of them, and then to fresh ones."""
    body = webhook('THIRD')
    headers = world.sign('third', body)
    other = with_crc(webhook('FOURTH'), zlib.crc32(body))
    assert post(body, headers)[0] == 202
    statuses = [post(other, headers)[0] for _ in range(40)]
    assert statuses == [401] * 40, statuses
    world.payhook('reload')
    statuses = [post(other, headers)[0] for _ in range(10)]
    assert statuses == [401] * 10, statuses


def another_transmission_of_the_body_is_accepted(world):
    body = webhook('FIFTH')
    for name in ('fifth', 'sixth'):
        assert post(body, world.sign(name, body))[0] == 202


def the_operator_learns_the_cause(world):
    assert int(world.sql("SELECT count(*) FROM payhook.auth_failures WHERE cause = 'reused' AND source = 'paypal'")) > 0
    connection = http.client.HTTPConnection('127.0.0.1', PORT, timeout=10)
    connection.request('GET', '/metrics')
    lines = connection.getresponse().read().decode().splitlines()
    assert any(line.startswith('payhook_auth_failures_total{cause="reused"} ') and not line.endswith(' 0') for line in lines)


tests = [a_second_body_under_one_signature_is_refused, every_responder_remembers_it, another_transmission_of_the_body_is_accepted,
         the_operator_learns_the_cause]


def main():
    failed = 0
    print(f'1..{len(tests)}', flush=True)
    with tempfile.TemporaryDirectory(prefix='payhook-paypal-') as folder:
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
            world.payhook('down')
    sys.exit(failed > 0)


main()
