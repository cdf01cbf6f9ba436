#!/usr/bin/env -S python3 -B
"""test_example_requests.py - the request of each folder of docs/sources, posted over TLS to a running payhook; prints TAP.

One that signs no time is posted as it stands.  The time of the others has passed, and github, hmac and standard-webhooks have the
secret of razorpay, which two sources of one file may not share; these are signed here, by Python and openssl.  What each becomes is written out below,
from the folder's page, and not read from its mapping."""

import base64
import decimal
import functools
import gzip
import hashlib
import hmac
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'support'))
import example_signing  # noqa: E402
import running_payhook  # noqa: E402

EXAMPLES = running_payhook.ROOT / 'docs/sources'
PORT = 31000 + os.getpid() % 500 * 3
ACCEPTED = '{"message":"Accepted"}'
SHARED = {'github': '{}', 'hmac': '{}', 'standard-webhooks': 'whsec_{}'}  # folders that get a secret of their own, in this form


class Example:
    """rows: (transaction_id, kind, payment_id, amount, currency) of each transaction; altered: bytes of the body, or of the target,
    and what takes their place."""

    def __init__(self, rows, altered, status=202, text=ACCEPTED, is_anew=False):
        self.rows, self.altered, self.status, self.text, self.is_anew = rows, altered, status, text, is_anew


REQUEST_ID = object()  # the identity of Mollie's: of every request
EXAMPLES_BY_FOLDER = {
    'adyen': Example([('AUTHORISATION:PAYHOOKEXAMPLE01:true', 'authorised', 'PAYHOOKEXAMPLE01', '1130.50', 'EUR'),
                      ('AUTHORISATION:PAYHOOKEXAMPLE02:true', 'authorised', 'PAYHOOKEXAMPLE02', '15000', 'CLP')], (b'113050', b'913050')),
    'adyen-management': Example([('paymentMethod.created:PM3PAYHOOK0EXAMPLE00001:2026-02-19T12%3A59%3A58+01%3A00', 'other', '', '', '')],
                                (b'visa', b'disc'), 200, '[accepted]'),
    'cashfree': Example([('PAYMENT_SUCCESS_WEBHOOK:1453002795', 'captured', 'order_PayhookExample_1', '1500.50', 'INR')],
                        (b'1500.5', b'9500.5'), 200, is_anew=True),
    'github': Example([('txn_payhook_example_1', '', '', '1500.50', 'INR')], (b'1500.50', b'9500.50'), is_anew=True),
    'gocardless': Example([('payments:EV0PAYHOOK0001', 'captured', 'PM0PAYHOOK0001', '', ''),
                           ('payments:EV0PAYHOOK0002', 'failed', 'PM0PAYHOOK0002', '', '')], (b'confirmed', b'chargedba')),
    'hmac': Example([('clearing-90210', '', '', '12.50', 'GBP'), ('clearing-90212', '', '', '0.455', 'KWD')], (b'12.5', b'92.5'), is_anew=True),
    'mercado-pago': Example([('1320000001:11111111-2222-4333-8444-555555555555', 'other', '1320000001', '', '')],
                            (b'data.id=132', b'data.id=232'), 200, is_anew=True),
    'mollie': Example([(REQUEST_ID, 'other', 'tr_PayhookExample01', '', '')], None, 200),
    'paddle': Example([('transaction.completed:evt_01payhookexample00000000001', 'captured', 'txn_01payhookexample00000000001', '1099.00',
                        'USD')], (b'109900', b'909900'), is_anew=True),
    'paypal': Example([('WH-0PAYHOOK0EXAMPLE01-1PAYHOOK0EXAMPLE01', 'captured', '0PAYHOOKEXAMPLE01', '30.00', 'USD')],
                      (b'30.00', b'90.00'), is_anew=True),
    'paystack': Example([('charge.success:302961', 'captured', 'PayhookExample01', '10000.00', 'NGN')], (b'1000000', b'9000000')),
    'razorpay': Example([('payment.captured:pay_PayhookExample01:1771502399', 'captured', 'pay_PayhookExample01', '1500.50', 'INR')],
                        (b'150050', b'950050')),
    'shopify': Example([('gid://shopify/Order/820982911946154508|paid', 'captured', '820982911946154508', '398.00', 'USD')],
                       (b'398.00', b'998.00')),
    'square': Example([('11111111-2222-4333-8444-555555555555', 'captured', 'PayhookExamplePayment0001ZY', '42.50', 'USD')],
                      (b'4250', b'9250')),
    'standard-webhooks': Example([('pmt_01PayhookExample', '', '', '149.90', 'EUR')], (b'149.90', b'949.90'), is_anew=True),
    'stripe': Example([('evt_3PayhookExample0001', 'captured', 'pi_3PayhookExample0001', '1099.00', 'USD')], (b'109900', b'909900'),
                      is_anew=True),
    'wise': Example([('balances#update|2000000001|1234567|2026-02-19T11:59:58Z', 'captured', 'BNK-PayhookExample', '149.9', 'EUR')],
                    (b'149.9', b'949.9'), 200),
    'xendit': Example([('579c8d61f23fa4ca35e52da4:PAID', 'captured', '579c8d61f23fa4ca35e52da4', '50000', 'IDR')], None),
    'xero': Example([('717f2bfc-c6d4-41fd-b238-3f2f0c0cf777|UPDATE|2026-02-19T11:59:58.902', 'other',
                      '717f2bfc-c6d4-41fd-b238-3f2f0c0cf777', '', '')], (b'UPDATE', b'CREATE'), 200, ''),
}


