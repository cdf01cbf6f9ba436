"""The webhooks that the sender makes, and the lines of its record.

A webhook is a function of the seed and its number: a run that is repeated with its seed sends the same bytes.  The record is a
text file with one line for each answer, or for each request that got none.  The checker reads nothing else of the sender."""

import hashlib
from collections import namedtuple

# due, sent, ended: seconds of the monotonic clock.  status: of HTTP; 0: no answer.  kind: first, again (sent again after no
# 202), duplicate, conflict (the same id with another amount).
Answer = namedtuple('Answer', 'id kind digest due sent ended status')
CURRENCIES = ('EUR', 2), ('USD', 2), ('INR', 2), ('JPY', 0), ('KWD', 3)


def digest(txn_id, source_account, destination_account, amount, currency):
    """What identifies the content of a webhook, and of a row of the database."""
    text = '\0'.join((txn_id, source_account, destination_account, amount, currency))
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def webhook(prefix, seed, number, changed=False):
    """(id, digest, body) of a webhook; changed: its conflict."""
    bits = hashlib.sha256(f'{seed}/{number}'.encode()).digest()
    currency, places = CURRENCIES[bits[0] % len(CURRENCIES)]
    units = 1 + int.from_bytes(bits[1:4], 'big') + (1 << 24) * changed
    amount = str(units) + (f'.{int.from_bytes(bits[4:6], "big") % 10 ** places:0{places}d}' if places else '')
    txn_id, payer, payee = f'{prefix}-{number}', f'acc_{bits[6:12].hex()}', f'acc_{bits[12:18].hex()}'
    body = (f'{{"transaction_id":"{txn_id}","source_account":"{payer}","destination_account":"{payee}",'
            f'"amount":{amount},"currency":"{currency}"}}')
    return txn_id, digest(txn_id, payer, payee, amount, currency), body.encode()


def line(answer):
    return '%s %s %s %.4f %.4f %.4f %d\n' % answer


def answers(path):
    with open(path, encoding='ascii') as lines:
        for each in lines:
            txn_id, kind, content, due, sent, ended, status = each.split()
            yield Answer(txn_id, kind, content, float(due), float(sent), float(ended), int(status))
