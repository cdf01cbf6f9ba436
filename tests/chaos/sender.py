#!/usr/bin/env -S python3 -B
"""sender.py PORT RECORD PREFIX SEED RATE - sends webhooks as providers do, and records each answer on disk.

It starts RATE new webhooks a second, whatever becomes of the others, so a pause of the receiver is seen by as many webhooks as
would have met it.  One in five is sent a second time, up to 3 s later.  One in fifty that was accepted comes again with another
amount.  What is answered with 5xx or 429, or not within 5 s, is sent again after about a second until it is accepted.
SIGUSR1 pauses the new ones, and SIGUSR2 lets them go on: between them only what is known already comes, and
three new ones for each SIGHUP.  SIGTERM ends the new ones; the program ends when all are accepted, or 60 s later with status 1, or with its parent."""

import hashlib
import heapq
import os
import random
import selectors
import signal
import socket
import sys
import time

import record

ANSWER_SECONDS = 5.0
PATIENCE_SECONDS = 60.0  # for what is still to be accepted at the end
CONNECTIONS_MAX = 800
AGAIN = {0, 429, 500, 502, 503, 504}


class Connection:
    def __init__(self, port):
        self.socket = socket.socket()
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.connect_ex(('127.0.0.1', port))
        self.item = None
        self.out = b''
        self.got = b''


class Sender:
    def __init__(self, port, path, prefix, seed, rate):
        self.port, self.prefix, self.seed, self.rate = port, prefix, seed, rate
        self.record = open(path, 'w', encoding='ascii', buffering=1 << 16)
        self.selector = selectors.DefaultSelector()
        self.random = random.Random(seed)
        self.due = []  # (time, order, webhook's number, kind)
        self.order = 0
        self.idle = []
        self.busy = set()
        self.number = 0
        self.is_ending = False
        self.paused_at = None

    def schedule(self, when, number, kind):
        self.order += 1
        heapq.heappush(self.due, (when, self.order, number, kind))

    def make_new(self, now):
        while not self.is_ending and not self.paused_at and self.began + self.number / self.rate <= now:
            when = self.began + self.number / self.rate
            self.schedule(when, self.number, 'first')
            if self.random.random() < 0.2:
                self.schedule(when + 3 * self.random.random(), self.number, 'duplicate')
            self.number += 1

    def pause(self, is_paused):
        now = time.monotonic()
        if is_paused and not self.paused_at:
            self.paused_at = now
        elif not is_paused and self.paused_at:
            self.began += now - self.paused_at  # none is made up for
            self.paused_at = None

    def make_three(self):
        for _ in range(3):
            self.schedule(time.monotonic(), self.number, 'first')
            self.number += 1

    def send_due(self, now):
        while self.due and self.due[0][0] <= now and (self.idle or len(self.busy) < CONNECTIONS_MAX):
            when, _, number, kind = heapq.heappop(self.due)
            txn_id, content, body = record.webhook(self.prefix, self.seed, number, kind == 'conflict')
            connection = self.idle.pop() if self.idle else Connection(self.port)
            trace = hashlib.md5(txn_id.encode()).hexdigest()
            connection.out = (b'POST /v1/webhooks/transactions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n'
                              b'traceparent: 00-%s-%s-01\r\nContent-Length: %d\r\n\r\n' %
                              (trace.encode(), trace[:16].encode(), len(body))) + body
            connection.item = (txn_id, content, number, kind, when, now)
            connection.got = b''
            self.busy.add(connection)
            self.selector.register(connection.socket, selectors.EVENT_READ | selectors.EVENT_WRITE, connection)

    def close(self, connection):
        self.busy.discard(connection)
        try:
            self.selector.unregister(connection.socket)
        except KeyError:
            pass
        connection.socket.close()

    def ended(self, connection, status, keep):
        now = time.monotonic()
        txn_id, content, number, kind, when, sent = connection.item
        self.record.write(record.line(record.Answer(txn_id, kind, content, when, sent, now, status)))
        if keep:
            self.busy.discard(connection)
            self.selector.unregister(connection.socket)
            self.idle.append(connection)
        else:
            self.close(connection)
        if status in AGAIN:
            self.schedule(now + 0.5 + self.random.random(), number, 'again' if kind in ('first', 'duplicate') else kind)
        elif status == 202 and kind == 'first' and self.random.random() < 0.02:
            self.schedule(now + self.random.random(), number, 'conflict')

    def on_event(self, connection, events):
        try:
            if events & selectors.EVENT_WRITE and connection.out:
                connection.out = connection.out[connection.socket.send(connection.out):]
                if not connection.out:
                    self.selector.modify(connection.socket, selectors.EVENT_READ, connection)
            if not events & selectors.EVENT_READ:
                return
            got = connection.socket.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            got = b''
        connection.got += got
        head, found, body = connection.got.partition(b'\r\n\r\n')
        if found:
            fields = head.decode('latin-1').lower().split('\r\n')
            length = next((int(field.split(':')[1]) for field in fields if field.startswith('content-length:')), 0)
            if len(body) >= length:
                self.ended(connection, int(head.split(b' ', 2)[1]), 'connection: close' not in fields)
                return
        if not got:
            self.ended(connection, 0, False)

    def expire(self, now):
        for connection in [each for each in self.busy if now - each.item[5] > ANSWER_SECONDS]:
            self.ended(connection, 0, False)

    def run(self):
        self.began, self.parent = time.monotonic(), os.getppid()
        looked, give_up = self.began, None
        while True:
            now = time.monotonic()
            if self.is_ending and give_up is None:
                give_up = now + PATIENCE_SECONDS
            if give_up and (now > give_up or not self.due and not self.busy):
                break
            self.make_new(now)
            self.send_due(now)
            for key, events in self.selector.select(0.005):
                self.on_event(key.data, events)
            if now - looked > 0.1:
                looked = now
                if os.getppid() != self.parent:
                    break
                self.expire(now)
                self.record.flush()
        for connection in list(self.busy):
            self.ended(connection, 0, False)
        self.record.close()
        return 1 if self.due else 0


def main():
    port, path, prefix, seed, rate = sys.argv[1:6]
    sender = Sender(int(port), path, prefix, seed, float(rate))

    def end(_number, _frame):
        sender.is_ending = True
    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGUSR1, lambda *_: sender.pause(True))
    signal.signal(signal.SIGHUP, lambda *_: sender.make_three())
    signal.signal(signal.SIGUSR2, lambda *_: sender.pause(False))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit(sender.run())


main()
