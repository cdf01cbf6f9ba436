#!/usr/bin/env -S python3 -B
"""Checks the console's page: no value can become markup or code, nothing is loaded from elsewhere, and what is named is there."""

import re
from pathlib import PurePosixPath

import tree

FILE_LINES = 500
MARKUP, INLINE, ELSEWHERE, NAMED, SIZES = RULES = [
    'no text becomes markup or code', 'the page has no inline script, style or handler', "the page loads nothing from other hosts",
    'every file that the page loads is there, and every module is loaded', f'a file of the page has fewer than {FILE_LINES} lines']
MAKES_MARKUP = re.compile(r'\b(?:innerHTML|outerHTML|insertAdjacentHTML|createContextualFragment|DOMParser|setHTML\w*|srcdoc|eval|Function)\b'
                          r'|document\.write|\bsetAttribute\([\'"](?:on|style)|\bset(?:Timeout|Interval)\([\'"`]')
IN_HTML = re.compile(r'<style|<script(?![^>]*\bsrc=)|\s(?:on\w+|style)\s*=|javascript:', re.IGNORECASE)
FROM_ELSEWHERE = re.compile(r'(?:src|href)="(?:[a-z]+:)?//|(?<!new )\b(?i:url)\(|@import|^(?:import|export)\b.*\bfrom [\'"](?!\.{1,2}/)|\bimport\(')
LOADED = re.compile(r'(?:src|href)="([\w./-]+)"|^(?:import|export)\b.* from \'(\.{1,2}/[\w./-]+)\'', re.MULTILINE)
SERVED = {'web/chart.min.js'}  # of libjs-chart.js, by nginx


def comments_gone(path):
    return re.sub(r'^\s*//[^\n]*$|/\*.*?\*/', lambda match: '\n' * match[0].count('\n'), tree.text(path), flags=re.MULTILINE | re.DOTALL)


def resolve(path, target):
    parts = []
    for part in (PurePosixPath(path).parent / target).parts:
        if part == '..':
            parts.pop()
        else:
            parts.append(part)
    return '/'.join(parts)


def main():
    checks, loaded = tree.Checks(), {'web/index.html'}
    for rule in RULES:
        checks.rule(rule)
    scripts, texts = tree.files('web/**/*.js'), tree.files('web/*.html', 'web/*.css')
    for path in scripts + texts:
        lines = comments_gone(path).splitlines()
        for number, line in enumerate(lines, 1):
            for rule, pattern in ((MARKUP, MAKES_MARKUP), (INLINE, IN_HTML), (ELSEWHERE, FROM_ELSEWHERE)):
                applies = path.endswith('.html') if rule == INLINE else path.endswith('.js') if rule == MARKUP else True
                if applies and pattern.search(line):
                    checks.add(rule, f'{path}:{number}: {line.strip()[:100]}')
        loaded.update(resolve(path, target) for pair in LOADED.findall('\n'.join(lines)) for target in pair if target)
        if len(lines) >= FILE_LINES:
            checks.add(SIZES, f'{path} has {len(lines)}')
    for path in sorted(loaded - SERVED - set(tree.files('web/**'))):
        checks.add(NAMED, f'{path} is loaded, and is not there')
    for path in sorted(set(tree.files('web/**')) - loaded):
        checks.add(NAMED, f'{path} is not loaded')
    checks.end()


main()