class World(running_payhook.Payhook):
    def __init__(self, folder):
        super().__init__(folder, PORT, TLS_PORT=str(PORT + 1), PROCESSOR_DELAY_MS='0', LOG_LEVEL='debug')
        self.sources, self.secrets = {}, []
        for name in EXAMPLES_BY_FOLDER:
            shutil.copytree(EXAMPLES / name, self.folder / name)
            if name in SHARED:
                (self.folder / name / 'secret').write_text(SHARED[name].format(base64.b64encode(os.urandom(24)).decode()))
            source = json.loads((EXAMPLES / name / 'sources.json').read_text())['sources'][0]
            self.sources[name] = source
        self.secrets = [path.read_text().strip() for path in self.folder.glob('*/secret')]
        self.write_sources([self.with_paths(name, source) for name, source in self.sources.items()] + [{'name': 'transactions', 'scheme': 'closed'}])

    @staticmethod
    def with_paths(name, source):
        return {**source, 'secrets': [{**secret, 'file': f'{name}/{secret["file"]}'} for secret in source['secrets']]} \
            if 'secrets' in source else source

    def rows(self, folder):
        text = self.sql("SELECT transaction_id, coalesce(kind, ''), coalesce(payment_id, ''), coalesce(amount::text, ''),"
                        f" coalesce(currency, '') FROM payhook.transactions WHERE source = '{self.sources[folder]['name']}'"
                        ' ORDER BY transaction_id COLLATE "C"')
        return [tuple(line.rsplit('|', 4)) for line in text.split('\n') if line]  # an identity may have bars

    def send(self, request, without=(), **changed):
        target, headers, body = request
        kept = {name: text for name, text in headers.items() if name.lower() not in ('host', 'content-length', *without)}
        return self.post(target, body, [*{**kept, **changed}.items()])


def parse(folder, name='request.http'):
    head, _, body = (EXAMPLES / folder / name).read_bytes().partition(b'\n\n')
    first, *lines = head.decode().split('\n')
    return first.split(' ')[1], dict(line.split(': ', 1) for line in lines), body


def sign_anew(world, folder, target, headers, body):
    """The headers of a signature of now."""
    now, secret = int(time.time()), (world.folder / folder / 'secret')
    key = secret.read_text().strip().encode() if secret.exists() else b''
    if folder == 'github':
        return {'X-Hub-Signature-256': 'sha256=' + hmac.new(key, body, 'sha256').hexdigest()}
    if folder == 'stripe':
        return {'Stripe-Signature': f't={now},v1=' + hmac.new(key, f'{now}.'.encode() + body, 'sha256').hexdigest()}
    if folder == 'standard-webhooks':
        made = hmac.new(base64.b64decode(key.removeprefix(b'whsec_')), f'{headers["webhook-id"]}.{now}.'.encode() + body, 'sha256').digest()
        return {'webhook-timestamp': str(now), 'webhook-signature': 'v1,' + base64.b64encode(made).decode()}
    if folder == 'paypal':
        when = time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(now))
        text = f'{headers["PAYPAL-TRANSMISSION-ID"]}|{when}|{world.sources[folder]["webhook_id"]}|{zlib.crc32(body)}'
        made = subprocess.run(['openssl', 'dgst', '-sha256', '-sign', EXAMPLES / folder / 'example-signing-key.pem'], input=text.encode(),
                              check=True, stdout=subprocess.PIPE).stdout
        return {'PAYPAL-TRANSMISSION-TIME': when, 'PAYPAL-TRANSMISSION-SIG': base64.b64encode(made).decode()}
    return example_signing.sign(world.sources[folder], world.folder / folder, body, now, target, headers)


def request_of(world, folder):
    target, headers, body = parse(folder)
    if not EXAMPLES_BY_FOLDER[folder].is_anew:
        return target, headers, body
    made = sign_anew(world, folder, target, headers, body)
    names = {name.lower() for name in made}
    return target, {**{name: text for name, text in headers.items() if name.lower() not in names}, **made}, body


def check_answer(answer, example):
    assert (answer.status, answer.text) == (example.status, example.text), f'{answer}; {example.status} {example.text} wanted'


def check_rows(rows, wanted):
    def numeric(row):
        return (*row[:3], decimal.Decimal(row[3]) if row[3] else None, row[4])
    assert [numeric(row) for row in rows] == [numeric(row) for row in wanted], f'{rows}; {wanted} wanted'


