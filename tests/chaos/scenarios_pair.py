"""A primary and its synchronous standby: failover by hand, with each server lost at the worst moment.

The old primary is ended before its successor is used alone, as any cluster manager has to: it is not part of payhook.  The
scenarios under a cluster manager are in scenarios_patroni.py."""

import time
from signal import SIGCONT, SIGINT, SIGKILL, SIGQUIT, SIGSTOP

from scenario import scenario

PAIR = 'Failover to a standby'


def fail_over(stage):
    """The standby, which may have been away, becomes the primary."""
    old, new = stage.servers
    old.stop(SIGKILL)
    if not new.is_running():
        new.start()
    new.promote()
    new.set('synchronous_standby_names', '')  # it is alone now
    stage.primary = new


def waiting(function):
    return f"SELECT count({function}(pid)) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"


@scenario(PAIR, 'pair', 'the primary killed, the standby promoted', spoils=True)
def primary_killed(stage):
    fail_over(stage)


@scenario(PAIR, 'pair', 'switchover: the primary shut down, the standby promoted', spoils=True)
def switchover(stage):
    stage.servers[0].stop(SIGINT)
    fail_over(stage)


def freeze_and_promote(stage):
    old, new = stage.servers
    old.signal_all(SIGSTOP)
    new.promote()
    new.set('synchronous_standby_names', '')
    stage.served_since.append(time.monotonic())


# What docs/ha.md promises of the time after a promotion.
BACK = 6, 15


@scenario(PAIR, 'pair', 'the primary frozen, the standby promoted, the old one ended 16 s later', spoils=True, back_within=BACK)
def primary_frozen(stage):
    freeze_and_promote(stage)
    stage.hold(16)
    fail_over_done(stage)


@scenario(PAIR, 'pair', 'the primary frozen, the standby promoted, the old one thawed 16 s later for 3 s and then ended', spoils=True,
          back_within=BACK)
def primary_frozen_and_thawed(stage):
    freeze_and_promote(stage)
    stage.hold(16)
    stage.servers[0].signal_all(SIGCONT)
    stage.hold(3)
    fail_over_done(stage)


def fail_over_done(stage):
    stage.servers[0].stop(SIGKILL)
    stage.primary = stage.servers[1]


@scenario(PAIR, 'pair', 'the standby killed and started again 3 s later')
def standby_killed(stage):
    standby = stage.servers[1]
    standby.stop(SIGKILL)
    stage.hold(3)
    standby.start()


@scenario(PAIR, 'pair', 'the standby frozen for 4 s')
def standby_frozen(stage):
    standby = stage.servers[1]
    standby.signal_all(SIGSTOP)
    stage.hold(4)
    standby.signal_all(SIGCONT)


def standby_away(stage):
    stage.servers[1].stop(SIGQUIT)
    stage.hold(1.5)  # webhooks wait for it, and come again


@scenario(PAIR, 'pair', 'the standby away, waiting commits cancelled for 3 s, then failover', spoils=True)
def away_cancel_failover(stage):
    standby_away(stage)
    for _ in range(30):
        stage.run(waiting('pg_cancel_backend'))
        stage.hold(0.1)
    fail_over(stage)


@scenario(PAIR, 'pair', 'the standby away, waiting sessions terminated for 3 s, then failover', spoils=True)
def away_terminate_failover(stage):
    standby_away(stage)
    for _ in range(30):
        stage.run(waiting('pg_terminate_backend'))
        stage.hold(0.1)
    fail_over(stage)


def restart_and_fail_over(stage):
    """Each restart ends the waits: what waited is committed here, and unknown to the standby.  The same webhooks come again, are
    known then, and a commit of theirs would write nothing.  They are so few that all of them
    are waiting at the restart."""
    stage.load.new_ones(False)
    stage.hold(5)  # until the duplicates of what is accepted have come
    stage.servers[1].stop(SIGQUIT)
    for _ in range(2):
        stage.load.three_new_ones()
        stage.hold(1.5)
        stage.servers[0].restart(SIGQUIT)
        stage.hold(5)  # payhook connects again, and they come again
    fail_over(stage)
    stage.load.new_ones(True)


@scenario(PAIR, 'pair', 'the standby away, two restarts of the primary while the same webhooks come again, then failover', spoils=True)
def away_restart_failover(stage):
    restart_and_fail_over(stage)


def lag_and_fail_over(stage):
    stage.servers[0].set('synchronous_standby_names', '')
    stage.servers[1].stop(SIGQUIT)
    stage.hold(3)
    fail_over(stage)


# Its loss is what asynchronous replication means; a checker that does not see it would prove nothing.
@scenario(PAIR, 'pair', 'an asynchronous standby that is 3 s behind is promoted: what it lacks is lost, and has to be reported',
          must_break=('lost',))
def asynchronous_failover(stage):
    lag_and_fail_over(stage)
