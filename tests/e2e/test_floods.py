#!/usr/bin/env -S python3 -B
"""test_floods.py - nginx against clients that want to fill its logs, its memory, or the limits of many addresses; prints TAP.

nginx runs with the configuration that ops/nginx.sh writes; nobody listens on the responders' socket, so each request is
answered by nginx itself.  Every test has addresses of its own: nginx takes them from X-Forwarded-For."""

import json
import pathlib
import re
import shutil
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PREPARE = r'''
set -euo pipefail
HERE=$1 STATE=$2 PAYHOOK_PORT=$3 TLS_PORT=$4 APP_USER='' PORT_KINDS=4 PAYHOOK_ENV_FILE=/dev/null
RATE_LIMIT=$5 CONNECTION_LIMIT=100 REAL_IP_FROM=127.0.0.1
fail() { printf '%s\n' "$2" >&2; exit "$1"; }
for script in settings nginx tls; do
	source "$HERE/ops/$script.sh"
done
files_limit
nginx_prepare "$STATE/none.sock"
'''
RATE = 20
PATH_MAX, LINE_MAX, ERROR_LINE_MAX = 255, 1024, 2048  # bytes; the last is nginx's own bound
DEADLINE_S = 20

# HTTP/2: types of frames, flags, errors
DATA, HEADERS, RST_STREAM, SETTINGS, PING = 0, 1, 3, 4, 6
END_HEADERS, ACK = 4, 1
MAX_CONCURRENT_STREAMS, REFUSED_STREAM = 3, 7
STREAMS_MAX = 16
BODY = 60000  # announced; all but the last byte is sent


def wait_for(condition, what):
    deadline = time.monotonic() + DEADLINE_S
    while not (result := condition()):
        assert time.monotonic() < deadline, f'{what}: not within {DEADLINE_S} s'
        time.sleep(0.02)
    return result


def free_ports(count):
    ports = [socket.create_server(('127.0.0.1', 0)) for _ in range(count)]
    numbers = [port.getsockname()[1] for port in ports]
    for port in ports:
        port.close()
    return numbers


class World:
    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='payhook-floods-'))
        self.folder.chmod(0o755)
        self.nginx = None

    def start(self):
        for name in ('nginx', 'log'):
            (self.folder / name).mkdir()
        self.port, self.tls_port = free_ports(2)
        self.access, self.error = self.folder / 'log/access.log', self.folder / 'log/nginx.log'
        subprocess.run(['bash', '-c', PREPARE, 'bash', ROOT, self.folder, str(self.port), str(self.tls_port), str(RATE)],
                       check=True, stdout=subprocess.DEVNULL)
        # pylint: disable-next=consider-using-with
        self.nginx = subprocess.Popen(['nginx', '-p', f'{self.folder}/nginx/', '-c', 'nginx.conf', '-e', 'stderr'],
                                      stderr=self.error.open('w'))
        wait_for(self.is_up, 'nginx listens')

    def is_up(self):
        try:
            self.connect().close()
        except OSError:
            assert self.nginx.poll() is None, self.error.read_text()
            return False
        return True

    def connect(self):
        return socket.create_connection(('127.0.0.1', self.port), timeout=DEADLINE_S)

    def end(self):
        if self.nginx:
            self.nginx.terminate()
            self.nginx.wait()
        shutil.rmtree(self.folder)

    def lines(self, address):
        """Of the access log, about the requests of this address."""
        return [line for line in self.access.read_text().splitlines() if f'"address":"{address}"' in line]

    def wait_lines(self, address, count):
        return wait_for(lambda: (found := self.lines(address)) and len(found) >= count and found, f'{count} lines of {address}')

    def status(self, address, path='/livez'):
        with self.connect() as connection:
            connection.sendall(f'GET {path} HTTP/1.0\r\nX-Forwarded-For: {address}\r\n\r\n'.encode())
            return int(connection.makefile('rb').readline().split()[1])

    def kilobytes(self):
        """Resident memory of nginx's worker processes."""
        pids = subprocess.run(['pgrep', '-P', str(self.nginx.pid)], check=True, stdout=subprocess.PIPE).stdout.split()
        status = [pathlib.Path(f'/proc/{pid.decode()}/status').read_text() for pid in pids]
        return sum(int(re.search(r'^VmRSS:\s+(\d+) kB', each, re.MULTILINE)[1]) for each in status)


def drain(connection):
    while connection.recv(1 << 16):
        pass


def a_long_path_is_cut_in_the_log(world):
    for length in (PATH_MAX - 1, PATH_MAX, PATH_MAX + 1, 8000):
        address, path = f'192.0.2.{length % 250}', '/' + 'x' * (length - 1)
        world.status(address, path)
        line = json.loads(world.wait_lines(address, 1)[0])
        assert line['path'] == path[:PATH_MAX], f'{length}: {line}'


def a_flood_of_long_requests_leaves_short_lines(world):
    """Quotation marks take two bytes in JSON."""
    requests, address = 2000, '198.51.100.1'
    request = f'GET /{chr(34) * 8000} HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: {address}\r\n\r\n'.encode()
    with world.connect() as connection:
        reader = threading.Thread(target=drain, args=(connection,))
        reader.start()
        connection.sendall(request * requests + request.replace(b'Host: a', b'Host: a\r\nConnection: close'))
        reader.join()
    lines = world.wait_lines(address, requests)
    longest = max(map(len, lines))
    assert longest <= LINE_MAX, f'{longest} bytes for a request of {len(request)}'


