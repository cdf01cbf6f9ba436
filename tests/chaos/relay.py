#!/usr/bin/env -S python3 -B
"""relay.py TARGET-PORT - the network between payhook and its database.

It prints the port on which it listens.  Each line of standard input is a mode:

    pass         forwards both ways
    cut          closes every connection, and each new one at once
    drop         forwards nothing, and closes nothing: packets that are lost
    deaf         forwards requests, and no answers: what is committed is not reported; then "cut" loses these answers
    slow MS      forwards each piece after so many ms
    rate BYTES   forwards so many bytes a second, on each connection and in each direction"""

import asyncio
import os
import signal
import sys

CHUNK = 16384


class Relay:
    def __init__(self, target):
        self.target = target
        self.mode, self.argument = 'pass', 0
        self.changed = asyncio.Event()
        self.writers = set()

    def set_mode(self):
        data = os.read(0, 4096)
        if not data:
            asyncio.get_running_loop().stop()
            return
        for line in data.decode().splitlines():
            self.mode, _, argument = line.partition(' ')
            self.argument = int(argument or 0)
        if self.mode == 'cut':
            for writer in self.writers:
                writer.transport.abort()
        self.changed.set()
        self.changed = asyncio.Event()

    async def forward(self, reader, writer, is_answer):
        while True:
            data = await reader.read(CHUNK)
            if not data:
                break
            while self.mode == 'drop' or self.mode == 'deaf' and is_answer:
                await self.changed.wait()
            if self.mode == 'slow':
                await asyncio.sleep(self.argument / 1000)
            elif self.mode == 'rate':
                await asyncio.sleep(len(data) / self.argument)
            writer.write(data)
            await writer.drain()

    async def on_connection(self, reader, writer):
        if self.mode == 'cut':
            writer.transport.abort()
            return
        pair = [writer]
        self.writers.add(writer)
        try:
            server_reader, server_writer = await asyncio.open_connection('127.0.0.1', self.target)
            pair.append(server_writer)
            self.writers.add(server_writer)
            tasks = [asyncio.create_task(self.forward(reader, server_writer, False)),
                     asyncio.create_task(self.forward(server_reader, writer, True))]
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        except OSError:
            pass
        for each in pair:
            self.writers.discard(each)
            each.close()


async def main():
    relay = Relay(int(sys.argv[1]))
    server = await asyncio.start_server(relay.on_connection, '127.0.0.1', 0)
    asyncio.get_running_loop().add_reader(0, relay.set_mode)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


signal.signal(signal.SIGINT, signal.SIG_IGN)
try:
    asyncio.run(main())
except (RuntimeError, KeyboardInterrupt):  # the loop was stopped, as its standard input ended
    pass
