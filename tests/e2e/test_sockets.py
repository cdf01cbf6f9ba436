#!/usr/bin/env -S python3 -B
"""test_sockets.py - nginx with several sockets, as beside docker compose's containers of responders; prints TAP.

nginx runs with the configuration that ops/nginx.sh writes for two sockets.  A small FastCGI server, or none, answers on
each."""

import http.client
import pathlib
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PREPARE = r'''
set -euo pipefail
HERE=$1 STATE=$2 PAYHOOK_PORT=$3 APP_USER='' PORT_KINDS=4 TLS_PORT='' PAYHOOK_ENV_FILE=/dev/null
fail() { printf '%s\n' "$2" >&2; exit "$1"; }
for script in settings nginx tls; do
	source "$HERE/ops/$script.sh"
done
files_limit
nginx_prepare "${@:4}"
'''
REPLY = b'Status: 202\r\nContent-Length: 2\r\n\r\nok'
END_REQUEST, STDIN, STDOUT = 3, 5, 6


def record(kind, body):
    return struct.pack('>BBHHBB', 1, kind, 1, len(body), 0, 0) + body


class Responder:
    """Answers every request with 202 and keeps its connections; accepts none while it is frozen."""

    def __init__(self, path):
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen(1024)
        path.chmod(0o666)
        self.runs = threading.Event()
        self.runs.set()
        self.answered = 0
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            connection, _ = self.listener.accept()
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        stream = connection.makefile('rb')
        while head := stream.read(8):
            _, kind, _, length, padding, _ = struct.unpack('>BBHHBB', head)
            stream.read(length + padding)
            if kind == STDIN and length == 0:
                self.runs.wait()
                self.answered += 1
                try:
                    connection.sendall(record(STDOUT, REPLY) + record(STDOUT, b'') + record(END_REQUEST, bytes(8)))
                except OSError:
                    return


class World:
    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='payhook-sockets-'))
        self.folder.chmod(0o755)
        self.nginx = None

    def start(self):
        for name in ('nginx', 'log'):
            (self.folder / name).mkdir()
        with socket.socket() as port:
            port.bind(('127.0.0.1', 0))
            self.port = port.getsockname()[1]
        paths = [self.folder / 'first.sock', self.folder / 'second.sock']
        self.responders = [Responder(path) for path in paths]
        subprocess.run(['bash', '-c', PREPARE, 'bash', ROOT, self.folder, str(self.port), *paths], check=True)
        # pylint: disable-next=consider-using-with
        self.nginx = subprocess.Popen(['nginx', '-p', f'{self.folder}/nginx/', '-c', 'nginx.conf', '-e', 'stderr'],
                                      stderr=(self.folder / 'log/nginx.log').open('w'))
        deadline = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(('127.0.0.1', self.port)).close()
                return
            except OSError:
                assert time.monotonic() < deadline, (self.folder / 'log/nginx.log').read_text()
                time.sleep(0.02)

    def end(self):
        if self.nginx:
            self.nginx.terminate()
            self.nginx.wait()
        shutil.rmtree(self.folder)

    def post(self):
        """The status of a webhook, and the seconds that it took."""
        connection, since = http.client.HTTPConnection('127.0.0.1', self.port, timeout=10), time.monotonic()
        connection.request('POST', '/v1/webhooks/transactions', '{}', {'Content-Type': 'application/json'})
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return answer.status, time.monotonic() - since


def both_sockets_get_requests(world):
    statuses = [world.post()[0] for _ in range(40)]
    assert statuses == [202] * 40, statuses
    assert min(each.answered for each in world.responders) > 0


def a_frozen_one_costs_each_worker_process_of_nginx_one_request(world):
    world.responders[0].runs.clear()
    answers = [world.post() for _ in range(40)]
    world.responders[0].runs.set()
    late = [seconds for _, seconds in answers if seconds > 0.5]
    assert [status for status, _ in answers] == [202] * 40, answers
    assert len(late) <= 4, f'{len(late)} of 40 took over 0.5 s'
    assert max(late) < 1.5, late


def two_that_were_left_out_are_asked_all_the_same(world):
    for each in world.responders:
        each.runs.clear()
    answers = [world.post()[0] for _ in range(4)]
    for each in world.responders:
        each.runs.set()
    assert answers == [504] * 4, answers
    answers = [world.post()[0] for _ in range(10)]
    assert answers == [202] * 10, answers


tests = [both_sockets_get_requests, a_frozen_one_costs_each_worker_process_of_nginx_one_request,
         two_that_were_left_out_are_asked_all_the_same]


def main():
    world, failed = World(), 0
    print(f'1..{len(tests)}', flush=True)
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
        world.end()
    sys.exit(failed > 0)


main()
