#!/usr/bin/env -S python3 -B
"""Reads the table of settings and writes what is made from it.

usage: settings_table.py TABLE     prints the rows of the C table, for the build
       settings_table.py --write   writes the files of the source tree that are made from settings.table beside this script
"""

import re
import sys
import textwrap
from pathlib import Path
from typing import NamedTuple

SCRIPT = Path(__file__).resolve()
TABLE = SCRIPT.with_name('settings.table')
ROOT = next(folder for folder in SCRIPT.parents if (folder / 'meson_options.txt').exists())
SOURCE = TABLE.relative_to(ROOT)

# Kind in the table: kind in C, and the end of the member's name in struct settings.
C_KINDS = {'text': ('TEXT', ''), 'path': ('TEXT', ''), 'networks': ('TEXT', ''), 'currencies': ('TEXT', '_text'),
           'filed': ('FILED', ''), 'secret': ('SECRET', ''), 'url': ('URL', ''), 'number': ('NUMBER', ''), 'choice': ('CHOICE', '')}
READERS = {'app': '`payhook-app`', 'worker': '`payhook-worker`', 'console': '`payhook-console`', 'ctl': '`payhook-ctl`', 'pool': 'the pool of responders',
           'migrate': '`schema/migrate`', 'shell': '`./payhook`', 'nginx': 'nginx'}
IN_C = {'app', 'worker', 'console', 'ctl'}
IN_SERVICES = IN_C | {'pool', 'migrate'}  # what systemd runs and payhook.env configures
HARD_SPACE = '\u2007'
INT_MOST = 999999999  # so that nine digits hold each number


class Setting(NamedTuple):
    name: str
    kind: str
    bounds: list  # of a number the least and the most, of a choice its words
    initial: str
    readers: list
    meaning: str

    def is_read_by(self, readers):
        return not readers.isdisjoint(self.readers)

    def has_file(self):
        return self.kind in ('filed', 'secret')

    def member(self):
        return self.name.lower() + C_KINDS[self.kind][1]


class Group(NamedTuple):
    title: str
    note: str
    settings: list


# ---- reading ----

class Bad(Exception):
    """The table cannot be used."""


def must(condition, complaint):
    if not condition:
        raise Bad(complaint)


def check_number(bounds, initial):
    must(len(bounds) == 2 and all(map(str.isdecimal, bounds)), 'a number needs its least and its most')
    least, most = map(int, bounds)
    must(least <= most <= INT_MOST, f'from {least} to {most}: no such range')
    must(not initial or (initial.isdecimal() and least <= int(initial) <= most), f'default {initial}: out of range')


def check_kind(kind, bounds, initial):
    must(kind in C_KINDS, f'{kind}: no such kind')
    if kind == 'number':
        check_number(bounds, initial)
    elif kind == 'choice':
        must(len(bounds) > 1 and initial in bounds, 'a choice needs its words, and one of them as its default')
    else:
        must(not bounds, f'{kind}: it has no range')


def read_record(line):
    fields = [field.strip() for field in line.split('|')]
    must(len(fields) == 4, 'four fields are wanted: NAME | kind | default | readers')
    name, words, initial, readers = fields[0], fields[1].split(), fields[2], fields[3].split()
    must(re.fullmatch('[A-Z][A-Z0-9_]+', name), f'{name}: not a name')
    must(words, 'the kind is missing')
    check_kind(words[0], words[1:], initial)
    must(readers and set(readers) <= set(READERS), f'readers: some of {" ".join(READERS)}')
    must(words[0] != 'number' or initial or not IN_C & set(readers), 'a number that C reads needs a default')
    return Setting(name, words[0], words[1:], initial, readers, '')


def add_text(groups, text):
    """To the last record, or to the group as long as it has none."""
    must(groups, 'a text stands before the first group')
    # What no output has to escape.
    must(not re.search(r'["$`\\|]', text), 'a text has a quote, $, ` , \\ or |')
    if groups[-1].settings:
        last = groups[-1].settings.pop()
        groups[-1].settings.append(last._replace(meaning=f'{last.meaning} {text}'.lstrip()))
    else:
        groups[-1] = groups[-1]._replace(note=f'{groups[-1].note} {text}'.lstrip())


