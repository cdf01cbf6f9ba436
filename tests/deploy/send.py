#!/usr/bin/env -S python3 -B
"""Sends webhooks and records which of them were accepted.

send.py PORT PREFIX COUNT FILE [SENDERS]
    sends COUNT webhooks with the ids PREFIX-0, PREFIX-1 ... and appends the accepted ids to FILE; one that is not
    accepted is a failure.  COUNT 0: up to two hundred a second, until SIGTERM.
    A 503 after 450 ms is what a responder answers when the machine stalls and no commit comes back, whatever is deployed
    meanwhile: such a webhook is sent again, as a provider does, and two in a hundred of them are a failure.
send.py --again PORT PREFIX COUNT FILE [SENDERS]
    the same, slower, and with the retries of a provider: each webhook is sent again until it is accepted; the script
    ends when one was not accepted within a minute

Each webhook has a connection of its own, so one that nginx closes between two requests is no failure.  The last line of
output counts the results.  The exit status is 1 after a failure.
"""

import collections
import http.client
import itertools
import json
import signal
import sys
import threading
import time

AGAIN_S = 60
LATE_S = 0.45  # REQUEST_WAIT_MS of app/service.h
LATE_SHARE = 0.02


class Sender:
    def __init__(self, port, prefix, count, file, again):
        self.port, self.prefix, self.again = port, prefix, again
        self.numbers = iter(range(count)) if count else itertools.count()
        self.pause_s = 0.05 if again else 0 if count else 0.04
        self.lock = threading.Lock()
        self.file = open(file, 'a', encoding='ascii')
        self.results = collections.Counter()
        self.late = 0
        self.stopped = False

    def post(self, name):
        body = json.dumps({'transaction_id': name, 'source_account': 'a', 'destination_account': 'b',
                           'amount': '10.50', 'currency': 'EUR'})
        connection = http.client.HTTPConnection('127.0.0.1', self.port, timeout=10)
        try:
            connection.request('POST', '/v1/webhooks/transactions', body,
                               {'Content-Type': 'application/json', 'Connection': 'close'})
            response = connection.getresponse()
            response.read()
            return str(response.status)
        except (OSError, http.client.HTTPException) as error:
            return type(error).__name__
        finally:
            connection.close()

    def post_timed(self, name):
        start = time.monotonic()
        result = self.post(name)
        is_late = result == '503' and time.monotonic() - start >= LATE_S
        with self.lock:
            self.late += is_late
        return result, is_late

    def send(self, name):
        until = time.monotonic() + AGAIN_S
        result, is_late = self.post_timed(name)
        while (self.again or is_late) and result != '202' and time.monotonic() < until:
            time.sleep(0.1)
            result, is_late = self.post_timed(name)
        with self.lock:
            self.results[result] += 1
            if result == '202':
                self.file.write(name + '\n')
        # After one such timeout, do not wait for each of the other webhooks.
        self.stopped = self.stopped or self.again and result != '202'

    def run(self):
        while not self.stopped:
            with self.lock:
                number = next(self.numbers, None)
            if number is None:
                return
            self.send(f'{self.prefix}-{number}')
            time.sleep(self.pause_s)

    def stop(self, *_):
        self.stopped = True


def main(arguments):
    again = arguments[0] == '--again'
    port, prefix, count, file, *senders = arguments[again:]
    sender = Sender(int(port), prefix, int(count), file, again)
    signal.signal(signal.SIGTERM, sender.stop)
    threads = [threading.Thread(target=sender.run) for _ in range(int(senders[0]) if senders else 8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sender.file.close()
    if sender.late and not again:
        if sender.late > LATE_SHARE * sender.results.total():
            sender.results['late'] = sender.late
        print(f'{sender.late} answered 503 after {LATE_S} s, and sent again')
    print(' '.join(f'{result}: {count}' for result, count in sorted(sender.results.items())))
    return 0 if set(sender.results) == {'202'} else 1


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
