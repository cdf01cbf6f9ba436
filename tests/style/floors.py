#!/usr/bin/env -S python3 -B
"""Holds the order of includes: a file includes only what stands to its right or below.  And the doors: the files that
may include a foreign library.  A new module is one word in FLOORS; moving one is a one-word edit."""

import re
from pathlib import PurePath

import tree

# The programs' own folders stand beside each other; all other modules are lib/x.c with include/x.h.
FLOORS = """
app       main key verify gate route access metrics webhook parcel refusal lookup health http counts
worker    main exporter job news tally work verdict circuit processor_http processor_simulated exchange processor
process   sources_file api_keys_file settings log manager
store     intake finder notifier rejections queue claim settle watch keeper retention survey results held peers cursor batch
database  lane db
domain    sources_read payload api_keys_read api_keys source adyen mapping_config mapping txn_json txn_rules txn currency currency_table money retry signature signature_header signer
ground    page metric path query digest encode url http_message hosts network traceparent json_config json_value json_scan json_names json_text file buf fault utf8 clock base
"""
PROGRAMS = ('app', 'worker')

# Library, as it is included: the files that may, by their paths.
DOORS = {
    'libpq-fe.h': ['lib/db.c', 'lib/lane.c'],
    'fcgiapp.h': ['app/gate.c'],
    'curl/': ['worker/processor_http.c'],
    'openssl/': ['lib/digest.c'],
    'zlib.h': ['lib/digest.c'],
    'event2/': ['lib/lane.c', 'lib/intake.c', 'lib/finder.c', 'lib/notifier.c', 'lib/rejections.c', 'lib/queue.c', 'lib/watch.c', 'lib/keeper.c',
                'app/main.c', 'app/gate.c', 'worker/main.c', 'worker/exporter.c', 'worker/job.c', 'worker/processor_simulated.c',
                'worker/processor_http.c'],
}
NO_DOORS = ('tests/', 'bench/')

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)
ORDER, PLACE = 'every include points to the right or down', 'every module has its place'


def places():
    """Module -> its place in the one order; a program's as "app/gate"."""
    rows = [row.split() for row in FLOORS.strip().splitlines()]
    words = [f'{row[0]}/{word}' if row[0] in PROGRAMS else word for row in rows for word in row[1:]]
    return {word: place for place, word in enumerate(words)}


def check_order(checks, place, path, include):
    folder, own = path.parts[0], path.stem
    me = f'{folder}/{own}' if folder in PROGRAMS else own
    target = PurePath(include).stem
    if f'{folder}/{target}' in place:
        target = f'{folder}/{target}'
    for module in (me, target):
        if module not in place:
            checks.add(PLACE, f'{path}: no module {module}: add the word to FLOORS in tests/style/floors.py')
            return
    if place[target] < place[me] or (target == me and path.suffix == '.h'):
        checks.add(ORDER, f'{path} includes "{include}", which stands to its left or above')


def check_doors(checks, path, include):
    for library, doors in DOORS.items():
        if include.startswith(library) and str(path) not in doors and not str(path).startswith(NO_DOORS):
            checks.add(f'{library} stays behind its door', f'{path} includes {include}; its doors: {" ".join(doors)}')


def main():
    checks, place = tree.Checks(), places()
    for name in [ORDER, PLACE] + [f'{library} stays behind its door' for library in DOORS]:
        checks.rule(name)
    for path in map(PurePath, tree.files('app/**/*.[ch]', 'worker/**/*.[ch]', 'lib/**/*.c', 'include/**/*.h', 'tests/**/*.[ch]')):
        for quote, include in INCLUDE.findall(tree.text(path)):
            check_doors(checks, path, include)
            if quote == '"' and path.parts[0] != 'tests':
                check_order(checks, place, path, include)
    checks.end()


main()
