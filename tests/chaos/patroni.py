"""Three machines under Patroni, each a network and a process namespace of its own: one etcd, one Patroni, one PostgreSQL.

A machine lives as long as its first process, a shell that reads the suite's pipe: kill it and the kernel kills the rest at once,
as when the power fails.  The pipe ends with the suite, however that ends, and so do the machines and their links.  Each has
two links, as in docker-compose.ha.yml: PostgreSQL and Patroni's HTTP are on one, etcd is on the other.  The bridges are in a
namespace too: firewall rules for what this machine forwards, such as Docker's, do not concern them.

The settings are those of docker/patroni.yml, and the watchdog that docs/ha.md requires.  Patroni writes to a pipe what it would
write to the device, which is what its driver "testing" is for; the suite reads it, and resets the machine in the device's place."""

import ipaddress
import json
import os
import re
import select
import shutil
import signal
import subprocess
import threading
import time
import urllib.request

import yaml

import processes
from server import FOR_PAYHOOK, PGBIN, as_postgres

SETTINGS = 'docker/patroni.yml'
SCOPE = 'payhook'
WHOLE_SECONDS = 180
STUCK_SECONDS = 45  # a standby that is not back after this is made anew
DATA, CONSENSUS = 'data', 'consensus'
NODES = 1, 2, 3
# $1: the command of etcd, $2: that of Patroni.  A shell reaps what they leave behind.
MACHINE = 'ip link set lo up; echo up; read -r; $1 >>etcd.log 2>&1 & $2 >>patroni.log 2>&1 & while read -r; do :; done'


def ip(*words):
    subprocess.run(['ip', *words], check=True, stdin=subprocess.DEVNULL)


def unused_network():
    """Of 256 addresses; no route of this machine concerns them."""
    routes = subprocess.run(['ip', '-4', '-json', 'route', 'show', 'table', 'all'], check=True, stdout=subprocess.PIPE).stdout
    taken = [ipaddress.ip_network(route['dst'], strict=False) for route in json.loads(routes) if route['dst'] != 'default']
    for number in range(os.getpid(), os.getpid() + 256):
        network = ipaddress.ip_network(f'10.213.{number % 256}.0/24')
        if not any(network.overlaps(each) for each in taken):
            return network
    raise OSError('10.213.0.0/16 is in use')


class Machine:
    """Namespaces with a first process."""

    def __init__(self, folder, *commands):
        self.shell = subprocess.Popen(['unshare', '--net', '--pid', '--mount-proc', '--fork', '--kill-child', '--', 'bash', '-c', MACHINE,
                                       'machine', *commands], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                      stderr=subprocess.DEVNULL, text=True, start_new_session=True)
        self.shell.stdout.readline()
        self.first = processes.descendants(self.shell.pid)[0]
        self.space = os.readlink(f'/proc/{self.first}/ns/pid')

    def go_on(self):
        self.shell.stdin.write('\n')
        self.shell.stdin.flush()

    def inside(self, *argv):
        return ['nsenter', f'--net=/proc/{self.first}/ns/net', '--', *argv]

    def ip(self, *words):
        subprocess.run(self.inside('ip', *words), check=True, stdin=subprocess.DEVNULL)

    def pids(self, *names):
        """Of its processes with these names; no name: all."""
        found = []
        for pid in map(int, filter(str.isdigit, os.listdir('/proc'))):
            try:
                if os.readlink(f'/proc/{pid}/ns/pid') == self.space and (not names or processes.stat(pid)[0] in names):
                    found.append(pid)
            except (OSError, TypeError):  # it has ended
                pass
        return found

    def is_running(self):
        return self.shell.poll() is None

    def end(self):
        pids = self.pids()
        processes.send([self.first], signal.SIGKILL)
        self.shell.wait(30)
        self.shell.stdin.close()
        self.shell.stdout.close()
        processes.await_gone(pids, 30)


