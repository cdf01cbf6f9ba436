"""The database is restarted, locked, made read-only, full, or loses its power; sessions are ended and cancelled."""

import os
import subprocess
from signal import SIGINT, SIGKILL, SIGQUIT

from scenario import scenario

LOCK_SECONDS = 3
RESTARTS = 'The database restarts'
SESSIONS = 'Sessions and locks'
DISK = 'Disk and power'


@scenario(RESTARTS, 'server', 'fast restart')
def restart_fast(stage):
    stage.primary.restart(SIGINT)


@scenario(RESTARTS, 'server', 'immediate restart, which recovers from the log')
def restart_immediate(stage):
    stage.primary.restart(SIGQUIT)


@scenario(RESTARTS, 'server', 'away for 5 s')
def database_away(stage):
    stage.primary.stop(SIGINT)
    stage.hold(5)
    stage.primary.start()


@scenario(RESTARTS, 'server', 'kill -9 of all its processes and three restarts in a row')
def restarts_in_a_row(stage):
    for _ in range(3):
        stage.primary.restart(SIGKILL)


@scenario(RESTARTS, 'server', 'default_transaction_read_only for 4 s')
def read_only(stage):
    stage.primary.set('default_transaction_read_only', 'on')
    stage.hold(4)
    stage.primary.set('default_transaction_read_only', 'off')


def of_payhook(function):
    return f"SELECT count({function}(pid)) FROM pg_stat_activity WHERE usename LIKE 'payhook%' AND pid <> pg_backend_pid()"


@scenario(SESSIONS, 'server', 'pg_terminate_backend of every session, 20 times in 4 s')
def sessions_terminated(stage):
    for _ in range(20):
        stage.run(of_payhook('pg_terminate_backend'))
        stage.hold(0.2)


@scenario(SESSIONS, 'server', 'pg_cancel_backend of every session, 100 times in 4 s')
def statements_cancelled(stage):
    for _ in range(100):
        stage.run(of_payhook('pg_cancel_backend'))
        stage.hold(0.03)


def locked(stage, sql, seconds=LOCK_SECONDS):
    session = stage.session('BEGIN;\n' + sql)
    stage.hold(seconds)
    session.stdin.close()
    session.wait(10)


@scenario(SESSIONS, 'server', f'ACCESS EXCLUSIVE lock on the transactions for {LOCK_SECONDS} s')
def table_locked(stage):
    locked(stage, 'LOCK TABLE payhook.transactions IN ACCESS EXCLUSIVE MODE;')


@scenario(SESSIONS, 'server', f'ACCESS EXCLUSIVE lock on the jobs for {LOCK_SECONDS} s')
def jobs_locked(stage):
    locked(stage, 'LOCK TABLE payhook.jobs IN ACCESS EXCLUSIVE MODE;')


@scenario(SESSIONS, 'server', f'ACCESS EXCLUSIVE lock on the attempts for {LOCK_SECONDS} s')
def attempts_locked(stage):
    locked(stage, 'LOCK TABLE payhook.job_attempts IN ACCESS EXCLUSIVE MODE;')


@scenario(SESSIONS, 'server', f'SHARE lock on the transactions for {LOCK_SECONDS} s, as by CREATE INDEX')
def table_share_locked(stage):
    locked(stage, 'LOCK TABLE payhook.transactions IN SHARE MODE;')


@scenario(SESSIONS, 'server', f'every job that is there locked for {LOCK_SECONDS} s')
def jobs_rows_locked(stage):
    stage.processor.mode('ok 500')  # so that there are some
    stage.hold(1)
    locked(stage, 'SELECT count(*) FROM (SELECT FROM payhook.jobs FOR UPDATE) j;')


@scenario(SESSIONS, 'server', 'heartbeats of the workers locked for 26 s, so that they cannot be renewed', once=True)
def heartbeats_locked(stage):
    locked(stage, 'SELECT count(*) FROM (SELECT FROM payhook.workers FOR UPDATE) w;', 26)


