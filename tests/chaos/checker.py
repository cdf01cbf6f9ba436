"""Judges a run from the sender's record, the processor's record and the database, and from nothing else.

It knows neither the fault nor payhook's code.  What it asserts is what payhook promises: a webhook that was answered 202 is a
row with the content that was sent, is settled once, and was called before it became PROCESSED; no job and no difference is left
over.  A second call is allowed when the database has the reason for it: an attempt on record that lost its answer, or a new start
of the server between the calls, which may have undone the claim of the first."""

import subprocess
import time
from collections import defaultdict

import record

# What has to be 0, in the order in which it is reported.
PROMISES = {
    'lost': 'answered 202, and not in the database',
    'altered': 'in the database with a content that is not the first one',
    'invented': 'in the database, and never sent',
    'unsettled': 'accepted, and neither PROCESSED nor FAILED',
    'uncalled': 'PROCESSED without a call that was answered 2xx, or FAILED without one that was answered 4xx',
    'settled_twice': 'with more than one attempt that was settled as processed, or none',
    'called_twice_unexplained': 'called again after a call that was answered 2xx, with no reason in the database',
    'conflicts_lost': 'conflicts answered 202, and not kept',
    'jobs_left': 'jobs left over',
    'difference': 'transactions that the view reconciliation does not account for',
    'refused': 'answers that a valid webhook must not get',
    'never_accepted': 'webhooks not accepted within a minute after the fault',
}
RETRIED_STATUS = {0, 429, 502, 503, 504}


