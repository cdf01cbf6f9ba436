"""Reads openapi.yaml for the checks: resolves references, and finds operations by method and path."""

import re
import sys
from pathlib import Path
from urllib.parse import unquote

import jsonschema
import yaml

sys.path.append(str(Path(__file__).resolve().parent.parent / 'style'))

import tree  # noqa: E402  pylint: disable=wrong-import-position

FILE = 'openapi.yaml'
METHODS = ('get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace')
Validator = jsonschema.Draft202012Validator


class Loader(yaml.SafeLoader):
    """Rejects a duplicate name, of which PyYAML would silently use the last."""

    def construct_mapping(self, node, deep=False):
        names = [self.construct_object(name, deep=True) for name, _ in node.value]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f'{FILE}:{node.start_mark.line + 1}: {name} stands twice')
        return super().construct_mapping(node, deep)


class Document:
    def __init__(self):
        self.raw = yaml.load(tree.text(FILE), Loader)
        self.used = set()  # references
        self.whole = self.expand(self.raw, FILE)
        # (method, path) -> operation; x-errors documents answers that belong to no path.
        self.operations = {(method.upper(), path): operation for path, item in self.whole['paths'].items()
                           for method, operation in item.items() if method in METHODS}
        self.errors = self.whole['x-errors']

    def find(self, reference):
        at = self.raw
        for word in reference.removeprefix('#/').split('/'):
            at = at[word.replace('~1', '/').replace('~0', '~')]
        return at

    def expand(self, part, where):
        """Replaces references by their targets; the file has no circular ones."""
        if isinstance(part, list):
            return [self.expand(each, f'{where}/{n}') for n, each in enumerate(part)]
        if not isinstance(part, dict):
            return part
        if '$ref' in part:
            self.used.add(part['$ref'])
            return self.expand(self.find(part['$ref']), part['$ref'])
        return {name: self.expand(each, f'{where}/{name}') for name, each in part.items()}

    def operation(self, method, target):
        """(method as documented, path, operation) of a request.  The path is None if it is not documented, the
        operation is None if the path has no such method.  A literal path precedes one with a parameter."""
        segments = target.split('?')[0].split('/')
        listed = [path for path in self.whole['paths'] if matches(path.split('/'), segments)]
        if not listed:
            return method, None, None
        path = min(listed, key=lambda each: each.count('{'))
        if method == 'HEAD' and ('HEAD', path) not in self.operations:
            method = 'GET'
        return method, path, self.operations.get((method, path))


def matches(template, segments):
    return len(template) == len(segments) and all(
        segment != '' if re.fullmatch(r'\{\w+\}', word) else word == unquote(segment)
        for word, segment in zip(template, segments))


def complaints(schema, value):
    return [f'{error.json_path}: {error.message[:200]}' for error in Validator(schema).iter_errors(value)]
