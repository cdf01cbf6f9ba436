"""Finds processes and signals them.  A pid is used only after it was found as a descendant of one that the suite started."""

import os
import time


def stat(pid):
    """(name, state, parent) of a process, or None."""
    try:
        with open(f'/proc/{pid}/stat', encoding='utf-8', errors='replace') as file:
            before, _, after = file.read().rpartition(') ')
        with open(f'/proc/{pid}/comm', encoding='utf-8', errors='replace') as file:
            name = file.read().strip()
        return (name, *after.split()[:2]) if before else None
    except (FileNotFoundError, ProcessLookupError):
        return None


def title(pid):
    try:
        with open(f'/proc/{pid}/cmdline', 'rb') as file:
            return file.read().replace(b'\0', b' ').decode(errors='replace').strip()
    except (FileNotFoundError, ProcessLookupError):
        return ''


def descendants(top):
    children = {}
    for pid in filter(str.isdigit, os.listdir('/proc')):
        found = stat(pid)
        if found and found[1] != 'Z':
            children.setdefault(int(found[2]), []).append(int(pid))
    result, todo = [], [top]
    while todo:
        more = children.get(todo.pop(), [])
        result += more
        todo += more
    return result


def send(pids, number):
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass


def is_alive(pid):
    found = stat(pid)
    return bool(found) and found[1] != 'Z'


def await_gone(pids, seconds):
    deadline = time.monotonic() + seconds
    while any(map(is_alive, pids)):
        if time.monotonic() > deadline:
            raise TimeoutError(f'processes did not end within {seconds} s')
        time.sleep(0.02)
