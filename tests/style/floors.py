#!/usr/bin/env -S python3 -B
"""Checks the structure that docs/design.md describes: which room may include which, no circular includes within a
room, and the doors, the only files that may include a foreign library.

A module is lib/<room>/x.c with include/<room>/x.h, included as "<room>/x.h"; a program is a room of its own, whose
headers are beside its files and are included by no other room."""

import re
from pathlib import PurePath

import tree

# Room: the rooms that it may include, which must precede it in this list.
ROOMS = {
    'base': '',
    'json': 'base',
    'http': 'base',
    'pg': 'base',
    'txn': 'base json',
    'auth': 'base json http',
    'source': 'base json http txn auth',
    'ingest': 'base pg txn auth',
    'queue': 'base pg',
    'runtime': 'base http txn auth source',
    'fastcgi': 'base http runtime',
    'app': 'base json http pg txn auth source ingest runtime fastcgi',
    'worker': 'base json http pg auth queue runtime',
    'console': 'base json http pg auth runtime fastcgi',
    'ctl': 'base json http pg txn auth source ingest runtime',
    'supervisor': 'base',
}
PROGRAMS = ('app', 'worker', 'console', 'ctl', 'supervisor')
GENERATED = ('currency_table.h', 'settings_table.h')

# Library, as it is included: the files that may include it, or the beginnings of their paths.  libevent has no single
# door: all rooms that wait for something use its loop directly.
WAITING = ('lib/pg/', 'lib/ingest/', 'lib/queue/', 'lib/fastcgi/') + tuple(f'{program}/' for program in PROGRAMS)
DOORS = {
    'libpq-fe.h': ('lib/pg/db.c', 'lib/pg/conninfo.c', 'lib/pg/abandoned.c', 'lib/pg/session.c', 'lib/pg/connection.c'),
    'fcgiapp.h': ('lib/fastcgi/fastcgi.c', 'lib/fastcgi/fastcgi_request.', 'include/fastcgi/fastcgi_request.'),
    'curl/': ('worker/http_loop.', 'worker/oauth.', 'worker/http_transfer.', 'worker/processor_http.c', 'worker/http_failure.', 'worker/http_options.', 'ctl/post.'),
    'openssl/': ('lib/auth/digest.c', 'lib/auth/pem.c'),
    'zlib.h': ('lib/auth/digest.c', 'lib/http/content_coding.c'),
    'event2/': WAITING,
}
NO_DOORS = ('tests/', 'bench/')
# Headers of the C library and the kernel, which every file may include; any other foreign header needs a door.
SYSTEM = set("""arpa/inet.h assert.h ctype.h dirent.h errno.h fcntl.h ftw.h grp.h inttypes.h limits.h netdb.h netinet/in.h poll.h pwd.h signal.h stdarg.h
stdatomic.h stdbool.h stddef.h stdint.h stdio.h stdlib.h string.h strings.h sys/file.h sys/mman.h sys/prctl.h sys/queue.h
sys/random.h sys/resource.h sys/socket.h sys/stat.h sys/time.h sys/types.h sys/un.h sys/wait.h time.h unistd.h""".split())

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)
ARROWS, CIRCLES, PLACE = 'a room includes only the rooms below it', 'no circle inside a room', 'every file is in a room'
FORM, FOREIGN = 'ours are included as "<room>/x.h", a program\'s own as "x.h"', 'every foreign header is of the system or has a door'


def room_of(path):
    """The room of a source or header, None for one that is in none."""
    folder, *rest = path.parts[:-1]
    if folder in PROGRAMS and not rest:
        return folder
    if folder == {'.c': 'lib', '.h': 'include'}[path.suffix] and len(rest) == 1:
        return rest[0]
    return None


def target_of(room, include):
    """(room, module) of what is included in quotes, None where its form says neither.  A header without a folder is one of
    the program's own, or one that the build generates."""
    parts = PurePath(include).parts
    if len(parts) == 2 and parts[0] in ROOMS and parts[0] not in PROGRAMS:
        return parts[0], PurePath(include).stem
    if len(parts) == 1 and (room in PROGRAMS or include in GENERATED):
        return room, PurePath(include).stem
    return None


def check_rooms():
    below = []
    for room, may in ROOMS.items():
        assert set(may.split()) <= set(below), f'ROOMS: {room} stands below what it includes'
        below.append(room)


def circle_of(arrows):
    """A circle of modules, as a list, or None."""
    done, path = set(), []

    def visit(module):
        if module in path:
            return path[path.index(module):] + [module]
        if module in done:
            return None
        path.append(module)
        for target in sorted(arrows.get(module, ())):
            found = visit(target)
            if found:
                return found
        path.pop()
        done.add(module)
        return None

    for module in sorted(arrows):
        found = visit(module)
        if found:
            return found
    return None


def check_doors(checks, path, include):
    for library, doors in DOORS.items():
        if library in include and not str(path).startswith(doors + NO_DOORS):
            checks.add(f'{library} stays behind its door', f'{path} includes {include}; its doors: {" ".join(doors)}')


def check_foreign(checks, path, include):
    if include not in SYSTEM and not include.startswith(tuple(DOORS)):
        checks.add(FOREIGN, f'{path} includes <{include}>: see SYSTEM and DOORS in tests/style/floors.py')


def main():
    check_rooms()
    checks, arrows = tree.Checks(), {}
    for name in [ARROWS, CIRCLES, PLACE, FORM, FOREIGN] + [f'{library} stays behind its door' for library in DOORS]:
        checks.rule(name)
    patterns = [f'{folder}/**/*.[ch]' for folder in (*PROGRAMS, 'lib', 'include', 'tests')]
    for path in map(PurePath, tree.files(*patterns)):
        room = room_of(path)
        if path.parts[0] != 'tests' and room not in ROOMS:
            checks.add(PLACE, f'{path}: no such room: see ROOMS in tests/style/floors.py')
            continue
        for quote, include in INCLUDE.findall(tree.text(path)):
            check_doors(checks, path, include)
            if path.parts[0] == 'tests':
                continue
            if quote == '<':
                check_foreign(checks, path, include)
                continue
            target = target_of(room, include)
            if not target or (len(PurePath(include).parts) == 1 and room in PROGRAMS and not (tree.ROOT / room / include).exists()):
                checks.add(FORM, f'{path} includes "{include}"')
                continue
            to, module = target
            if to != room and to not in ROOMS[room].split():
                checks.add(ARROWS, f'{path} includes "{include}": {room} may include {ROOMS[room] or "nothing"}')
            elif to == room and module != path.stem:
                arrows.setdefault(f'{room}/{path.stem}', set()).add(f'{room}/{module}')
    circle = circle_of(arrows)
    if circle:
        checks.add(CIRCLES, ' -> '.join(circle))
    checks.end()


main()
