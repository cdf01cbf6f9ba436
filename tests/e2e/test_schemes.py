#!/usr/bin/env -S python3 -B
"""test_schemes.py - every signature scheme and every word of it, over HTTP: right, wrong and altered requests to a running payhook;
prints TAP.

The table of requests, with the answer and the rows of each, is tests/support/scheme_cases.py.  The sources of the schemes token and
basic are admitted by REAL_IP_FROM.  Before payhook stands an nginx that rewrites the path, as an operator's may."""

import functools
import os
import pathlib
import socket
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'support'))
import running_payhook  # noqa: E402
import scheme_cases  # noqa: E402

PORT = 25000 + os.getpid() % 2000 * 3
FRONT = """daemon off;
pid {folder}/front.pid;
error_log stderr;
events {{ }}
http {{
	access_log off;
	client_body_temp_path {folder}/front-body;
	proxy_temp_path {folder}/front-proxy;
	fastcgi_temp_path {folder}/front-fastcgi;
	uwsgi_temp_path {folder}/front-uwsgi;
	scgi_temp_path {folder}/front-scgi;
	server {{
		listen 127.0.0.1:{port};
		location /hooks/ {{ proxy_pass http://127.0.0.1:{behind}/v1/webhooks/; }}
	}}
}}
"""


class World(running_payhook.Payhook):
    def __init__(self, folder):
        super().__init__(folder, PORT, REAL_IP_FROM='127.0.0.1,::1', PROCESSOR_DELAY_MS='0', LOG_LEVEL='debug')
        scheme_cases.write_secrets(self.folder)
        self.write_sources(scheme_cases.sources())
        self.cases = scheme_cases.all_cases(self.folder)
        self.answers = {}  # to the cases that were posted, by their index

    def start(self):
        super().start()
        (self.folder / 'front.conf').write_text(FRONT.format(folder=self.folder, port=PORT + 1, behind=PORT))
        self.front = subprocess.Popen(['nginx', '-p', self.folder, '-c', self.folder / 'front.conf'], stderr=(self.folder / 'front.log').open('w'))
        deadline = time.monotonic() + 20
        while socket.socket().connect_ex(('127.0.0.1', PORT + 1)) != 0:
            assert time.monotonic() < deadline, (self.folder / 'front.log').read_text()
            time.sleep(0.02)

    def stop(self):
        if hasattr(self, 'front'):
            self.front.terminate()
            self.front.wait()
        super().stop()

    def rows(self, source):
        return int(self.sql(f"SELECT count(*) FROM payhook.transactions WHERE source = '{source}'"))

    def send(self, case):
        headers = [('Content-Type', case.type), *case.headers]
        return self.post(case.path + case.source + case.target, case.body, headers, PORT + 1 if case.front else None)


def problem_of(world, case, before):
    """What is wrong with the answer to a case, which is kept; None: nothing."""
    answer = world.send(case)
    world.answers[world.cases.index(case)] = answer
    if answer.status != case.status or (case.text is not None and (case.text not in answer.text or (not case.text and answer.text))):
        return f'{answer}; {case.status} {case.text or ""} wanted'
    if answer.status == 401 and answer.headers['WWW-Authenticate'] != case.challenge:
        return f'WWW-Authenticate: {answer.headers["WWW-Authenticate"]}; {case.challenge} wanted'
    rows = world.rows(case.source) - before
    return f'{rows} new rows, {case.rows} wanted' if rows != case.rows else None


def each_is_answered_and_stored(group, world):
    """The cases of a group, all of them, however many fail."""
    failed = []
    for case in [each for each in world.cases if each.group == group.__name__]:
        problem = problem_of(world, case, world.rows(case.source))
        if problem:
            failed.append(f'{case.source}, {case.what}: {problem}')
    assert not failed, '\n'.join(failed)


