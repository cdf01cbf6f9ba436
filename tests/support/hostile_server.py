#!/usr/bin/env -S python3 -B
"""hostile_server.py FOLDER TEXT [WORD=ANSWER...] - what a hostile server, or somebody between it and the client, may answer.

Speaks as much of PostgreSQL's protocol as psql needs, on FOLDER/.s.PGSQL.5432.  A query that returns rows is answered with one row
of one column: the ANSWER of the first WORD that it contains, else TEXT.  An answer that begins with ERROR is an error with the rest
as its message, of every query.  After the answer SILENCE a session says nothing more; as TEXT it says nothing at all."""

import socketserver
import struct
import sys
import threading

ROWS = ('SELECT', 'SHOW', 'WITH')


class Session(socketserver.StreamRequestHandler):
    def send(self, kind, body):
        self.wfile.write(kind + struct.pack('!i', len(body) + 4) + body)

    def receive(self):
        kind = self.rfile.read(1)
        return kind, self.rfile.read(struct.unpack('!i', self.rfile.read(4))[0] - 4) if kind else b''

    def row(self, text):
        self.send(b'T', struct.pack('!h', 1) + b'answer\0' + struct.pack('!ihihih', 0, 0, 25, -1, -1, 0))
        self.send(b'D', struct.pack('!hi', 1, len(text)) + text)

    def copy(self):
        self.send(b'G', struct.pack('!bh', 0, 0))
        self.wfile.flush()
        while self.receive()[0] not in (b'c', b'f', b''):
            pass

    def answer(self, query):
        text = next((text for word, text in self.server.answers if word in query), self.server.text)
        if text == 'SILENCE':
            threading.Event().wait()
        if text.startswith('ERROR '):
            self.send(b'E', b'SERROR\0CXX000\0M' + text[6:].encode() + b'\0\0')
            return
        if query.lstrip().upper().startswith('COPY'):
            self.copy()
        elif query.lstrip().upper().startswith(ROWS):
            self.row(text.encode())
        self.send(b'C', b'SELECT 1\0')

    def handle(self):
        if self.server.text == 'SILENCE':
            threading.Event().wait()
        length, code = struct.unpack('!ii', self.rfile.read(8))
        if code == 80877104:  # asks for GSSAPI encryption
            self.wfile.write(b'N')
            length, code = struct.unpack('!ii', self.rfile.read(8))
        self.rfile.read(length - 8)
        self.send(b'R', struct.pack('!i', 0))
        self.send(b'S', b'server_version\x0015.0\0')
        self.send(b'S', b'client_encoding\0UTF8\0')
        self.send(b'S', b'standard_conforming_strings\0on\0')
        self.send(b'Z', b'I')
        kind, body = self.receive()
        while kind not in (b'X', b''):
            if kind in (b'Q', b'S'):  # of prepared statements, which have no word here, the end
                self.answer(body.rstrip(b'\0').decode())
                self.send(b'Z', b'I')
            kind, body = self.receive()


def main(folder, text, *answers):
    class Server(socketserver.ThreadingUnixStreamServer):
        daemon_threads = True

    with Server(f'{folder}/.s.PGSQL.5432', Session) as server:
        server.text, server.answers = text, [answer.split('=', 1) for answer in answers]
        server.serve_forever()


main(*sys.argv[1:])
