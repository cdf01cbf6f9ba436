"""PostgreSQL servers of the fault suite: on a disk of their own that can lose its power, and in pairs."""

import fcntl
import os
import shutil
import signal
import socket
import struct
import subprocess
import time

import checker
import processes

PGBIN = '/usr/lib/postgresql/15/bin'
EXT4_SHUTDOWN = 0x8004587D  # EXT4_IOC_SHUTDOWN
WITHOUT_FLUSH = 2           # EXT4_GOING_FLAGS_NOLOGFLUSH: neither data nor the journal is written any more
START_SECONDS = 60


def free_port():
    with socket.create_server(('127.0.0.1', 0)) as s:
        return s.getsockname()[1]


def as_postgres(*argv):
    return ['setpriv', '--reuid=postgres', '--regid=postgres', '--init-groups', '--', *argv]


# What a new cluster needs before payhook's migrations, by its superuser in the database "postgres".
FOR_PAYHOOK = ('CREATE ROLE payhook LOGIN', 'GRANT pg_read_all_stats, pg_signal_backend TO payhook',
               "CREATE DATABASE payhook OWNER payhook TEMPLATE template0 ENCODING 'UTF8'")


class Server:
    """folder: for its socket, its log and its data.  on_disk: the data are on a file system inside a file."""

    def __init__(self, folder, name, on_disk=False):
        self.folder, self.name, self.on_disk = f'{folder}/{name}', name, on_disk
        self.port = free_port()
        self.process = None
        self.began = []  # when it began to accept writes, each time
        self.data = f'{self.folder}/disk/data'
        os.makedirs(f'{self.folder}/disk')
        for path in (self.folder, f'{self.folder}/disk'):
            shutil.chown(path, 'postgres', 'postgres')

    def conninfo(self, database='payhook', user='postgres'):
        return f'host={self.folder} port={self.port} user={user} dbname={database}'

    def mount(self):
        subprocess.run(['mount', '-o', 'loop', f'{self.folder}/image', f'{self.folder}/disk'], check=True)

    def create(self):
        if self.on_disk:
            with open(f'{self.folder}/image', 'wb') as image:
                image.truncate(1 << 30)
            subprocess.run(['mkfs.ext4', '-q', f'{self.folder}/image'], check=True)
            self.mount()
        shutil.chown(f'{self.folder}/disk', 'postgres', 'postgres')
        subprocess.run(as_postgres(f'{PGBIN}/initdb', '-D', self.data, '-U', 'postgres', '-A', 'trust', '--no-instructions',
                                   '--data-checksums', '--encoding=UTF8', '--locale=C.UTF-8'),
                       check=True, cwd=self.folder, stdout=subprocess.DEVNULL)
        self.settle_settings()
        self.start()
        for sql in FOR_PAYHOOK:
            self.run(sql, 'postgres')

    def settle_settings(self):
        with open(f'{self.data}/postgresql.auto.conf', 'w', encoding='ascii') as conf:
            conf.write('jit = off\nmax_connections = 100\nshared_buffers = 64MB\nmin_wal_size = 64MB\nmax_wal_size = 192MB\n'
                       'wal_keep_size = 64MB\ncheckpoint_timeout = 30s\nhot_standby_feedback = on\n')

    def start(self):
        """Starts it and waits until it accepts connections; True if it does."""
        with open(f'{self.folder}/log', 'ab') as log:
            self.process = subprocess.Popen(
                as_postgres(f'{PGBIN}/postgres', '-D', self.data, '-k', self.folder, '-p', str(self.port),
                            '-c', 'listen_addresses=127.0.0.1'), cwd=self.folder, stdout=log, stderr=log, start_new_session=True)
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            if subprocess.run([f'{PGBIN}/pg_isready', '-q', '-h', self.folder, '-p', str(self.port)]).returncode == 0:
                self.began += checker.write_began(self.conninfo('postgres'))
                return True
            time.sleep(0.05)
        return False

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def pids(self):
        return [self.process.pid, *processes.descendants(self.process.pid)] if self.is_running() else []

    def signal_all(self, number):
        processes.send(self.pids(), number)

    def stop(self, number=signal.SIGINT):
        """SIGINT: fast shutdown, SIGQUIT: immediate, SIGKILL: of every process."""
        if not self.is_running():
            return
        pids = self.pids()
        if number == signal.SIGKILL:
            processes.send(pids, number)
        else:
            os.kill(self.process.pid, number)
        self.process.wait(60)
        processes.await_gone(pids, 30)

    def restart(self, number=signal.SIGINT):
        self.stop(number)
        return self.start()

    def cut_power(self):
        """What was not flushed is gone."""
        disk = os.open(f'{self.folder}/disk', os.O_RDONLY)
        fcntl.ioctl(disk, EXT4_SHUTDOWN, struct.pack('I', WITHOUT_FLUSH))
        os.close(disk)
        self.stop(signal.SIGKILL)
        # A process that the server has just begun is gone a moment later only.
        deadline = time.monotonic() + 10
        while subprocess.run(['umount', f'{self.folder}/disk'], check=False).returncode != 0:
            if time.monotonic() > deadline:
                raise TimeoutError(f'{self.name}: its disk is busy for 10 s')
            time.sleep(0.05)
        self.mount()

    def run(self, sql, database='payhook', user='postgres'):
        return subprocess.run(['psql', '-X', '-q', '-At', '-v', 'ON_ERROR_STOP=1', '-d', self.conninfo(database, user), '-c', sql],
                              check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout.decode().strip()

    def set(self, name, value):
        self.run(f"ALTER SYSTEM SET {name} = '{value}'")
        self.run('SELECT pg_reload_conf()')

    def await_true(self, sql, seconds=30):
        deadline = time.monotonic() + seconds
        while self.run(sql) != 't':
            if time.monotonic() > deadline:
                raise TimeoutError(f'{self.name}: not within {seconds} s: {sql}')
            time.sleep(0.05)

    def follow(self, primary):
        """Becomes a standby of that server, by the name "standby"."""
        subprocess.run(as_postgres(f'{PGBIN}/pg_basebackup', '-D', self.data, '-c', 'fast', '-R', '-d',
                                   primary.conninfo('postgres') + ' application_name=standby'),
                       check=True, cwd=self.folder, stdout=subprocess.DEVNULL)
        self.start()
        primary.await_true("SELECT count(*) = 1 FROM pg_stat_replication WHERE state = 'streaming'")

    def promote(self):
        self.run('SELECT pg_promote()', 'postgres')
        self.await_true('SELECT NOT pg_is_in_recovery()')

    def remove(self):
        self.signal_all(signal.SIGCONT)
        self.stop(signal.SIGQUIT)
        if self.on_disk:
            subprocess.run(['umount', '-l', f'{self.folder}/disk'], check=False)