def a_repetition_is_answered_alike_and_stored_once(world):
    before, failed = world.sql('SELECT count(*) FROM payhook.transactions'), []
    for index, first in world.answers.items():
        if first.status < 300:
            again = world.send(world.cases[index])
            if (again.status, again.text) != (first.status, first.text):
                failed.append(f'{world.cases[index].source}, {world.cases[index].what}: {first}, then {again}')
    assert not failed, '\n'.join(failed)
    assert world.sql('SELECT count(*) FROM payhook.transactions') == before


def the_operator_learns_each_cause_and_the_sender_none(world):
    refused = {answer.request_id: world.cases[index] for index, answer in world.answers.items() if answer.status == 401}
    texts = {answer.text.replace(answer.request_id, '') for answer in world.answers.values() if answer.status == 401}
    assert len(texts) == 1, texts
    deadline = time.monotonic() + 20
    while True:
        lines = world.sql("SELECT request_id, source, cause FROM payhook.auth_failures").split('\n')
        causes = {line.split('|')[0]: line.split('|')[1:] for line in lines if line}
        if refused.keys() <= causes.keys() or time.monotonic() > deadline:
            break
        time.sleep(0.05)
    failed = [f'{case.source}, {case.what}: {causes.get(name)}, {case.cause} wanted' for name, case in refused.items()
              if causes.get(name, [None])[0] != case.source or (case.cause and causes[name][1] != case.cause)]
    assert not failed, '\n'.join(failed)


def a_form_without_its_field_has_a_code_of_its_own(world):
    name = next(answer.request_id for index, answer in world.answers.items() if world.cases[index].what == 'without the field')
    deadline = time.monotonic() + 20
    while not (found := world.sql(f"SELECT status, is_verified, problems FROM payhook.validation_errors WHERE request_id = '{name}'")):
        assert time.monotonic() < deadline, f'no row of the request {name}'
        time.sleep(0.05)
    assert found == '422|t|form_member', found


def no_secret_and_no_value_is_in_a_log(world):
    logs = world.logs(world.send(world.cases[0]))
    assert {'pool.log', 'worker.log', 'access.log'} <= logs.keys(), logs.keys()
    signatures = [text for case in world.cases for name, text in case.headers if name.lower().endswith('signature') and len(text) > 40]
    found = [f'{name}: {text}' for text in [*scheme_cases.secrets(), scheme_cases.MARK, *signatures] for name, log in logs.items()
             if text.encode() in log]
    assert not found, '\n'.join(found)


def no_secret_is_in_a_table(world):
    assert world.tables_with([scheme_cases.MARK]) != [], 'nothing is found that is there'
    assert (found := world.tables_with(scheme_cases.secrets())) == [], found


def a_secret_that_is_sent_needs_tls_or_a_balancer(world):
    checked = world.run(running_payhook.BUILD / 'app/payhook-app', '--check', DATABASE_URL='postgresql:///nowhere', REAL_IP_FROM=None)
    text = checked.stdout.decode()
    assert checked.returncode != 0 and 'TLS_PORT' in text and 'REAL_IP_FROM' in text, text
    assert not any(secret in text for secret in scheme_cases.secrets())
    for change in ({'TLS_PORT': '443', 'REAL_IP_FROM': None}, {}):
        checked = world.run(running_payhook.BUILD / 'app/payhook-app', '--check', DATABASE_URL='postgresql:///nowhere', **change)
        assert checked.returncode == 0, checked.stdout.decode()


def main():
    tests = [(group.__name__.replace('_', ' ') + ': each request is answered and stored as it has to be',
              functools.partial(each_is_answered_and_stored, group)) for group in scheme_cases.GROUPS]
    tests += [(test.__name__.replace('_', ' '), test) for test in (
        a_repetition_is_answered_alike_and_stored_once, the_operator_learns_each_cause_and_the_sender_none,
        a_form_without_its_field_has_a_code_of_its_own,
        no_secret_and_no_value_is_in_a_log, no_secret_is_in_a_table, a_secret_that_is_sent_needs_tls_or_a_balancer)]
    running_payhook.run_tests('payhook-schemes-', World, tests)


main()
