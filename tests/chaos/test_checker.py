#!/usr/bin/env -S python3 -B
"""The checker against records and databases that are wrong in one way each; prints TAP."""

import copy
from types import SimpleNamespace

import checker
import record

PREFIX, SEED = 't', 7


def kept():
    """The answers, calls and database of three webhooks with which nothing is wrong."""
    answers, transactions, attempts, begun, answered = [], [], [], {}, {}
    for number in range(3):
        txn_id, content, body = record.webhook(PREFIX, SEED, number)
        answers.append(record.Answer(txn_id, 'first', content, number, number, number + 0.1, 202))
        fields = body.decode().strip('{}').replace('"', '').split(',')
        transactions.append([field.split(':')[1] for field in fields] + ['PROCESSED'])
        attempts.append([txn_id, 'processed'])
        begun[txn_id], answered[txn_id] = [number + 0.2], [200]
    for number in range(3, 100):
        answered[f'{PREFIX}-{number}'] = []
    return SimpleNamespace(answers=answers, calls=(begun, answered), database=SimpleNamespace(
        transactions=transactions, attempts=attempts, jobs=[], conflicts=set(), difference=0, began=[-5.0]))


def add_conflict(run):
    txn_id, content, _ = record.webhook(PREFIX, SEED, 0, changed=True)
    run.answers.append(record.Answer(txn_id, 'conflict', content, 1, 1, 1, 202))


def lose(run):
    del run.database.transactions[1]


def alter(run):
    run.database.transactions[1][3] += '0'


def invent(run):
    run.database.transactions.append(['t-77', 'a', 'b', '1', 'EUR', 'PROCESSED'])
    run.database.attempts.append(['t-77', 'processed'])
    run.calls[1]['t-77'] = [200]


def leave_processing(run):
    run.database.transactions[1][5] = 'PROCESSING'


def forget_call(run):
    run.calls[1]['t-1'] = [500, 0]


def fail_without_call(run):
    run.database.transactions[1][5] = 'FAILED'


def settle_twice(run):
    run.database.attempts.append(['t-1', 'processed'])


def settle_without_attempt(run):
    del run.database.attempts[1]


def call_twice(run):
    run.calls[0]['t-1'].append(2.5)
    run.calls[1]['t-1'].append(200)


def call_twice_before_a_restart(run):
    call_twice(run)
    run.database.began.append(2.7)


def leave_job(run):
    run.database.jobs.append(['t-1'])


def differ(run):
    run.database.difference = 2


def refuse(run):
    run.answers.append(run.answers[1]._replace(status=422))


def never_accept(run):
    run.answers[1] = run.answers[1]._replace(status=503)


def accept_the_duplicate_alone(run):
    """A false 202 for a webhook that was known for a while."""
    run.answers[1] = run.answers[1]._replace(status=503)
    run.answers.append(run.answers[1]._replace(kind='again', status=202))
    lose(run)


WRONG = [(lose, 'lost'), (accept_the_duplicate_alone, 'lost'), (alter, 'altered'), (invent, 'invented'),
         (leave_processing, 'unsettled'), (forget_call, 'uncalled'), (fail_without_call, 'uncalled'), (settle_twice, 'settled_twice'),
         (settle_without_attempt, 'settled_twice'), (call_twice, 'called_twice_unexplained'), (add_conflict, 'conflicts_lost'),
         (call_twice_before_a_restart, 'called_twice_unexplained'), (leave_job, 'jobs_left'), (differ, 'difference'), (refuse, 'refused'), (never_accept, 'never_accepted')]


def judge(run):
    return checker.check(run.answers, run.calls, run.database)


def a_second_call_with_a_reason(run):
    call_twice(run)
    run.database.attempts.insert(0, ['t-1', 'unknown'])
    return judge(run).is_kept() and judge(run).figures['called_twice'] == {'the worker was gone': 1}


def a_second_call_after_a_restart(run):
    call_twice(run)
    run.database.began.append(2.0)
    return judge(run).is_kept() and judge(run).figures['called_twice'] == {'a restart or failover forgot the claim': 1}


def slow_answers_are_counted(run):
    run.answers[1] = run.answers[1]._replace(ended=3.0)
    figures = judge(run).figures
    return figures['over_500_ms'] == 1 and figures['worst_answer_ms'] == 2000 and figures['longest_without_202_s'] == 2.0


def the_way_back_is_measured(run):
    begun = run.calls[0]
    return (checker.came_back(run.answers, begun, 0.5) == [0.6, 0.7]
            and checker.came_back(run.answers, begun, 1.15) == [0.95, 0.05] and checker.came_back(run.answers, begun, 50) == [None, None])


def the_slowest_way_back_counts(run):
    begun = run.calls[0]
    return (checker.slowest(run.answers, begun, [0.5, 1.15], (6, 15)) == [0.95, 0.7]
            and checker.slowest(run.answers, begun, [0.5, 1.15], (6,)) == [0.95]
            and checker.slowest(run.answers, begun, [0.5, 50], (6, 15)) == [None, None]
            and checker.slowest(run.answers, begun, [], (6, 15)) == [])


def main():
    results = [('nothing_wrong_is_kept', judge(kept()).is_kept())]
    for change, promise in WRONG:
        run = copy.deepcopy(kept())
        change(run)
        counts = judge(run).counts
        results.append((f'{change.__name__}: only "{promise}" is broken',
                        [name for name, count in counts.items() if count] == [promise]))
    for good in (a_second_call_with_a_reason, a_second_call_after_a_restart, slow_answers_are_counted, the_way_back_is_measured,
                 the_slowest_way_back_counts):
        results.append((good.__name__, good(kept())))
    print(f'1..{len(results)}')
    for number, (name, passed) in enumerate(results, 1):
        print(f'{"ok" if passed else "not ok"} {number} - {name}')


main()