@scenario(SESSIONS, 'server', 'the ids of the next webhooks inserted by a transaction that is rolled back after 3 s')
def identities_in_doubt(stage):
    locked(stage, '''INSERT INTO payhook.transactions (transaction_id, source_account, destination_account, amount, currency)
        SELECT split_part(t.transaction_id, '-', 1) || '-' || (max(split_part(t.transaction_id, '-', 2)::int) + n), 'x', 'x', 1, 'EUR'
        FROM payhook.transactions t, generate_series(50, 1500) n
        WHERE t.created_at > now() - interval '5 s' AND t.transaction_id ~ '^c[0-9]+-[0-9]+$'
        GROUP BY split_part(t.transaction_id, '-', 1), n;''')


@scenario(SESSIONS, 'server', 'a storm of short ACCESS EXCLUSIVE locks by six sessions on three tables')
def lock_storm(stage):
    script = ''.join(f'BEGIN; LOCK TABLE payhook.{table} IN ACCESS EXCLUSIVE MODE; COMMIT;\n'
                     for _ in range(60) for table in ('jobs', 'transactions', 'job_attempts'))
    sessions = [subprocess.Popen(['psql', '-X', '-q', '-d', stage.conninfo()], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
                for _ in range(6)]
    for session in sessions:
        session.stdin.write(script)
        session.stdin.close()
    for session in sessions:
        session.wait(180)


@scenario(SESSIONS, 'server', 'VACUUM FULL of the transactions and the jobs')
def vacuum_full(stage):
    stage.run('VACUUM FULL payhook.transactions, payhook.jobs')


@scenario(SESSIONS, 'server', 'a checkpoint, a WAL switch and ANALYZE, ten times')
def checkpoints(stage):
    for _ in range(10):
        stage.run('CHECKPOINT')
        stage.run('SELECT pg_switch_wal()')
        stage.run('ANALYZE')


@scenario(SESSIONS, 'server', 'pause and resume of the queue, five times')
def pauses(stage):
    for _ in range(5):
        stage.run('SELECT payhook.pause()')
        stage.hold(0.4)
        stage.run('SELECT payhook.resume()')


@scenario(SESSIONS, 'server', 'every connection of the server taken by others for 4 s, after payhook lost its own')
def connections_exhausted(stage):
    stage.primary.run('ALTER ROLE payhook CONNECTION LIMIT 0')
    stage.run(of_payhook('pg_terminate_backend'))
    stage.hold(4)
    stage.primary.run('ALTER ROLE payhook CONNECTION LIMIT -1')


@scenario(DISK, 'server', 'power cut: what was not flushed is gone')
def power_cut(stage):
    stage.primary.cut_power()
    stage.primary.start()


@scenario(DISK, 'server', 'power cut of the database while a worker is killed')
def power_cut_and_worker(stage):
    stage.second.kill()
    stage.second.wait(10)
    stage.primary.cut_power()
    stage.primary.start()


@scenario(DISK, 'server', 'power cut right after a checkpoint')
def power_cut_after_checkpoint(stage):
    stage.run('CHECKPOINT')
    stage.primary.cut_power()
    stage.primary.start()


@scenario(DISK, 'server', 'full disk for 5 s')
def disk_full(stage):
    path = f'{stage.primary.folder}/disk/other'
    with open(path, 'wb', buffering=0) as file:
        left = os.statvfs(path)
        try:
            os.posix_fallocate(file.fileno(), 0, left.f_bfree * left.f_frsize)
        except OSError:
            pass
        chunk = bytes(1 << 20)
        while chunk:  # to the last block
            try:
                file.write(chunk)
            except OSError:
                chunk = chunk[:len(chunk) // 2]
    stage.hold(5)
    os.unlink(path)
    if not stage.primary.is_running():
        stage.primary.start()
