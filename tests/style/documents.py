#!/usr/bin/env -S python3 -B
"""Checks that what the documents name exists: targets of links, files, commands, and functions and views for psql."""

import re
import subprocess
from pathlib import PurePosixPath

import tree

FENCE = re.compile(r'^```.*?^```', re.MULTILINE | re.DOTALL)
LINK = re.compile(r'\[[^\]\n]*(?:\n[^\]\n]*)?\]\(([^)\s]+)\)')
HEADING = re.compile(r'^#{1,6} +(.+?) *#*$', re.MULTILINE)
# Only paths below these directories; a name with <, * or { stands for many files.
FOLDERS = 'app bench console ctl debian docker docs include lib man nginx ops schema systemd tests web worker'.split()
FILE = re.compile(r'`((?:%s)/[\w./@-]*)`' % '|'.join(FOLDERS))
COMMAND = re.compile(r'(?<![\w/])\./payhook ([a-z][a-z-]*)\b')
INSTALLED = re.compile(r'(?<![\w/.])payhook (psql|backup|restore|import|verify|check|help)\b')
CALLED = re.compile(r'\bselect (?:payhook\.)?([a-z_]+)\(', re.IGNORECASE)
TABLE = re.compile(r"""[`'"]table ([a-z_]+)""", re.IGNORECASE)
LATER = []  # planned pages; to be removed from this list when they exist
# tests/integration/ops/test_recipes.sh runs the fenced SQL.
RULES = LINKS, FILES, COMMANDS, IN_PSQL, FUNCTIONS, MODULES = [
    'every relative link leads somewhere', 'every file that is named is there', 'every command that is shown is one',
    'what is shown for psql is in the schema', 'every function that is named is in the code',
    'the pictures of the rooms show every module']
ARROWS = 'the pictures of the rooms are the same, and show the includes that are allowed'
# The pages whose tables and call chains name functions of ours, and the headings before their pictures of the rooms.
STRUCTURE = {'docs/design.md': '## 2. The rooms', 'CONTRIBUTING.md': '## Rooms'}
NAMED = re.compile(r'\b([a-z][a-z0-9_]+)\(\)|^\| ((?:`[a-z][a-z0-9_]+`(?:, )?)+) \| `(?:app|lib|worker|console|ctl)/', re.MULTILINE)


def slug(heading):
    """The anchor that the usual renderers give to a heading."""
    text = re.sub(r'\[([^\]]*)\]\([^)]*\)', r'\1', heading).replace('`', '')
    return re.sub(r'[^\w\- ]', '', text.lower()).replace(' ', '-')


def anchors(path):
    return {slug(heading) for heading in HEADING.findall(FENCE.sub('', tree.text(path)))}


def resolve(page, target):
    """The path from the root of a link's target on this page."""
    parts = []
    for part in (PurePosixPath(page).parent / target).parts:
        if part == '..':
            parts.pop()
        else:
            parts.append(part)
    return '/'.join(parts) or '.'


def check_links(checks, page):
    for target in LINK.findall(FENCE.sub('', tree.text(page))):
        if re.match(r'[a-z]+:', target):
            continue
        file, _, anchor = target.partition('#')
        path = resolve(page, file) if file else page
        if path in LATER:
            if (tree.ROOT / path).exists():
                checks.add(LINKS, f'{path} is there: take it out of LATER in tests/style/documents.py')
        elif not (tree.ROOT / path).exists():
            checks.add(LINKS, f'{page}: {target}')
        elif anchor and (not path.endswith('.md') or anchor not in anchors(path)):
            checks.add(LINKS, f'{page}: {target}: no such heading')


def commands(script):
    """The first words of those lines of the help text that are indented by two spaces."""
    text = subprocess.run([tree.ROOT / script, 'help'], check=True, stdout=subprocess.PIPE).stdout.decode()
    return set(re.findall(r'^  ([a-z][a-z-]*)\b', text, re.MULTILINE))