class Watchdog:
    """Of one start of a machine: calls reset() when it was armed and nothing was written for so long as its owner set."""

    def __init__(self, path, machine, reset):
        self.machine, self.reset = machine, reset
        if not os.path.exists(path):
            os.mkfifo(path, 0o600)
            shutil.chown(path, 'postgres', 'postgres')
        self.pipe = os.open(path, os.O_RDWR | os.O_NONBLOCK)  # for writing too, so that it never ends
        threading.Thread(target=self.watch, daemon=True).start()

    def watch(self):
        timeout, due = 60, None
        while self.machine.is_running():
            if select.select([self.pipe], [], [], 0.2)[0]:
                written = os.read(self.pipe, 4096)
                for found in re.finditer(rb'timeout=(\d+)', written):
                    timeout = int(found.group(1))
                due = None if written.endswith(b'V') else time.monotonic() + timeout
            elif due and time.monotonic() > due:
                self.reset(self.machine)
        os.close(self.pipe)


class Node:
    def __init__(self, cluster, number):
        self.cluster, self.number, self.name = cluster, number, f'node{number}'
        self.folder = f'{cluster.folder}/{self.name}'
        self.address, self.etcd_address = cluster.address(DATA, 10 + number), cluster.address(CONSENSUS, 10 + number)
        self.machine, self.starts, self.lock = None, 0, threading.RLock()
        os.makedirs(self.folder)
        shutil.chown(self.folder, 'postgres', 'postgres')

    def settings(self, has_watchdog):
        watchdog = {'mode': 'required', 'driver': 'testing', 'device': f'{self.folder}/watchdog', 'safety_margin': 5}
        with open(self.cluster.root / SETTINGS, encoding='utf-8') as file:
            settings = yaml.safe_load(file)
        network = str(self.cluster.networks[DATA])
        settings |= {'name': self.name, 'scope': SCOPE, 'etcd': {'hosts': [f'{each}:2379' for each in self.cluster.etcd_addresses()]},
                     'restapi': {'listen': f'{self.address}:8008', 'connect_address': f'{self.address}:8008'},
                     'watchdog': watchdog if has_watchdog else {'mode': 'off'}}
        del settings['bootstrap']['post_init'], settings['postgresql']['custom_conf']
        settings['postgresql'] |= {
            'listen': f'{self.address}:5432', 'connect_address': f'{self.address}:5432', 'data_dir': f'{self.folder}/data',
            'bin_dir': PGBIN, 'pgpass': f'{self.folder}/pgpass', 'parameters': {'unix_socket_directories': self.folder, 'jit': 'off'},
            'authentication': {'superuser': {'username': 'postgres'}, 'replication': {'username': 'replicator', 'password': 'none'},
                               'rewind': {'username': 'rewinder', 'password': 'none'}},
            'pg_hba': ['local all all trust', 'local replication all trust', f'host all all {network} trust',
                       f'host replication all {network} trust']}
        return settings

    def etcd(self):
        client, peer = (f'http://{self.etcd_address}:{port}' for port in (2379, 2380))
        members = ','.join(f'node{number}=http://{address}:2380' for number, address in zip(NODES, self.cluster.etcd_addresses()))
        return as_postgres('/usr/bin/etcd', '--name', self.name, '--data-dir', f'{self.folder}/etcd', '--listen-peer-urls', peer,
                           '--initial-advertise-peer-urls', peer, '--listen-client-urls', client, '--advertise-client-urls', client,
                           '--initial-cluster', members, '--initial-cluster-token', SCOPE, '--enable-v2', '--logger', 'zap')

    def configure(self, has_watchdog=True):
        with open(f'{self.folder}/patroni.yml', 'w', encoding='utf-8') as file:
            yaml.safe_dump(self.settings(has_watchdog), file)

    def start(self):
        """The machine, as after its power came back."""
        self.configure()
        if os.path.exists(f'{self.folder}/data/postmaster.pid'):
            os.unlink(f'{self.folder}/data/postmaster.pid')  # in new namespaces the same small numbers are other processes
        self.machine = Machine(self.folder, ' '.join(self.etcd()), ' '.join(as_postgres('/usr/bin/patroni', f'{self.folder}/patroni.yml')))
        self.starts += 1
        for link, address in ((DATA, self.address), (CONSENSUS, self.etcd_address)):
            ip('link', 'add', self.port(link), 'netns', str(self.cluster.switch.first), 'type', 'veth',
               'peer', 'name', link, 'netns', str(self.machine.first))
            self.machine.ip('address', 'add', f'{address}/25', 'dev', link)
            self.machine.ip('link', 'set', link, 'up')
            self.cluster.switch.ip('link', 'set', self.port(link), 'master', link, 'up')
        Watchdog(f'{self.folder}/watchdog', self.machine, self.reset)
        self.machine.go_on()

    def port(self, link):
        """The link's other end, at the switch.  A machine that starts again has a new one: the kernel removes the old one later."""
        return f'{link[:4]}{self.number}-{self.starts}'

    def links(self, state, *links):
        with self.lock:
            for link in (links or (DATA, CONSENSUS)) if self.machine.is_running() else ():
                self.cluster.switch.ip('link', 'set', self.port(link), state)

    def kill(self):
        """Its peers see silence: the links are down first."""
        with self.lock:
            if self.machine.is_running():
                self.links('down')
                self.machine.end()

    def reset(self, machine):
        """By the watchdog, unless it is another machine by now.  It stays off until the stage is mended."""
        if machine is self.machine:
            self.kill()

    def rewinds(self):
        """How often Patroni has rewound this server."""
        with open(f'{self.folder}/patroni.log', 'rb') as log:
            return log.read().count(b'INFO: running pg_rewind from dbname=')

    def await_reset(self, seconds):
        deadline = time.monotonic() + seconds
        while self.machine.is_running():
            if time.monotonic() > deadline:
                raise TimeoutError(f'the watchdog of {self.name} did not reset it within {seconds} s')
            time.sleep(0.05)

    def send(self, number, *names):
        processes.send(self.machine.pids(*names), number)

    def without_watchdog(self):
        self.configure(has_watchdog=False)
        self.send(signal.SIGHUP, 'patroni')

    def mend(self):
        if not self.machine.is_running():
            self.start()
        else:
            self.configure()
            self.send(signal.SIGHUP, 'patroni')
        self.send(signal.SIGCONT)
        self.links('up')

    def conninfo(self, database='payhook'):
        return f'host={self.folder} user=postgres dbname={database} connect_timeout=2'