def read_line(groups, line):
    if not line or line.startswith('#'):
        return
    if line.startswith('['):
        must(line.endswith(']'), 'a group is [Title]')
        groups.append(Group(line[1:-1], '', []))
    elif line.startswith('\t'):
        add_text(groups, line.strip())
    else:
        must(groups, 'a setting stands before the first group')
        groups[-1].settings.append(read_record(line))


def check_whole(groups):
    every = all_settings(groups)
    names = [s.name for s in every]
    for s in every:
        must(names.count(s.name) == 1, f'{s.name}: it stands there twice')
        must(re.fullmatch(r'[A-Z].*[^.]\.', s.meaning), f'{s.name}: a sentence is wanted: {s.meaning}')


def read(path):
    groups = []
    for number, line in enumerate(Path(path).read_text(encoding='utf-8').splitlines(), 1):
        try:
            read_line(groups, line)
        except Bad as bad:
            raise Bad(f'{path}:{number}: {bad}') from None
    check_whole(groups)
    return groups


def all_settings(groups):
    return [s for group in groups for s in group.settings]


# ---- the C table ----

def c_row(s):
    kind = C_KINDS[s.kind][0]
    least, most = s.bounds if kind == 'NUMBER' else (0, 0)
    choices = f'"{" ".join(s.bounds)}"' if kind == 'CHOICE' else 'NULL'
    return (f'{{"{s.name}", {kind}, AT({s.member()}), "{s.initial}", {least}, {most}, {choices},\n'
            f'\t"{s.meaning}"}},\n')


def c_table(groups):
    rows = [c_row(s) for s in all_settings(groups) if s.is_read_by(IN_C)]
    return '/* Generated by settings_table.py from settings.table. */\n' + ''.join(rows)


# ---- the shell's table ----

def shell_table(groups):
    lines = [f'# shellcheck shell=bash disable=SC2034\n'
             f'# Generated by {SCRIPT.relative_to(ROOT)} from {SOURCE}: do not edit.\n\n'
             f'# NAME|kind|range or choices|default|readers|meaning\nSETTINGS=(\n']
    for s in all_settings(groups):
        lines.append(f'\t"{s.name}|{s.kind}|{" ".join(s.bounds)}|{s.initial}|{" ".join(s.readers)}|{s.meaning}"\n')
    return ''.join(lines) + ')\n'


# ---- samples: .env.example and systemd/payhook.env ----

def wrap(text, width):
    return textwrap.wrap(text, width, break_on_hyphens=False)


def comment(text):
    return ''.join(f'# {line}\n' for line in wrap(text, 116))


def title(group):
    return f'\n# ---- {group.title} ----\n' + (comment(group.note) + '\n' if group.note else '')


def allowed(s):
    """The range of a number, or the words of a choice."""
    return f'{s.bounds[0]} to {s.bounds[1]}' if s.kind == 'number' else ', '.join(s.bounds)


def described(s, with_default):
    """The sentence; then in brackets, which no line breaks, the range and perhaps the default."""
    more = [allowed(s)] if s.bounds else []
    if s.initial and with_default:
        more.append(f'default {s.initial}')
    brackets = f'[{"; ".join(more)}]' if more else ''
    lines = comment(f'{s.meaning} {brackets.replace(" ", HARD_SPACE)}')
    return lines.replace(HARD_SPACE, ' ')


def env_example(groups):
    text = comment(f'Settings of payhook: copy this file to .env and fill in what differs.  An empty value means the default.  '
                   f'Both ./payhook and docker compose read .env; variables of the environment take precedence.  docker '
                   f'compose expands $NAME in values: put a value that holds a $ into single quotes.  In the source tree '
                   f'{SCRIPT.relative_to(ROOT)} generates this file from {SOURCE}.')
    for group in groups:
        text += title(group)
        for s in group.settings:
            text += described(s, True) + f'{s.name}=\n'
            if s.has_file():
                text += f'# File with one line, the value of {s.name}, instead of it.\n{s.name}_FILE=\n'
    return text


