"""Three nodes under Patroni: the leader is lost in every way, and Patroni replaces it by itself.

A node that was lost is started again, and the cluster is whole before the stage goes on."""

import functools
import time
from signal import SIGCONT, SIGKILL, SIGSTOP

import checker
import processes
from patroni import CONSENSUS, SCOPE
from scenario import scenario
from scenarios_pair import waiting

PATRONI = 'Three nodes under Patroni'
TTL = 20  # of docker/patroni.yml
# What docs/ha.md promises of webhooks: a lost leader's ttl and the election; a switchover.  Workers still make the calls of jobs
# that they claimed before, so the next call tells nothing.
LOST, SWITCHED = (TTL + 8,), (5,)
LONG = TTL + 16


def lost(stage):
    stage.served_since.append(time.monotonic())


def fault(about, back_within=LOST, **more):
    """A decorator for harm(stage, leader).  A standby that has received more than the one that is promoted is rewound first, and until
    then no commit returns: if that happened, the time is in the results, and has no limit."""
    def register(harm):
        @functools.wraps(harm)
        def act(stage):
            cluster, moments = stage.primary, len(stage.served_since)
            leader = cluster.leader()
            others = [node for node in cluster.nodes if node is not leader]
            before = [node.rewinds() for node in others]
            harm(stage, leader)
            if back_within:
                cluster.await_true("SELECT count(*) > 0 FROM pg_stat_replication WHERE sync_state = 'sync'", 120)
            if [node.rewinds() for node in others] != before:
                print('# the other standby was ahead, and was rewound', flush=True)
                del stage.served_since[moments:]
                stage.was_rewound = True
        return scenario(PATRONI, 'patroni', about, back_within=back_within, **more)(act)
    return register


@fault("kill -9 of the leader's PostgreSQL")
def patroni_server_killed(stage, leader):
    leader.send(SIGKILL, 'postgres')
    lost(stage)
    stage.primary.await_role('leader', other_than=leader)


@fault("the leader's node lost: its links are down, kill -9 of its etcd, Patroni and PostgreSQL")
def patroni_node_killed(stage, leader):
    leader.kill()
    lost(stage)


@fault("kill -9 of the leader's Patroni alone; the watchdog resets the node")
def patroni_killed(stage, leader):
    leader.send(SIGKILL, 'patroni')  # PostgreSQL goes on
    leader.await_reset(TTL)
    lost(stage)


def freeze(stage, leader, seconds, *names):
    leader.send(SIGSTOP, *names)
    lost(stage)
    stage.hold(seconds)
    leader.send(SIGCONT, *names)


@fault("the leader's PostgreSQL frozen for 8 s, then thawed")
def patroni_server_frozen_briefly(stage, leader):
    freeze(stage, leader, 8, 'postgres')


def freeze_until_reset(stage, leader, *names):
    leader.send(SIGSTOP, *names)
    lost(stage)
    leader.await_reset(TTL)


@fault("the leader's PostgreSQL frozen; the watchdog resets the node")
def patroni_server_frozen(stage, leader):
    freeze_until_reset(stage, leader, 'postgres')


@fault("the leader's Patroni and PostgreSQL frozen; the watchdog resets the node")
def patroni_frozen(stage, leader):
    freeze_until_reset(stage, leader, 'patroni', 'postgres')


@fault(f"without a watchdog: the leader's PostgreSQL frozen for {LONG} s, then thawed")
def patroni_server_thawed(stage, leader):
    leader.without_watchdog()
    freeze(stage, leader, LONG, 'postgres')
    stage.hold(5)


@fault(f"without a watchdog: the leader's Patroni and PostgreSQL frozen for {LONG} s, then thawed")
def patroni_thawed(stage, leader):
    leader.without_watchdog()
    freeze(stage, leader, LONG, 'patroni', 'postgres')
    stage.hold(5)


@fault(f"the leader's node cut off from the others, from etcd and from payhook for {LONG} s")
def patroni_cut_off(stage, leader):
    leader.links('down')
    lost(stage)
    stage.hold(LONG)
    leader.links('up')
    stage.hold(5)


def ceased(stage, leader, seconds=60):
    """The leader has ended the sessions of payhook, by itself."""
    deadline = time.monotonic() + seconds
    while any(processes.title(pid).startswith(f'postgres: {SCOPE}: payhook ') for pid in leader.machine.pids('postgres')):
        if time.monotonic() > deadline:
            raise TimeoutError(f'{leader.name} serves payhook after {seconds} s')
        time.sleep(0.02)
    lost(stage)


@fault(f"the leader's node cut off from etcd alone for {LONG} s, its own etcd frozen")
def patroni_etcd_cut(stage, leader):
    leader.links('down', CONSENSUS)
    leader.send(SIGSTOP, 'etcd')
    ceased(stage, leader)
    stage.hold(LONG)
    leader.send(SIGCONT, 'etcd')
    leader.links('up', CONSENSUS)
    stage.hold(5)


@fault('switchover to the synchronous standby', back_within=SWITCHED)
def patroni_switchover(stage, leader):
    stage.primary.ctl_done('switchover', SCOPE, '--force', meanwhile=lambda: ceased(stage, leader))


def standby_away(stage):
    """Until its end it is still the one that every commit waits for: Patroni names another after some 10 s."""
    standby = stage.primary.standby()
    standby.links('down')
    stage.hold(1.5)  # webhooks wait for it, and come again
    return standby


def leader_lost_standby_back(stage, leader, standby):
    leader.kill()
    lost(stage)
    standby.links('up')


@fault('the synchronous standby cut off, waiting commits cancelled for 3 s; then the node of the leader lost')
def patroni_away_cancel_failover(stage, leader):
    standby = standby_away(stage)
    for _ in range(30):
        stage.run(waiting('pg_cancel_backend'))
        stage.hold(0.1)
    leader_lost_standby_back(stage, leader, standby)


@fault('the synchronous standby cut off, the leader restarted; then the node of the leader lost')
def patroni_restart_failover(stage, leader):
    standby = standby_away(stage)
    stage.primary.ctl_done('restart', SCOPE, leader.name, '--force')
    stage.primary.began += checker.write_began(leader.conninfo())
    stage.hold(3)  # payhook connects again, and they come again
    leader_lost_standby_back(stage, leader, standby)


# Its loss is what asynchronous replication means; a checker that does not see it would prove nothing.
@fault('synchronous_mode off, both standbys 3 s behind, the node of the leader lost: what they lack is lost, and has to be reported',
       back_within=None, must_break=('lost',))
def patroni_asynchronous_failover(stage, leader):
    cluster = stage.primary
    # Patroni promotes no standby that is known to be so far behind, unless it is allowed to.
    cluster.ctl_done('edit-config', SCOPE, '--force', '--quiet', '-s', 'synchronous_mode=false', '-s', 'synchronous_mode_strict=false',
                     '-s', 'maximum_lag_on_failover=1073741824')
    cluster.await_true("SELECT current_setting('synchronous_standby_names') = ''")
    stage.run('ALTER ROLE replicator NOLOGIN')
    stage.run('SELECT count(pg_terminate_backend(pid)) FROM pg_stat_replication')
    stage.hold(3)
    leader.kill()
    cluster.await_role('leader', other_than=leader)
    cluster.await_true('SELECT NOT pg_is_in_recovery()')
    stage.run('ALTER ROLE replicator LOGIN')
    cluster.ctl_done('edit-config', SCOPE, '--force', '--quiet', '-s', 'synchronous_mode=true', '-s', 'synchronous_mode_strict=true')