def rows(conninfo, sql):
    """The rows of a query as lists of text.  No value of ours has a tab or a line's end."""
    run = subprocess.run(['psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', conninfo, '-c', f'COPY ({sql}) TO STDOUT'],
                         check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return [line.split('\t') for line in run.stdout.decode().splitlines()]


class Database:
    """What the database has of the webhooks with ids of a prefix, which has no character special to LIKE.
    began: when it began to accept writes, each time that it did, by the monotonic clock."""

    def __init__(self, conninfo, prefix, began):
        self.began = began
        of_ours = f"transaction_id LIKE '{prefix}-%'"
        self.transactions = rows(conninfo, f'''SELECT transaction_id, source_account, destination_account, amount, currency,
            status FROM payhook.transactions WHERE {of_ours}''')
        self.attempts = rows(conninfo, f'SELECT transaction_id, outcome FROM payhook.job_attempts WHERE {of_ours}')
        self.jobs = rows(conninfo, f'SELECT transaction_id FROM payhook.jobs WHERE {of_ours}')
        self.conflicts = {row[0] for row in rows(
            conninfo, f'SELECT DISTINCT transaction_id FROM payhook.transaction_conflicts WHERE {of_ours}')}
        self.difference = int(rows(conninfo, 'SELECT coalesce(sum(abs(difference)), 0) FROM payhook.reconciliation')[0][0])


def write_began(conninfo):
    """When this server began to accept writes, as a list of one time: its WAL writer starts when a recovery or a promotion has
    ended.  A standby's is empty."""
    found = rows(conninfo, "SELECT extract(epoch FROM backend_start) FROM pg_stat_activity WHERE backend_type = 'walwriter'")
    return [float(row[0]) - time.time() + time.monotonic() for row in found]


def read_calls(path, prefix):
    """For each id the times of its calls, and the statuses of its answers."""
    begun, answered = defaultdict(list), defaultdict(list)
    with open(path, encoding='ascii') as lines:
        for line in lines:
            kind, when, key, *status = line.split()
            if not key.startswith(prefix + '-'):
                continue
            if kind == 'A':
                begun[key].append(float(when))
            else:
                answered[key].append(int(status[0]))
    return begun, answered


class Report:
    def __init__(self):
        self.counts = dict.fromkeys(PROMISES, 0)
        self.examples = defaultdict(list)
        self.figures = {}

    def add(self, promise, example, number=1):
        self.counts[promise] += number
        if len(self.examples[promise]) < 5:
            self.examples[promise].append(example)

    def is_kept(self):
        return not any(self.counts.values())

    def broken(self):
        return [f'{count} {PROMISES[name]}: {", ".join(map(str, self.examples[name]))}'
                for name, count in self.counts.items() if count]


class Webhooks:
    """The sender's record, by id."""

    def __init__(self, answers):
        self.first, self.accepted, self.open = {}, set(), set()
        self.conflicts = set()
        self.refused = []
        self.sends, self.over_500_ms, self.worst = 0, 0, 0.0
        self.times, self.last_sent = [], 0.0
        for a in answers:
            self.sends += 1
            took = a.ended - a.sent
            self.last_sent = max(self.last_sent, a.sent)
            self.worst = max(self.worst, took)
            self.over_500_ms += took > 0.5
            if a.status == 202:
                self.times.append(a.ended)
            elif a.status not in RETRIED_STATUS:
                self.refused.append((a.id, a.status))
            if a.kind == 'conflict':
                if a.status == 202:
                    self.conflicts.add(a.id)
                continue
            self.first.setdefault(a.id, a.digest)
            if a.status == 202:
                self.accepted.add(a.id)
        self.open = set(self.first) - self.accepted

    def longest_gap(self):
        times = sorted(self.times)
        return max((b - a for a, b in zip(times, times[1:])), default=0.0)


def check_rows(report, webhooks, database):
    stored = {}
    for txn_id, payer, payee, amount, currency, status in database.transactions:
        stored[txn_id] = status
        if txn_id not in webhooks.first:
            report.add('invented', txn_id)
        elif record.digest(txn_id, payer, payee, amount, currency) != webhooks.first[txn_id]:
            report.add('altered', txn_id)
        if status not in ('PROCESSED', 'FAILED'):
            report.add('unsettled', f'{txn_id} {status}')
    for txn_id in webhooks.accepted:
        if txn_id not in stored:
            report.add('lost', txn_id)
    for txn_id in webhooks.conflicts - database.conflicts:
        report.add('conflicts_lost', txn_id)
    return stored


def check_calls(report, stored, database, begun, answered):
    """Returns how many were called again after a 2xx, by the reason on record."""
    outcomes = defaultdict(list)
    for txn_id, outcome in database.attempts:
        outcomes[txn_id].append(outcome)
    reasons = defaultdict(int)
    for txn_id, status in stored.items():
        done = sum(200 <= each < 300 for each in answered[txn_id])
        if status == 'PROCESSED' and (done == 0 or outcomes[txn_id].count('processed') != 1):
            report.add('uncalled' if done == 0 else 'settled_twice', f'{txn_id} {outcomes[txn_id]}')
        if status == 'FAILED' and not any(400 <= each < 500 for each in answered[txn_id]):
            report.add('uncalled', txn_id)
        if done < 2:
            continue
        unknown, retried = outcomes[txn_id].count('unknown'), outcomes[txn_id].count('retried')
        if unknown + retried >= done - 1:
            reasons['the worker was gone' if unknown else 'the answer was late or lost'] += 1
        elif any(begun[txn_id][0] < began < begun[txn_id][-1] for began in database.began):
            reasons['a restart or failover forgot the claim'] += 1
        else:
            report.add('called_twice_unexplained', f'{txn_id} {outcomes[txn_id]}')
    return dict(reasons)


def came_back(answers, begun, since):
    """Seconds from then to the next webhook that was sent and answered 202, and to the next call of the processor; None: never."""
    accepted = min((a.ended for a in answers if a.status == 202 and a.sent > since), default=None)
    called = min((time for each in begun.values() for time in each if time > since), default=None)
    return [None if time is None else round(time - since, 2) for time in (accepted, called)]


def slowest(answers, begun, moments, limits):
    """Of the ways back from these moments: for each limit the longest, None if one of them never came."""
    ways = [came_back(answers, begun, since) for since in moments]
    return [None if None in times else max(times) for times, _ in zip(zip(*ways), limits)]


def check(answers, calls, database):
    """answers: of record.answers().  calls: of read_calls().  database: of Database()."""
    report, webhooks, (begun, answered) = Report(), Webhooks(answers), calls
    stored = check_rows(report, webhooks, database)
    reasons = check_calls(report, stored, database, begun, answered)
    for txn_id, status in webhooks.refused:
        report.add('refused', f'{txn_id} {status}')
    for txn_id in webhooks.open:
        report.add('never_accepted', txn_id)
    for row in database.jobs:
        report.add('jobs_left', row[0])
    if database.difference:
        report.add('difference', 'reconciliation', database.difference)
    times = sorted(time for each in begun.values() for time in each if time <= webhooks.last_sent)
    report.figures = {
        'webhooks': len(webhooks.first), 'requests': webhooks.sends, 'accepted': len(webhooks.accepted),
        'called_twice': reasons, 'worst_answer_ms': round(webhooks.worst * 1000), 'over_500_ms': webhooks.over_500_ms,
        'longest_without_202_s': round(webhooks.longest_gap(), 2),
        'longest_without_call_s': round(max((b - a for a, b in zip(times, times[1:])), default=0.0), 2),
    }
    return report
