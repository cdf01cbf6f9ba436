"""A payhook with two workers, a processor and a sender: what a scenario does its harm to.

Layouts: "private" is ./payhook up with its own PostgreSQL.  "server" uses a PostgreSQL on a disk of its own, through a relay.
"pair" uses a primary and its synchronous standby, both named in DATABASE_URL.  "patroni" uses three nodes under Patroni."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import checker
import patroni
import processes
from server import Server, free_port

ROOT = Path(__file__).resolve().parent.parent.parent
HERE = ROOT / 'tests/chaos'
READY_SECONDS = 60
LAYOUTS = 'private', 'server', 'pair', 'patroni'


class Helper:
    """A program of this folder that prints one line at its start and reads modes."""

    def __init__(self, name, *argv):
        self.process = subprocess.Popen([sys.executable, '-B', str(HERE / name), *argv], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, start_new_session=True)
        self.port = int(self.process.stdout.readline())

    def mode(self, text):
        self.process.stdin.write(text + '\n')
        self.process.stdin.flush()

    def stop(self):
        self.process.stdin.close()
        self.process.wait(10)


class Stage:
    def __init__(self, layout, build):
        self.layout, self.build = layout, build
        self.folder = tempfile.mkdtemp(prefix='payhook-chaos-')
        os.chmod(self.folder, 0o755)
        self.state = f'{self.folder}/state'
        self.port, self.metrics_port, self.second_port = free_port(), free_port(), free_port()
        self.calls = f'{self.folder}/calls'
        self.processor = Helper('processor.py', self.calls)
        self.relay, self.servers, self.second = None, [], None
        self.primary = None
        self.load = None  # of the scenario that runs
        self.served_since = []  # when each failover began or ended, from which its limits count, by the monotonic clock
        self.was_rewound = False  # a standby that was ahead: such a failover has no limit

    def begin(self):
        if self.layout == 'patroni':
            self.primary = patroni.Cluster(self.folder, ROOT)
            self.servers.append(self.primary)
            self.primary.create()
            self.url = self.primary.url()
        elif self.layout != 'private':
            self.primary = Server(self.folder, 'one', on_disk=self.layout == 'server')
            self.servers.append(self.primary)
            self.primary.create()
        if self.layout == 'server':
            self.relay = Helper('relay.py', str(self.primary.port))
            self.url = f'host=127.0.0.1 port={self.relay.port} user=payhook dbname=payhook connect_timeout=2'
        elif self.layout == 'pair':
            standby = Server(self.folder, 'two')
            self.servers.append(standby)
            self.url = (f'host=127.0.0.1,127.0.0.1 port={self.primary.port},{standby.port} user=payhook dbname=payhook '
                        'target_session_attrs=read-write connect_timeout=2')
            standby.follow(self.primary)
            self.primary.set('synchronous_standby_names', 'standby')
        self.up()
        if self.layout == 'private':
            found = subprocess.run([ROOT / 'payhook', 'psql', '-Atc', r'\echo :HOST :PORT'], env=self.environment(), check=True,
                                   stdout=subprocess.PIPE).stdout.decode().split()
            self.url = f'host={found[0]} port={found[1]} user=payhook_worker dbname=payhook'
            self.admin = f'host={found[0]} port={found[1]} user=postgres dbname=payhook'

    def environment(self):
        kept = {name: os.environ[name] for name in ('PATH', 'HOME', 'LANG', 'TERM') if name in os.environ}
        settings = {'PAYHOOK_VAR': self.state, 'PAYHOOK_BUILD': self.build, 'PAYHOOK_PORT': self.port, 'PAYHOOK_ENV_FILE': '/dev/null',
                    'RESPONDERS': 2, 'PROCESSOR': 'http', 'PROCESSOR_URL': f'http://127.0.0.1:{self.processor.port}/charge',
                    'PROCESSOR_TIMEOUT_MS': 2000, 'MAX_ATTEMPTS': 100, 'WORKER_METRICS_PORT': self.metrics_port}
        if self.layout != 'private':
            settings['DATABASE_URL'] = self.url
        return kept | {name: str(value) for name, value in settings.items()}

    def payhook(self, *argv, check=True):
        with open(f'{self.folder}/log', 'ab') as log:
            return subprocess.run([ROOT / 'payhook', *argv], env=self.environment(), check=check, stdin=subprocess.DEVNULL,
                                  stdout=log, stderr=log).returncode

    def up(self):
        self.payhook('up', '-d')

    def supervisor(self):
        """Its pid: the parent of nginx's master, which has our folder in its command line."""
        for pid in map(int, filter(str.isdigit, os.listdir('/proc'))):
            found = processes.stat(pid)
            if found and found[0] == 'payhook' and found[1] != 'Z' and f'{self.state}/' in processes.title(pid):
                return pid
        return 0

    def pids(self, pattern):
        """Of the parts: those with a name or title that matches the pattern."""
        return [pid for pid in processes.descendants(self.supervisor() or -1)
                if re.search(pattern, (processes.stat(pid) or ('',))[0] + '|' + processes.title(pid))]

    def database_pids(self, pattern=''):
        if self.layout == 'private':
            return [pid for pid in self.pids(r'^postgres\|') if re.search(pattern, processes.title(pid))]
        return [pid for pid in self.primary.pids() if re.search(pattern, processes.title(pid))]

    def start_second(self):
        """A second worker, as on another host: it is not the supervisor's."""
        if self.second is None or self.second.poll() is not None:
            environment = self.environment() | {'DATABASE_URL': self.url, 'WORKER_METRICS_PORT': str(self.second_port)}
            with open(f'{self.folder}/second.log', 'ab') as log:
                self.second = subprocess.Popen(
                    ['setpriv', '--reuid=payhook-worker', '--regid=payhook-worker', '--init-groups', '--', f'{self.state}/bin/payhook-worker'],
                    env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd='/')

    def conninfo(self):
        return self.admin if self.layout == 'private' else self.primary.conninfo()

    def run(self, sql, check=True):
        run = subprocess.run(['psql', '-X', '-q', '-At', '-v', 'ON_ERROR_STOP=1', '-d', self.conninfo(), '-c', sql],
                             check=check, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        return run.stdout.decode().strip()

    def write_began(self):
        """Of the database, once it runs: what a signal does to it may begin after the scenario has ended."""
        deadline = time.monotonic() + READY_SECONDS
        while True:
            try:
                return checker.write_began(self.conninfo())
            except subprocess.CalledProcessError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def session(self, sql):
        """A session that has run this and stays open; close its stdin to end it."""
        session = subprocess.Popen(['psql', '-X', '-q', '-At', '-v', 'ON_ERROR_STOP=1', '-d', self.conninfo()],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        session.stdin.write(sql + "\nSELECT 'done';\n")
        session.stdin.flush()
        for line in session.stdout:
            if line.strip() == 'done':
                break
        return session

    def calls_on_disk(self):
        self.processor.mode('flush')
        self.processor.process.stdout.readline()

    def hold(self, seconds):
        """Lets a fault, or the load, last for so long."""
        time.sleep(seconds)

    def is_ready(self):
        code = subprocess.run(['curl', '-s', '-o', '/dev/null', '-m', '2', '-w', '%{http_code}', f'http://127.0.0.1:{self.port}/readyz'],
                              stdout=subprocess.PIPE).stdout
        return code == b'200'

    def mend(self):
        """Whatever was done to it: everything runs again, and webhooks are accepted."""
        processes.send(self.pids(''), signal.SIGCONT)
        processes.send([self.supervisor() or os.getpid()], signal.SIGCONT)
        if self.second:
            processes.send([self.second.pid], signal.SIGCONT)
        self.processor.mode('ok 2')
        if self.relay:
            self.relay.mode('pass')
        if self.layout == 'patroni':
            self.primary.mend()
        elif self.primary and not self.primary.is_running():
            self.primary.start()
        if not self.supervisor():
            self.payhook('up', '-d', check=False)
        self.start_second()
        deadline = time.monotonic() + READY_SECONDS
        while not self.is_ready():
            if time.monotonic() > deadline:
                raise TimeoutError(f'not ready within {READY_SECONDS} s')
            time.sleep(0.05)

    def end(self):
        processes.send(self.pids(''), signal.SIGCONT)
        processes.send([self.supervisor() or os.getpid()], signal.SIGCONT)
        if self.second and self.second.poll() is None:
            processes.send([self.second.pid], signal.SIGCONT)
            self.second.terminate()
            self.second.wait(20)
        self.payhook('down', check=False)
        for server in reversed(self.servers):
            server.remove()
        if self.relay:
            self.relay.stop()
        self.processor.stop()

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)
