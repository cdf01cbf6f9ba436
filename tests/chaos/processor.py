#!/usr/bin/env -S python3 -B
"""processor.py RECORD - an HTTP processor that records each call, and that misbehaves when it is asked to.

It prints its port.  The record has a line "A time key" when a call has arrived and "R time key status" when its answer was
handed to the kernel.  Each line of standard input is a mode, and ends the previous one:

    ok MS        answers 200 after so many ms
    slow MS      the same; for a delay that is longer than the worker waits
    error S      answers with this status
    close        closes the connection without an answer
    hang         does not answer until the next mode, and then closes
    cut          sends half of a 200 and closes
    garbage      sends bytes that are no HTTP
    some S       answers with this status one call in four, and 200 the others

"flush" is no mode: it writes the record to disk, and prints a line when that is done."""

import heapq
import os
import selectors
import signal
import socket
import sys
import time


class Call:
    def __init__(self, peer):
        self.socket = peer
        self.got = b''
        self.key = None


class Processor:
    def __init__(self, path):
        self.record = open(path, 'w', encoding='ascii', buffering=1 << 16)
        self.selector = selectors.DefaultSelector()
        self.mode, self.argument = 'ok', 2
        self.later = []  # (time, order, call, status)
        self.hanging = []
        self.order = 0
        self.listener = socket.create_server(('127.0.0.1', 0), backlog=1024)
        self.listener.setblocking(False)
        self.selector.register(self.listener, selectors.EVENT_READ, 'listener')
        self.selector.register(0, selectors.EVENT_READ, 'mode')

    def change(self):
        data = os.read(0, 4096)
        if not data:
            return False
        for line in data.decode().splitlines():
            word, _, argument = line.partition(' ')
            if word == 'flush':
                self.record.flush()
                print(word, flush=True)
                continue
            self.mode, self.argument = word, int(argument or 0)
        for call in self.hanging:
            self.close(call)
        self.hanging = []
        return True

    def close(self, call):
        try:
            self.selector.unregister(call.socket)
        except (KeyError, ValueError):
            pass
        call.socket.close()

    def answer(self, call, status):
        key, call.key = call.key, None
        try:
            call.socket.sendall(b'HTTP/1.1 %d X\r\nContent-Length: 2\r\n\r\nok' % status)
        except (OSError, ValueError):
            self.close(call)
            return
        self.record.write('R %.4f %s %d\n' % (time.monotonic(), key, status))

    def end_badly(self, call, data):
        try:
            call.socket.sendall(data)
        except OSError:
            pass
        self.record.write('R %.4f %s 0\n' % (time.monotonic(), call.key))
        self.close(call)

    def act(self, call):
        self.record.write('A %.4f %s\n' % (time.monotonic(), call.key))
        self.order += 1
        if self.mode in ('ok', 'slow', 'some'):
            status, delay = 200, self.argument / 1000
            if self.mode == 'some':
                status, delay = (self.argument if self.order % 4 == 0 else 200), 0.002
            heapq.heappush(self.later, (time.monotonic() + delay, self.order, call, status))
        elif self.mode == 'error':
            self.answer(call, self.argument)
        elif self.mode == 'hang':
            self.hanging.append(call)
        else:
            self.end_badly(call, {'close': b'', 'garbage': b'\0\1\2 no protocol\r\n',
                                  'cut': b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf'}[self.mode])

    def on_readable(self, call):
        try:
            got = call.socket.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            got = b''
        if not got:
            self.close(call)
            return
        call.got += got
        head, found, body = call.got.partition(b'\r\n\r\n')
        if not found:
            return
        fields = dict(line.split(': ', 1) for line in head.decode('latin-1').split('\r\n')[1:])
        if len(body) < int(fields['Content-Length']):
            return
        call.got, call.key = b'', fields['Idempotency-Key']
        self.act(call)

    def run(self):
        print(self.listener.getsockname()[1], flush=True)
        looked = 0
        while True:
            now = time.monotonic()
            while self.later and self.later[0][0] <= now:
                _, _, call, status = heapq.heappop(self.later)
                self.answer(call, status)
            for key, _ in self.selector.select(max(0, min(0.1, self.later[0][0] - now)) if self.later else 0.1):
                if key.data == 'mode':
                    if not self.change():
                        self.record.close()
                        return
                elif key.data == 'listener':
                    peer, _ = self.listener.accept()
                    peer.setblocking(False)
                    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    self.selector.register(peer, selectors.EVENT_READ, Call(peer))
                else:
                    self.on_readable(key.data)
            if now - looked > 0.05:
                looked = now
                self.record.flush()


signal.signal(signal.SIGINT, signal.SIG_IGN)
Processor(sys.argv[1]).run()