def the_request_is_stored_once_with_what_the_page_promises(folder, world):
    example, request = EXAMPLES_BY_FOLDER[folder], request_of(world, folder)
    answers = [world.send(request) for _ in range(2)]
    for answer in answers:
        check_answer(answer, example)
    ids = [answer.request_id for answer in answers]
    check_rows(world.rows(folder), sorted((name, *row[1:]) for row in example.rows
                                          for name in (ids if row[0] is REQUEST_ID else [row[0]])))
    kept = world.sql(f"SELECT DISTINCT encode(body, 'hex') FROM payhook.payloads WHERE source = '{world.sources[folder]['name']}'")
    assert kept == request[2].hex(), 'the body is not kept as it came'


def an_altered_one_is_refused(folder, world):
    target, headers, body = request_of(world, folder)
    before, (old, new) = world.rows(folder), EXAMPLES_BY_FOLDER[folder].altered
    other = target.replace(old.decode(), new.decode()), headers, body.replace(old, new, 1)
    assert other != (target, headers, body), f'{old} is not there'
    assert (answer := world.send(other)).status == 401, answer
    assert world.rows(folder) == before


def another_token_than_xendits_is_refused(world):
    before = world.rows('xendit')
    assert (answer := world.send(parse('xendit'), **{'x-callback-token': 'this_is_another_token_of_xendit'})).status == 401, answer
    assert (answer := world.send(parse('xendit'), without=('x-callback-token',))).status == 401, answer
    assert world.rows('xendit') == before


def xeros_intent_to_receive_is_answered_by_its_signature(world):
    before, body = world.rows('xero'), b'{"events":[],"firstEventSequence":0,"lastEventSequence":0,"entropy":"S0m3r4Nd0mt3xt"}'
    right = base64.b64encode(hmac.new((EXAMPLES / 'xero/secret').read_text().strip().encode(), body, hashlib.sha256).digest()).decode()
    for signature, status in ((right, 200), ('A' * 43 + '=', 401)):
        target, headers, _ = parse('xero')
        answer = world.send((target, {**headers, 'x-xero-signature': signature}, body))
        assert answer.status == status and (status == 401 or answer.text == ''), answer
    assert world.rows('xero') == before


def wises_test_is_answered_and_not_stored(world):
    target, headers, _ = parse('wise')
    before = world.rows('wise')
    answer = world.send((target, {**headers, 'X-Test-Notification': 'true'}, b'{"data":{},"event_type":"balances#credit"}'))
    assert answer.status == 200, answer
    assert world.rows('wise') == before


def a_body_of_shopifys_under_another_topic_is_ignored(world):
    before = world.rows('shopify')
    for topic in ('refunds/create', 'orders/create'):
        answer = world.send(parse('shopify'), **{'X-Shopify-Topic': topic})
        assert (answer.status, answer.text) == (200, '{"message":"Ignored"}'), answer
    assert world.rows('shopify') == before


def a_refund_of_shopifys_is_of_the_order(world):
    before = world.rows('shopify')
    for _ in range(2):
        check_answer(world.send(parse('shopify', 'refund.http')), EXAMPLES_BY_FOLDER['shopify'])
    new = [row for row in world.rows('shopify') if row not in before]
    check_rows(new, [('gid://shopify/Refund/9293614620017|success', 'refunded', '820982911946154508', '25.00', 'USD')])


def adyens_signatures_are_read_in_gzip_too(world):
    before, (target, headers, body), (old, new) = world.rows('adyen'), parse('adyen'), EXAMPLES_BY_FOLDER['adyen'].altered
    for sent, status in ((body, 202), (body.replace(old, new, 1), 401), (body[:-1], 401)):
        answer = world.send((target, headers, gzip.compress(sent)), **{'Content-Encoding': 'gzip'})
        assert answer.status == status, answer
    assert world.rows('adyen') == before


def no_secret_is_in_a_log_or_a_table(world):
    logs = world.logs(world.send(parse('xero')))
    assert {'pool.log', 'worker.log', 'access.log'} <= logs.keys(), logs.keys()
    found = [f'{name}: {secret}' for secret in world.secrets for name, log in logs.items() if secret.encode() in log]
    assert not found, '\n'.join(found)
    assert (tables := world.tables_with(world.secrets)) == [], tables


def every_folder_is_in_the_table(_):
    folders = sorted(path.parent.name for path in EXAMPLES.glob('*/sources.json'))
    assert folders == sorted(EXAMPLES_BY_FOLDER), f'the folders are {folders}'


def main():
    tests = [(f'{folder}: {test.__name__.replace("_", " ")}', functools.partial(test, folder)) for folder, example in EXAMPLES_BY_FOLDER.items()
             for test in (the_request_is_stored_once_with_what_the_page_promises, *[an_altered_one_is_refused] * (example.altered is not None))]
    tests += [(test.__name__.replace('_', ' '), test) for test in (
        another_token_than_xendits_is_refused, xeros_intent_to_receive_is_answered_by_its_signature, wises_test_is_answered_and_not_stored,
        a_body_of_shopifys_under_another_topic_is_ignored, a_refund_of_shopifys_is_of_the_order,
        adyens_signatures_are_read_in_gzip_too, no_secret_is_in_a_log_or_a_table,
        every_folder_is_in_the_table)]
    running_payhook.run_tests('payhook-examples-', World, tests)


main()