# What a group's settings need to be told about the services.
SERVICE_NOTES = {
    'Database': '''
# Without a user in DATABASE_URL, each service connects in the role that has the name of its system user, which has only the
# rights that it needs (README.Debian).  Otherwise this file is for the responders, and payhook-worker.env and
# payhook-migrate.env beside it have the DATABASE_URL of the workers and of the owner (docs/operations.md): systemd reads each
# for its service alone, after this file.

# A secret may stay in a file that only root can read.  /etc/systemd/system/payhook-.service.d/secret.conf applies to all
# services of payhook:
#   [Service]
#   LoadCredential=database_url:/etc/payhook/database_url
#   Environment=DATABASE_URL_FILE=%d/database_url
# POSTGRES_PASSWORD_FILE names the file of a password likewise.
''',
    'Metrics and logs': '''
# Several workers on one host need a WORKER_METRICS_PORT each: systemctl edit payhook-worker@2, with
# Environment=WORKER_METRICS_PORT= and the port of that worker.
''',
}
# Shown instead of a default.
SERVICE_EXAMPLES = {'DATABASE_URL': 'host=/run/postgresql dbname=payhook'}


def service_env(groups):
    text = (comment(f'Settings of payhook\'s services: lines NAME=value, read by systemd.  A line that is commented out shows '
                    f'the default, that of DATABASE_URL an example.  Changes take effect at the next start: systemctl restart '
                    f'payhook-app \'payhook-worker@*\'.  A name that is no setting keeps the services from starting.') +
            comment(f'Only root and the group payhook can read this file.  In the source tree '
                    f'{SCRIPT.relative_to(ROOT)} generates it from {SOURCE}.'))
    for group in groups:
        chosen = [s for s in group.settings if s.is_read_by(IN_SERVICES)]
        text += f'\n# ---- {group.title} ----\n' if chosen else ''
        for s in chosen:
            text += described(s, False) + f'#{s.name}={SERVICE_EXAMPLES.get(s.name, s.initial)}\n'
        text += SERVICE_NOTES.get(group.title, '') if chosen else ''
    others = [s for s in all_settings(groups) if not s.is_read_by(IN_SERVICES)]
    of_nginx = ', '.join(s.name for s in others if 'nginx' in s.readers)
    of_shell = ', '.join(s.name for s in others if 'nginx' not in s.readers)
    return text + '\n' + comment(f'The services do not read {of_nginx}: nginx\'s site, /etc/nginx/sites-available/payhook, has '
                                 f'lines for these.  {of_shell} have a meaning for ./payhook in the source tree only.')


# ---- the manual page ----

PAGE = 'man/payhook.1'
BEGIN = f'.\\" Generated by {SCRIPT.relative_to(ROOT)} from {SOURCE}, down to "End of what is generated": do not edit.\n'
END = '.\\" End of what is generated.\n'


def man_text(text):
    return ''.join(('\\&' if line[0] in ".'" else '') + line + '\n' for line in wrap(text, 80))


def man_range(s):
    if not s.bounds:
        return f'Default: {s.initial}.' if s.initial else ''
    return f'{"Range" if s.kind == "number" else "One of"}: {allowed(s)}' + (f'; default: {s.initial}.' if s.initial else '.')


def man_setting(s):
    text = f'.It Ev {s.name}\n' + man_text(s.meaning) + man_text(man_range(s))
    if s.has_file():
        text += f'.It Ev {s.name}_FILE\nFile with one line, the value of\n.Ev {s.name} ,\ninstead of it.\n'
    return text


def man_section(groups):
    text = ''
    for group in groups:
        text += f'.Ss {group.title}\n' + man_text(group.note)
        text += '.Bl -tag -width Ds\n' + ''.join(map(man_setting, group.settings)) + '.El\n'
    return text


