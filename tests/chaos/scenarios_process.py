"""Each part is killed, frozen and asked to end, alone and with others, on one machine with ./payhook up."""

import os
from signal import SIGCONT, SIGINT, SIGKILL, SIGQUIT, SIGSTOP, SIGTERM, SIGUSR2

import processes
from scenario import add, scenario

FREEZE_SECONDS = 4
LONG_FREEZE_SECONDS = 26  # beyond the 20 s after which a worker is taken for dead

# Name, how it is called, the pattern of its name and title, and how many of them (None: all).
PARTS = [
    ('worker', 'the worker', r'^payhook-worker\|', None),
    ('responder', 'one of two responders', r'^payhook-app\|', 1),
    ('responders', 'all responders', r'^payhook-app\|', None),
    ('multiwatch', 'the parent of the responders', r'^multiwatch\|', None),
    ('nginx_master', "nginx's master", r'nginx: master', None),
    ('nginx_worker', 'one nginx worker', r'nginx: worker', 1),
    ('nginx', 'all of nginx', r'^nginx\|', None),
]
POSTGRES = [
    ('backend', "one of the database's backends", r'postgres: payhook_app', 1),
    ('checkpointer', "the database's checkpointer", r'checkpointer', None),
    ('walwriter', "the database's WAL writer", r'walwriter', None),
]


def some(pids, count):
    return pids[:count] if count else pids


def send_to(pattern, count, *numbers, seconds=0):
    def act(stage):
        pids = some(stage.pids(pattern), count)
        if not pids:
            raise ProcessLookupError(f'no process {pattern}')
        processes.send(pids, numbers[0])
        if len(numbers) > 1:
            stage.hold(seconds)
            processes.send(pids, numbers[1])
    return act


for part, called, match, number in PARTS + POSTGRES:
    add(f'{part}_killed', f'kill -9 of {called}', 'A process is killed', 'private', send_to(match, number, SIGKILL))
    add(f'{part}_frozen', f'{called} frozen for {FREEZE_SECONDS} s', 'A process hangs', 'private',
        send_to(match, number, SIGSTOP, SIGCONT, seconds=FREEZE_SECONDS))
for part, called, match, number in PARTS:
    add(f'{part}_ended', f'SIGTERM to {called}', 'A process is asked to end', 'private', send_to(match, number, SIGTERM))


@scenario('A process hangs', 'private', f'the worker frozen for {LONG_FREEZE_SECONDS} s, so that the other one takes its jobs, then thawed',
          once=True)
def worker_frozen_long(stage):
    send_to(r'^payhook-worker\|', None, SIGSTOP, SIGCONT, seconds=LONG_FREEZE_SECONDS)(stage)


def postmaster(stage):
    return [pid for pid in stage.pids(r'^postgres\|') if (processes.stat(pid) or ('', '', 0))[2] == str(stage.supervisor())]


@scenario('A process is killed', 'private', "kill -9 of the database's first process")
def postmaster_killed(stage):
    processes.send(postmaster(stage), SIGKILL)


@scenario('A process is killed', 'private', 'kill -9 of every process of the database')
def postgres_killed(stage):
    processes.send(stage.database_pids(), SIGKILL)


@scenario('A process hangs', 'private', f'every process of the database frozen for {FREEZE_SECONDS} s')
def postgres_frozen(stage):
    pids = stage.database_pids()
    processes.send(pids, SIGSTOP)
    stage.hold(FREEZE_SECONDS)
    processes.send(pids, SIGCONT)


@scenario('A process is asked to end', 'private', 'fast shutdown of the database')
def postgres_ended_fast(stage):
    processes.send(postmaster(stage), SIGINT)


@scenario('A process is asked to end', 'private', 'immediate shutdown of the database')
def postgres_ended_immediately(stage):
    processes.send(postmaster(stage), SIGQUIT)


@scenario('A process is killed', 'private', 'kill -9 of both workers')
def workers_killed(stage):
    processes.send([*stage.pids(r'^payhook-worker\|'), stage.second.pid], SIGKILL)
    stage.second.wait(10)


@scenario('A process is killed', 'private', 'kill -9 of the worker and of the database at once')
def worker_and_postgres_killed(stage):
    processes.send([*stage.pids(r'^payhook-worker\|'), *stage.database_pids()], SIGKILL)


@scenario('A process is killed', 'private', 'kill -9 of every part but the supervisor at once')
def everything_killed(stage):
    processes.send(stage.pids(''), SIGKILL)


@scenario('A process is killed', 'private', 'kill -9 of the supervisor; payhook is started again')
def supervisor_killed(stage):
    pids = stage.pids('')
    os.kill(stage.supervisor(), SIGKILL)
    processes.await_gone(pids, 30)  # the parts end with it
    stage.up()


@scenario('A process hangs', 'private', f'the supervisor frozen for {FREEZE_SECONDS} s, and the worker killed meanwhile')
def supervisor_frozen(stage):
    top = stage.supervisor()
    os.kill(top, SIGSTOP)
    processes.send(stage.pids(r'^payhook-worker\|'), SIGKILL)
    stage.hold(FREEZE_SECONDS)
    os.kill(top, SIGCONT)


@scenario('A process is asked to end', 'private', './payhook down and up')
def down_and_up(stage):
    stage.payhook('down')
    stage.up()


@scenario('A process is asked to end', 'private', './payhook reload')
def reload(stage):
    stage.payhook('reload')


@scenario('A process is asked to end', 'private', 'three replacements of the responders, one right after the other')
def reloads_at_once(stage):
    for _ in range(3):
        processes.send(stage.pids(r'^multiwatch\|'), SIGUSR2)
        stage.hold(0.1)


@scenario('A process is killed', 'private', 'kill -9 of the worker six times, as soon as it is back')
def worker_killed_repeatedly(stage):
    for _ in range(6):
        processes.send(stage.pids(r'^payhook-worker\|'), SIGKILL)
        stage.hold(0.7)