def check_functions(checks, page):
    code = ''.join(map(tree.text, tree.files('app/**/*.c', 'lib/**/*.c', 'worker/**/*.c', 'console/**/*.c', 'ctl/**/*.c', 'supervisor/**/*.c', 'schema/*.sql', 'tests/**/*.c')))
    words = set(re.findall(r'\w+', code))
    for called, cell in NAMED.findall(tree.text(page)):
        for name in [called] if called else re.findall(r'`(\w+)`', cell):
            if name not in words and not name.startswith('pg_'):
                checks.add(FUNCTIONS, f'{page}: {name}()')


def check_picture(checks, page, heading):
    """A line of the picture belongs to the room that was named last, as "queue/"."""
    text, room, shown = tree.text(page), None, {}
    picture = FENCE.search(text, text.index(heading))[0]
    for line in picture.splitlines():
        for word in re.findall(r'[a-z][a-z0-9_]*/?', line):
            if word.endswith('/'):
                room = word[:-1]
            shown.setdefault(room, set()).add(word)
        if '>' in line and room:
            shown['>', room] = ' '.join(line.split('>')[1].split())
    allowed = dict(re.findall(r"^    '(\w+)': '([\w ]+)',$", tree.text('tests/style/floors.py'), re.MULTILINE))
    for name, rooms in allowed.items():
        if name not in ('app', 'worker', 'console', 'ctl', 'supervisor') and shown.get(('>', name)) != rooms:
            checks.add(ARROWS, f'{page}: {name}/ > {shown.get((">", name))}, and in floors.py {rooms}')
    for path in map(PurePosixPath, tree.files('app/*.[ch]', 'worker/*.[ch]', 'console/*.[ch]', 'ctl/*.[ch]', 'supervisor/*.[ch]', 'lib/*/*.c', 'include/*/*.h')):
        if path.stem not in shown.get(path.parent.name, ()):
            checks.add(MODULES, f'{page}: {path.parent.name}/ lacks {path.stem}')
    return picture


def main():
    checks = tree.Checks()
    for rule in RULES + [ARROWS]:
        checks.rule(rule)
    pictures = set()
    for page, heading in STRUCTURE.items():
        check_functions(checks, page)
        pictures.add(check_picture(checks, page, heading))
    if len(pictures) > 1:
        checks.add(ARROWS, ' and '.join(STRUCTURE) + ' differ')
    known = commands('payhook')
    schema = '\n'.join(tree.text(path) for path in tree.files('schema/*.sql'))
    functions = set(re.findall(r'CREATE (?:OR REPLACE )?FUNCTION payhook\.(\w+)', schema))
    tables = set(re.findall(r'CREATE (?:OR REPLACE )?(?:TABLE|VIEW) payhook\.(\w+)', schema))
    pages = tree.files('**/*.md')
    installed = set(re.findall(r'^\t\t  ([a-z]+)\b', tree.text('systemd/payhook.in'), re.MULTILINE))
    for page in pages:
        text = tree.text(page)
        check_links(checks, page)
        for file in FILE.findall(text):
            if not (tree.ROOT / file).exists():
                checks.add(FILES, f'{page}: {file}')
        for command in set(COMMAND.findall(text)) - known:
            checks.add(COMMANDS, f'{page}: ./payhook {command}')
        for command in set(INSTALLED.findall(text)) - installed:
            checks.add(COMMANDS, f'{page}: payhook {command}')
        code = ' '.join(re.findall(r'`[^`]+`', FENCE.sub('', text))) + ' '.join(fence for fence in FENCE.findall(text) if not fence.startswith('```sql'))
        for function in set(CALLED.findall(code)) - functions:
            checks.add(IN_PSQL, f'{page}: select {function}()')
        for table in set(TABLE.findall(text)) - tables:
            checks.add(IN_PSQL, f'{page}: table {table}')
    checks.end()


main()