def man_page(groups):
    page = (ROOT / PAGE).read_text(encoding='utf-8')
    found = re.fullmatch(r'(.*^)\.\\" Generated by [^\n]*\n.*^(\.\\" End of what is generated\.\n.*)', page, re.MULTILINE | re.DOTALL)
    must(found, f'{PAGE}: the marks around what is generated are missing:\n{BEGIN}{END}')
    return found[1] + BEGIN + man_section(groups) + found[2]


# ---- the reference ----

REFERENCE = f'''<!-- Generated by {SCRIPT.relative_to(ROOT)} from {SOURCE}: do not edit. -->
# Settings

Settings are environment variables, read once at start. An empty value means the default. A program that finds a bad value
prints the setting, the value and the allowed range, and exits with status 2.

| How payhook runs | Where settings come from |
|---|---|
| `./payhook` | the environment, then the file `.env` beside it; `PAYHOOK_ENV_FILE` names another file |
| docker compose | the environment, then the file `.env` beside `docker-compose.yml` |
| Debian package, systemd | `/etc/payhook/payhook.env`; nginx's own settings are lines of `/etc/nginx/sites-available/payhook` |

`.env` holds lines `NAME=value`. Nothing in a value is expanded by `./payhook`; quotes around a value are removed; without
quotes, the value ends before ` #`. A relative path in `.env` starts from the folder of that file. `.env.example` lists all
settings.

A name in one of these files that is no setting is refused, so that a misspelt setting is not left at its default: `./payhook`
does not run, no service of systemd starts, and docker compose's service `password` fails before any other runs. Beside
settings, a file may have the variables that `SOURCES_FILE` names, those of libpq, OpenSSL and Kerberos, those of docker
compose, and the settings of the Django service that payhook replaces, which have no effect. Variables of other programs belong
into a drop-in of the unit (`systemctl edit`, `Environment=`). In the environment of `./payhook up`, a name that resembles a
setting is warned of.

Where the table names it, `NAME_FILE` may name a file with one line, the value. Setting both is an error. A file that a
setting names, and a file that such a file names, is refused if it begins with a byte order mark, which some editors write.

`payhook-app --check` and `payhook-worker --check` print the settings that the programs read, with secrets hidden; each
program checks all of them, those that only the other one uses included. `./payhook` checks what it, the pool of responders
and nginx read. New settings need a restart, not a reload.
'''


def cell(text, names):
    text = re.sub(r'\b[A-Z]+(?:_[A-Z]+)+\b', lambda match: f'`{match[0]}`' if match[0] in names else match[0], text)
    text = text.replace('./payhook', '`./payhook`')
    return re.sub(r'\bdocs/([\w/.-]+\.md)', r'[docs/\1](\1)', text)


def reference_row(s, names):
    shown = f'`{s.name}`' + (f', `{s.name}_FILE`' if s.has_file() else '')
    initial = f'`{s.initial}`' if s.initial else ''
    bounds = allowed(s) if s.kind == 'number' else ', '.join(f'`{word}`' for word in s.bounds)
    readers = ', '.join(READERS[reader] for reader in s.readers)
    return f'| {shown} | {initial} | {bounds} | {cell(s.meaning, names)} | {readers} |\n'


def reference(groups):
    text, names = REFERENCE, {s.name for s in all_settings(groups)}
    for group in groups:
        text += f'\n## {group.title}\n\n' + (cell(group.note, names) + '\n\n' if group.note else '')
        text += '| Name | Default | Range | Meaning | Read by |\n|---|---|---|---|---|\n'
        text += ''.join(reference_row(s, names) for s in group.settings)
    return text


# ---- the files of the tree ----

OUTPUTS = {
    'ops/settings_table.sh': shell_table,
    '.env.example': env_example,
    'systemd/payhook.env': service_env,
    PAGE: man_page,
    'docs/settings.md': reference,
}


def main(argument):
    try:
        if argument != '--write':
            sys.stdout.write(c_table(read(argument)))
            return
        for path, make in OUTPUTS.items():
            (ROOT / path).write_text(make(read(TABLE)), encoding='utf-8')
    except Bad as bad:
        sys.exit(f'settings_table.py: {bad}')


if __name__ == '__main__':
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