def a_body_that_is_too_large_leaves_a_bounded_error(world):
    address = '198.51.100.2'
    with world.connect() as connection:
        connection.sendall(f'POST /{"y" * 8000} HTTP/1.0\r\nX-Forwarded-For: {address}\r\nContent-Length: 99999\r\n\r\n'.encode())
        assert connection.makefile('rb').readline().split()[1] == b'413'
    wait_for(lambda: 'too large body' in world.error.read_text(), 'the error')
    longest = max(map(len, world.error.read_text().splitlines()))
    assert longest <= ERROR_LINE_MAX, longest


def addresses_of_one_network_share_a_limit(world):
    statuses = [world.status(f'2001:db8:1:1:{n:x}::1') for n in range(80)]
    assert 429 in statuses, 'none of 80 addresses of one /64 was limited'


def addresses_of_other_networks_do_not(world):
    """An IPv4 address in an IPv6 one is that IPv4 address."""
    statuses = [world.status(f'2001:db8:2:{n:x}::1') for n in range(80)] + [world.status(f'::ffff:203.0.113.{n}') for n in range(80)]
    assert 429 not in statuses, f'{statuses.count(429)} of 160 networks were limited'


def an_address_in_either_form_has_one_limit(world):
    began = time.monotonic()
    statuses = [world.status(('203.0.113.200', '::ffff:203.0.113.200')[n % 2]) for n in range(80)]
    passed, most = 80 - statuses.count(429), 1 + RATE * (1 + time.monotonic() - began)
    assert passed <= most, f'{passed} of 80 passed, {most:.0f} may'


class H2:
    """A connection by HTTP/2, frame by frame."""

    def __init__(self, world, address):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_alpn_protocols(['h2'])
        plain = socket.create_connection(('127.0.0.1', world.tls_port), timeout=DEADLINE_S)
        self.socket, self.address = context.wrap_socket(plain), address
        self.stream = self.socket.makefile('rb')
        self.socket.sendall(b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n' + self.frame(SETTINGS, 0, 0, b''))
        kind, _, _, body = self.read()
        assert kind == SETTINGS, kind
        self.settings = dict(struct.unpack_from('>HI', body, at) for at in range(0, len(body), 6))

    @staticmethod
    def frame(kind, flags, stream, body):
        return struct.pack('>I', len(body))[1:] + struct.pack('>BBI', kind, flags, stream) + body

    def read(self):
        head = self.stream.read(9)
        assert len(head) == 9, 'the connection is closed'
        length, (kind, flags, stream) = int.from_bytes(head[:3], 'big'), struct.unpack('>BBI', head[3:])
        return kind, flags, stream, self.stream.read(length)

    def read_until(self, wanted):
        while not wanted(frame := self.read()):
            pass
        return frame

    def begin(self, number, size):
        """Headers, literal and without Huffman coding, and the beginning of a body."""
        fields = {':method': 'POST', ':scheme': 'https', ':path': '/v1/webhooks/transactions', ':authority': 'a',
                  'content-length': str(BODY), 'x-forwarded-for': self.address}
        block = b''.join(b'\0' + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode() for name, value in fields.items())
        stream = 2 * number + 1
        self.socket.sendall(self.frame(HEADERS, END_HEADERS, stream, block) + self.frame(DATA, 0, stream, b'x' * size))

    def wait_until_read(self):
        """Frames are taken in their order."""
        self.socket.sendall(self.frame(PING, 0, 0, bytes(8)))
        self.read_until(lambda frame: frame[0] == PING and frame[1] & ACK)

    def close(self):
        self.socket.close()


def a_connection_has_few_streams(world):
    h2 = H2(world, '198.51.100.3')
    assert h2.settings.get(MAX_CONCURRENT_STREAMS) == STREAMS_MAX, h2.settings
    for number in range(STREAMS_MAX + 1):
        h2.begin(number, 1)
    _, _, stream, body = h2.read_until(lambda frame: frame[0] == RST_STREAM)
    assert (stream, int.from_bytes(body, 'big')) == (2 * STREAMS_MAX + 1, REFUSED_STREAM), (stream, body)
    h2.close()


def streams_that_send_slowly_are_ended(world):
    """client_body_timeout, for each stream by itself."""
    h2, began = H2(world, '198.51.100.4'), time.monotonic()
    for number in range(3):
        h2.begin(number, 1)
    ended = set()
    while len(ended) < 3:
        ended.add(h2.read_until(lambda frame: frame[0] in (RST_STREAM, HEADERS))[2])
    assert 4 < time.monotonic() - began < 12, time.monotonic() - began
    h2.close()


def connections_that_send_slowly_hold_little_memory(world):
    """As many streams as there may be, each with all of a body but its end."""
    count, before, held = 20, world.kilobytes(), []
    for number in range(count):
        h2 = H2(world, f'198.51.101.{number}')
        for stream in range(h2.settings[MAX_CONCURRENT_STREAMS]):
            h2.begin(stream, BODY - 1)
        h2.wait_until_read()
        held.append(h2)
    each = (world.kilobytes() - before) / count
    print(f'# {each:.0f} kB for each connection', flush=True)
    for h2 in held:
        h2.close()
    assert each <= 1400, f'{each:.0f} kB for each connection'


tests = [a_long_path_is_cut_in_the_log, a_flood_of_long_requests_leaves_short_lines, a_body_that_is_too_large_leaves_a_bounded_error,
         addresses_of_one_network_share_a_limit, addresses_of_other_networks_do_not, an_address_in_either_form_has_one_limit,
         a_connection_has_few_streams, streams_that_send_slowly_are_ended, connections_that_send_slowly_hold_little_memory]


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
