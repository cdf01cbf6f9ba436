#!/usr/bin/env -S python3 -B
"""ha_settings.py FILE - compares the settings that Patroni has in force, FILE, with those of docker/patroni.yml and those of
docs/ha.md.  Prints what differs; the exit status is then 1."""

import re
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent.parent


def documented():
    """The file that docs/ha.md shows for Patroni."""
    blocks = re.findall(r'^```yaml\n(.*?)^```', (ROOT / 'docs/ha.md').read_text(encoding='utf-8'), re.MULTILINE | re.DOTALL)
    return next(content for content in map(yaml.safe_load, blocks) if 'bootstrap' in content)


def main():
    compose = yaml.safe_load((ROOT / 'docker/patroni.yml').read_text(encoding='utf-8'))
    wanted, found = compose['bootstrap']['dcs'], documented()['bootstrap']['dcs']
    with open(sys.argv[1], encoding='utf-8') as file:
        in_force = yaml.safe_load(file)
    status = 0
    for name, got in (('docs/ha.md', found), ('in force', in_force)):
        if got != wanted:
            print(f'{name}: {got}\ndocker/patroni.yml: {wanted}')
            status = 1
    return status


if __name__ == '__main__':
    sys.exit(main())
