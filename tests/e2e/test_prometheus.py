#!/usr/bin/env -S python3 -B
"""test_prometheus.py - the dashboard, the alerts and the scrape configuration work with a real Prometheus; prints TAP.

A payhook gets webhooks of every outcome, and a Prometheus scrapes it with ops/prometheus/prometheus.yml, in which
only the targets are changed.  Then every expression of the dashboard and of the alerts is evaluated."""

import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
OPS = ROOT / 'ops'
# Names that this scrape cannot contain, with the reason.
ELSEWHERE = {
    'node_filesystem_avail_bytes': 'of node_exporter',
    'node_filesystem_size_bytes': 'of node_exporter',
    'payhook_replication_lag_seconds': 'there is no standby',
}
METRIC = re.compile(r'\b(?:payhook|node)_[a-z_]+\b')
SUFFIX = re.compile(r'_(?:bucket|sum|count)$')
WITHIN_S = 60

tests = []


def test(function):
    tests.append(function)
    return function


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(('127.0.0.1', 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def get(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read().decode()


def ask(prometheus, what, **parameters):
    try:
        answer = json.loads(get(f'{prometheus}/api/v1/{what}?{urllib.parse.urlencode(parameters)}'))
    except urllib.error.HTTPError as error:
        raise AssertionError(f'{parameters}: {error.read().decode()}') from error
    assert answer['status'] == 'success', answer
    return answer['data']


def until(what, condition):
    deadline = time.monotonic() + WITHIN_S
    while time.monotonic() < deadline:
        try:
            if condition():
                return
        except OSError:
            pass
        time.sleep(0.1)
    raise AssertionError(f'not within {WITHIN_S} s: {what}')


def post(base, body):
    request = urllib.request.Request(f'{base}/v1/webhooks/transactions', body.encode(), {'Content-Type': 'application/json'})
    try:
        return urllib.request.urlopen(request, timeout=10).status
    except urllib.error.HTTPError as error:
        return error.code


def webhook(name, amount):
    return json.dumps({'transaction_id': name, 'source_account': 'a', 'destination_account': 'b', 'amount': amount,
                       'currency': 'EUR'})


class World:
    """A payhook and a Prometheus, in one directory."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='payhook-prometheus-', dir='/tmp'))
        self.folder.chmod(0o755)
        port, worker_port, prometheus_port, tls_port = free_ports(4)
        (self.folder / 'env').touch()
        self.environment = os.environ | {
            'PAYHOOK_VAR': str(self.folder / 'var'), 'PAYHOOK_ENV_FILE': str(self.folder / 'env'),
            'PAYHOOK_PORT': str(port), 'WORKER_METRICS_PORT': str(worker_port), 'TLS_PORT': str(tls_port),
            'PROCESSOR_DELAY_MS': '0'}
        self.targets = {'localhost:80': f'localhost:{port}', 'localhost:9464': f'localhost:{worker_port}'}
        self.payhook = f'http://localhost:{port}'
        self.prometheus = f'http://localhost:{prometheus_port}'
        self.server = None

    def start(self):
        subprocess.run([ROOT / 'payhook', 'up', '-d'], env=self.environment, check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        for number in range(20):
            assert post(self.payhook, webhook(f't{number}', 1)) == 202
        assert post(self.payhook, webhook('t1', 1)) == 202
        assert post(self.payhook, webhook('t1', 2)) == 202
        assert post(self.payhook, '{') == 400
        config = (OPS / 'prometheus/prometheus.yml').read_text().replace('15s', '1s')
        for shipped, ours in self.targets.items():
            assert shipped in config, f'{shipped} is not in the scrape configuration'
            config = config.replace(shipped, ours)
        (self.folder / 'prometheus.yml').write_text(config)
        shutil.copy(OPS / 'prometheus/alerts.yml', self.folder)
        self.server = subprocess.Popen(
            ['prometheus', f'--config.file={self.folder}/prometheus.yml', f'--storage.tsdb.path={self.folder}/tsdb',
             f'--web.listen-address={self.prometheus.removeprefix("http://")}'],
            stdout=subprocess.DEVNULL, stderr=(self.folder / 'prometheus.log').open('w'))
        until('Prometheus is ready', lambda: get(f'{self.prometheus}/-/ready'))
        until('each payhook target scraped three times', self.is_scraped)

    def is_scraped(self):
        counts = ask(self.prometheus, 'query', query='sum_over_time(up{job=~"payhook.*"}[1m])')['result']
        return sum(float(each['value'][1]) >= 3 for each in counts) == 2

    def end(self):
        if self.server:
            self.server.terminate()
            self.server.wait(20)
        subprocess.run([ROOT / 'payhook', 'down'], env=self.environment, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, check=False)
        shutil.rmtree(self.folder, ignore_errors=True)


def dashboard_expressions():
    board = json.loads((OPS / 'grafana/payhook.json').read_text())
    return [target['expr'] for panel in board['panels'] for target in panel['targets']]


def alert_groups(world):
    return ask(world.prometheus, 'rules')['groups']


@test
def every_query_of_the_dashboard_is_answered(world):
    expressions = dashboard_expressions()
    assert len(expressions) > 20
    for expression in expressions:
        ask(world.prometheus, 'query', query=expression.replace('$__rate_interval', '1m'))


@test
def the_first_row_of_the_dashboard_is_six_numbers(world):
    panels = json.loads((OPS / 'grafana/payhook.json').read_text())['panels']
    row = [panel for panel in panels if panel['gridPos']['y'] == 0]
    assert [panel['title'] for panel in row] == ['Accepted a second', 'Response time, p99', 'Oldest job', 'Dead jobs', 'Paused', 'Circuit']
    assert {panel['type'] for panel in row} == {'stat'} and panels[:6] == row
    assert len({panel['id'] for panel in panels}) == len(panels)
    for panel in row:
        [target] = panel['targets']
        query = target['expr'].replace('$__rate_interval', '1m')
        # A rate needs two scrapes.
        until(f'one value of {panel["title"]}', lambda query=query: len(ask(world.prometheus, 'query', query=query)['result']) == 1)


@test
def every_metric_of_dashboard_and_alerts_is_scraped(world):
    there = set(ask(world.prometheus, 'label/__name__/values'))
    text = ' '.join(dashboard_expressions()) + ' '.join(rule['query'] for group in alert_groups(world)
                                                        for rule in group['rules'])
    named = set(METRIC.findall(text))
    missing = {name for name in named - there if SUFFIX.sub('', name) not in there} - set(ELSEWHERE)
    assert not missing, f'nothing scraped is called {sorted(missing)}'
    assert not set(ELSEWHERE) & there, 'a name in ELSEWHERE is scraped after all'


@test
def the_dashboard_shows_what_was_sent(world):
    for outcome, count in {'accepted': 20, 'duplicate': 1, 'conflict': 1, 'invalid': 1}.items():
        result = ask(world.prometheus, 'query', query=f'sum(payhook_webhooks_total{{outcome="{outcome}"}})')['result']
        assert [each['value'][1] for each in result] == [str(count)], f'{outcome}: {result}'


@test
def every_alert_is_evaluated_and_none_of_a_sound_payhook_fires(world):
    until('all rules evaluated', lambda: all(rule['health'] == 'ok' for group in alert_groups(world)
                                             for rule in group['rules']))
    firing = [rule['name'] for group in alert_groups(world) for rule in group['rules'] if rule['state'] == 'firing']
    # start() causes one conflict.
    assert set(firing) <= {'PayhookConflicts'}, firing


@test
def promtool_has_no_complaint_about_the_metrics(world):
    for target in world.targets.values():
        check = subprocess.run(['promtool', 'check', 'metrics'], input=get(f'http://{target}/metrics'), text=True,
                               capture_output=True, check=False)
        assert check.returncode == 0 and not check.stdout + check.stderr, check.stdout + check.stderr


@test
def every_alert_fires_and_is_silent_as_its_tests_require(world):
    files = sorted((OPS / 'prometheus').glob('*_test.yml'))
    assert len(files) == 2, files
    check = subprocess.run(['promtool', 'test', 'rules', *files], text=True, capture_output=True, check=False)
    assert check.returncode == 0, check.stdout + check.stderr
    tested = [name for file in files for name in re.findall(r'alertname: (\w+)', file.read_text())]
    alerts = {rule['name'] for group in alert_groups(world) for rule in group['rules']}
    assert alerts == set(tested), f'alerts and their tests differ: {alerts ^ set(tested)}'


@test
def every_alert_has_its_section_in_the_runbook(world):
    rules = [rule for group in alert_groups(world) for rule in group['rules']]
    headings = re.findall(r'^## (\w+)$', (ROOT / 'docs/runbook.md').read_text(), re.MULTILINE)
    assert sorted(headings) == sorted(rule['name'] for rule in rules)
    for rule in rules:
        assert rule['annotations']['runbook'] == f'docs/runbook.md#{rule["name"].lower()}', rule['name']


def main():
    world, failed = World(), 0
    print(f'1..{len(tests)}', flush=True)
    try:
        world.start()
        for number, each in enumerate(tests, 1):
            name, problem = each.__name__.replace('_', ' '), None
            try:
                each(world)
            except AssertionError as error:
                problem, failed = error, failed + 1
            print(f'{"not ok" if problem else "ok"} {number} - {name}', flush=True)
            if problem:
                print(*(f'# {line}' for line in str(problem).splitlines()), sep='\n', flush=True)
    except (AssertionError, OSError, subprocess.CalledProcessError) as error:
        print(f'Bail out! {error}')
        failed += 1
    finally:
        world.end()
    sys.exit(failed > 0)


main()
