#!/usr/bin/env -S python3 -B
"""table.py [--write] [RESULTS...] - the table of docs/reliability.md, from tests/chaos/results.jsonl.

RESULTS, which tests/chaos/run --results made, are added to results.jsonl first; a newer result of a scenario replaces an older
one.  Without --write it checks that the document has the table that results.jsonl gives; prints TAP."""

import json
import re
import sys
from pathlib import Path

import checker

ROOT = Path(__file__).resolve().parent.parent.parent
RESULTS = ROOT / 'tests/chaos/results.jsonl'
PAGE = ROOT / 'docs/reliability.md'
BEGIN, END = '<!-- results: tests/chaos/table.py --write -->', '<!-- end of results -->'
PLANTED = 'Planted'
NOTES = {'called_twice_unexplained': 'called twice without a reason on record', 'jobs_left': 'jobs left over'}


def read(path):
    return [json.loads(line) for line in path.read_text(encoding='utf-8').splitlines()] if path.exists() else []


def merged(paths):
    newest = {}
    for path in [RESULTS, *paths]:
        for result in read(path):
            newest[result['scenario']] = result
    return sorted(newest.values(), key=lambda each: (each['group'].startswith(PLANTED), each['group'], each['scenario']))


def twice(result):
    return ', '.join(f'{number:,}: {reason}' for reason, number in sorted(result['called_twice'].items())) or '0'


def seconds(value):
    return f'{value:.1f} s' if value < 10 else f'{value:.0f} s'


def about(result):
    if not result.get('back_s'):
        return result['about']
    accepted, *called = result['back_s']
    if not called:
        return f"{result['about']} (accepted again {accepted:.1f} s later)"
    return f"{result['about']} (accepted again {accepted:.1f} s and processed again {called[0]:.1f} s after the promotion)"


def row(result):
    return (f"| {about(result)} | {result['webhooks']:,} | {result['broken'].get('lost', 0):,} | {twice(result)} | "
            f"{result['worst_answer_ms']:,} ms | {result['over_500_ms']:,} of {result['requests']:,} | "
            f"{seconds(result['longest_without_202_s'])} |")


def found(result):
    return '; '.join(f'{number:,} {NOTES.get(name) or checker.PROMISES[name]}' for name, number in result['broken'].items()) or 'nothing'


def table(results):
    kept = [each for each in results if not each['broken']]
    expected = [each for each in results if each['kept'] and each['broken']]
    failed = [each for each in results if not each['kept']]
    total = kept + failed
    dates = sorted({each['date'] for each in results})
    versions = sorted({each['version'] for each in results})
    lines = [f"{len(total)} faults, {sum(each['rounds'] for each in total)} times; {sum(each['webhooks'] for each in total):,} webhooks "
             f"in {sum(each['requests'] for each in total):,} requests; {sum(each['broken'].get('lost', 0) for each in total):,} lost, "
             f"{sum(each['broken'].get('altered', 0) for each in total):,} altered, "
             f"{sum(each['broken'].get('called_twice_unexplained', 0) for each in total):,} called twice without a reason. Measured "
             f"{' and '.join(sorted({dates[0], dates[-1]}))}, {results[0]['cpus']} cores, commit {', '.join(versions)}."]
    group = None
    for each in total:
        if each['group'] != group:
            group = each['group']
            lines += ['', f'### {group}', '', '| Fault | Webhooks | Lost | Called twice, and why | Slowest answer | Answers over 500 ms | '
                      'Longest without a 202 |', '|---|---|---|---|---|---|---|']
        lines.append(row(each))
    if failed:
        lines += ['', '### What did not hold', '', '| Fault | What the checker found |', '|---|---|']
        lines += [f"| {each['about']} | {found(each)} |" for each in failed]
    lines += ['', '### What the checker has to find', '', '| Planted | Webhooks | What the checker found |', '|---|---|---|']
    lines += [f"| {each['about']} | {each['webhooks']:,} | {found(each)} |" for each in expected]
    return '\n'.join(lines)


def main():
    is_written = '--write' in sys.argv
    results = merged([Path(word) for word in sys.argv[1:] if not word.startswith('--')])
    before, _, rest = PAGE.read_text(encoding='utf-8').partition(BEGIN)
    page = f'{before}{BEGIN}\n\n{table(results)}\n\n{END}{rest.partition(END)[2]}'
    page = re.sub(r'\n{3,}', '\n\n', page)
    if is_written:
        RESULTS.write_text(''.join(json.dumps(each) + '\n' for each in results), encoding='utf-8')
        PAGE.write_text(page, encoding='utf-8')
        return
    same = PAGE.read_text(encoding='utf-8') == page
    print(f'1..1\n{"ok" if same else "not ok"} 1 - docs/reliability.md has the results of tests/chaos/results.jsonl')


main()