class Cluster:
    """What a stage expects of its primary: of the servers, the one that accepts writes."""

    def __init__(self, folder, root):
        self.folder, self.root, self.began = folder, root, []
        self.outside = f'payhook{os.getpid()}'  # of this machine, to the switch
        self.networks = dict(zip((DATA, CONSENSUS), unused_network().subnets()))
        self.switch = None
        self.nodes = [Node(self, number) for number in NODES]

    def address(self, link, host):
        return str(self.networks[link][host])

    def etcd_addresses(self):
        return [self.address(CONSENSUS, 10 + number) for number in NODES]

    def create(self):
        self.switch = Machine(self.folder, 'true', 'true')
        for link in (DATA, CONSENSUS):
            self.switch.ip('link', 'add', link, 'type', 'bridge')
            self.switch.ip('link', 'set', link, 'up')
        ip('link', 'add', self.outside, 'type', 'veth', 'peer', 'name', 'outside', 'netns', str(self.switch.first))
        self.switch.ip('link', 'set', 'outside', 'master', DATA, 'up')
        ip('address', 'add', self.address(DATA, 1) + '/25', 'dev', self.outside)
        ip('link', 'set', self.outside, 'up')
        for node in self.nodes:
            node.start()
        self.await_whole()
        for sql in FOR_PAYHOOK:
            self.run(sql, 'postgres')

    def url(self):
        return (f'host={",".join(node.address for node in self.nodes)} user=payhook dbname=payhook '
                'target_session_attrs=read-write connect_timeout=2')

    def conninfo(self, database='payhook'):
        return (f'host={",".join(node.folder for node in self.nodes)} user=postgres dbname={database} '
                'target_session_attrs=read-write connect_timeout=2')

    def run(self, sql, database='payhook', node=None):
        """On the primary, or on a node, by its socket, which needs no network."""
        conninfo = node.conninfo(database) if node else self.conninfo(database)
        return subprocess.run(['psql', '-X', '-q', '-At', '-v', 'ON_ERROR_STOP=1', '-d', conninfo, '-c', sql],
                              check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout.decode().strip()

    def await_true(self, sql, seconds=60):
        deadline = time.monotonic() + seconds
        while True:
            try:
                if self.run(sql) == 't':
                    return
            except subprocess.CalledProcessError:  # there is no primary yet
                pass
            if time.monotonic() > deadline:
                raise TimeoutError(f'not within {seconds} s: {sql}')
            time.sleep(0.1)

    def pids(self):
        return self.leader().machine.pids('postgres')

    def is_running(self):
        return True  # mend() has seen to it

    def members(self):
        """What Patroni reports, by the first node that answers: name, role, state of each.  Empty: none answers."""
        for node in self.nodes:
            try:
                with urllib.request.urlopen(f'http://{node.address}:8008/cluster', timeout=1) as answer:
                    return json.load(answer)['members']
            except (OSError, ValueError, KeyError):
                pass
        return []

    def with_role(self, role):
        return [self.nodes[int(each['name'][-1]) - 1] for each in self.members() if each['role'] == role
                and each['state'] in ('running', 'streaming')]

    def leader(self):
        return self.await_role('leader')

    def standby(self):
        """The synchronous one."""
        return self.await_role('sync_standby')

    def await_role(self, role, other_than=None, seconds=60):
        deadline = time.monotonic() + seconds
        while True:
            for node in self.with_role(role):
                if node is not other_than:
                    return node
            if time.monotonic() > deadline:
                raise TimeoutError(f'no {role} within {seconds} s: {self.members()}')
            time.sleep(0.1)

    def ctl(self, *argv):
        """patronictl, on the leader's machine."""
        node = self.leader()
        return subprocess.Popen(node.machine.inside('patronictl', '-c', f'{node.folder}/patroni.yml', *argv), stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def ctl_done(self, *argv, meanwhile=None):
        ctl = self.ctl(*argv)
        if meanwhile:
            meanwhile()
        output = ctl.communicate()[0]
        if ctl.returncode != 0:
            raise subprocess.CalledProcessError(ctl.returncode, argv, stderr=output)

    def is_whole(self):
        """One leader, one standby that every commit waits for, one more that follows."""
        members = self.members()
        if sorted(each['role'] for each in members) != ['leader', 'replica', 'sync_standby']:
            return False
        try:
            return self.run('''SELECT count(*) = 2 AND count(*) FILTER (WHERE sync_state = 'sync') = 1
                FROM pg_stat_replication WHERE state = 'streaming' AND application_name LIKE 'node%' ''', 'postgres') == 't'
        except subprocess.CalledProcessError:
            return False

    def await_whole(self):
        began, remade = time.monotonic(), set()
        while not self.is_whole():
            waited = time.monotonic() - began
            if waited > WHOLE_SECONDS:
                raise TimeoutError(f'the cluster is not whole within {WHOLE_SECONDS} s: {self.members()}')
            if waited > STUCK_SECONDS:
                remade |= self.make_anew(remade)
            time.sleep(0.2)

    def make_anew(self, but):
        """The standbys that neither run nor follow, as docs/ha.md tells an operator to; each once."""
        names = {each['name'] for each in self.members() if each['role'] != 'leader'
                 and each['state'] not in ('streaming', 'creating replica')} - but
        for name in names:
            print(f'# {name} is made anew', flush=True)
            self.ctl_done('reinit', SCOPE, name, '--force')
        return names

    def mend(self):
        for node in self.nodes:
            node.mend()
        self.await_whole()

    def remove(self):
        for machine in [node.machine for node in self.nodes] + [self.switch]:
            if machine:
                machine.end()
