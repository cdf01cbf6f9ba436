#!/usr/bin/env -S python3 -B
"""Sends webhooks as a provider does that has two addresses, and keeps a record of what was answered 202.

ha_load.py FILE PREFIX PORT...
    sends webhooks with the ids PREFIX-0, PREFIX-1 ... until SIGTERM.  Each is sent again, to the next port, until it is
    answered 202; one in ten is then sent a second time.  For each 202 a line of FILE has the id, the amount and the
    time in seconds since the start of the machine.  The last line of output counts the results.
ha_load.py --gap FILE FROM TO
    prints the longest time in seconds without a 202 between these two times
"""

import collections
import http.client
import itertools
import json
import signal
import sys
import threading
import time

SENDERS = 5
PAUSE_S = 0.05
TIMEOUT_S = 3
LAST_S = 30  # after SIGTERM, for webhooks that are not accepted yet


def now():
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Load:
    def __init__(self, file, prefix, ports):
        self.prefix, self.ports = prefix, itertools.cycle(ports)
        self.numbers = itertools.count()
        self.lock = threading.Lock()
        self.file = open(file, 'a', encoding='ascii', buffering=1)
        self.results = collections.Counter()
        self.stop_at = None

    def post(self, name, amount):
        with self.lock:
            port = next(self.ports)
        body = json.dumps({'transaction_id': name, 'source_account': 'a', 'destination_account': 'b',
                           'amount': amount, 'currency': 'EUR'})
        connection = http.client.HTTPConnection('127.0.0.1', port, timeout=TIMEOUT_S)
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

    def is_over(self):
        return self.stop_at is not None and now() > self.stop_at + LAST_S

    def send(self, name, amount):
        result = None
        while result != '202' and not self.is_over():
            if result:
                time.sleep(0.1)
            result = self.post(name, amount)
            with self.lock:
                self.results[result] += 1
                if result == '202':
                    self.file.write(f'{name}\t{amount}\t{now():.3f}\n')

    def run(self):
        while self.stop_at is None:
            with self.lock:
                number = next(self.numbers)
            for _ in range(2 if number % 10 == 0 else 1):
                self.send(f'{self.prefix}-{number}', f'{number + 1}.50')
            time.sleep(PAUSE_S)

    def stop(self, *_):
        self.stop_at = now()


def gap(file, begin, end):
    with open(file, encoding='ascii') as lines:
        times = sorted(float(line.split('\t')[2]) for line in lines if line.endswith('\n'))
    times = [begin] + [at for at in times if begin < at < end] + [end]
    return max(later - at for at, later in zip(times, times[1:]))


def main(arguments):
    if arguments[0] == '--gap':
        print(f'{gap(arguments[1], float(arguments[2]), float(arguments[3])):.1f}')
        return
    load = Load(arguments[0], arguments[1], [int(port) for port in arguments[2:]])
    signal.signal(signal.SIGTERM, load.stop)
    threads = [threading.Thread(target=load.run) for _ in range(SENDERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(' '.join(f'{result}: {count}' for result, count in sorted(load.results.items())))


if __name__ == '__main__':
    main(sys.argv[1:])
