#!/usr/bin/env -S python3 -B
"""Checks openapi.yaml: valid OpenAPI 3.1, complete descriptions, fitting examples, nothing unused."""

import json
import re

import jsonschema

from document import FILE, Document, Validator, complaints, tree

CHECKS = tree.Checks()
SCHEMAS, EXAMPLES = 'every schema is one of JSON Schema 2020-12', 'every body has an example, and each example fits'
OPERATIONS, ANSWERS = 'every operation is described in full', 'every answer is described, and names its request'
WORDS, COMPONENTS = 'every word is one of OpenAPI 3.1', 'every component is used'
CODES = 'the codes of errors are those of the code, and those of docs/api.md'
VERSION = 'it is OpenAPI 3.1, of the version that is built'

# The words that each kind of object may contain, of those in use.  OpenAPI ignores a misspelt word silently.
KNOWN = {
    'document': 'openapi info servers security tags paths components x-errors',
    'info': 'title version summary description license',
    'path': 'summary description parameters get put post delete options head patch trace',
    'operation': 'tags summary description operationId parameters requestBody responses deprecated security',
    'parameter': 'name in description required deprecated schema example examples',
    'header': 'description required deprecated schema example examples',
    'request body': 'description required content',
    'answer': 'description headers content links',
    'body': 'schema example examples encoding',
    'components': 'schemas responses parameters examples requestBodies headers securitySchemes',
    'errors': 'description responses',
}


def check_words(kind, where, part):
    for word in part.keys() - set(KNOWN[kind].split()):
        CHECKS.add(WORDS, f'{where} has {word}, which is not known for: {kind}')


def check_schema(where, schema):
    try:
        Validator.check_schema(schema)
    except jsonschema.SchemaError as error:
        CHECKS.add(SCHEMAS, f'{where}: {error.message}')


def check_body(where, body):
    check_words('body', where, body)
    check_schema(where, body['schema'])
    examples = [body['example']] if 'example' in body else [each['value'] for each in body.get('examples', {}).values()]
    if not examples:
        CHECKS.add(EXAMPLES, f'{where} has none')
    for example in examples:
        for complaint in complaints(body['schema'], example):
            CHECKS.add(EXAMPLES, f'{where}: {complaint}')


def check_parameter(where, parameter, kind='parameter'):
    check_words(kind, where, parameter)
    check_schema(where, parameter['schema'])
    for complaint in complaints(parameter['schema'], parameter['example']) if 'example' in parameter else ['it has none']:
        CHECKS.add(EXAMPLES, f'{where}: {complaint}')


def check_answers(where, answers):
    if not answers:
        CHECKS.add(ANSWERS, f'{where} has none')
    for code, answer in answers.items():
        here = f'{where} {code}'
        check_words('answer', here, answer)
        if not isinstance(code, str) or not re.fullmatch('[2-5][0-9][0-9]', code):
            CHECKS.add(ANSWERS, f'{here}: a code is a text of three digits')
        if not answer.get('description'):
            CHECKS.add(ANSWERS, f'{here} has no description')
        if 'X-Request-Id' not in answer.get('headers', {}):
            CHECKS.add(ANSWERS, f'{here} has no X-Request-Id')
        for name, header in answer.get('headers', {}).items():
            check_parameter(f'{here} {name}', header, 'header')
        for kind, body in answer.get('content', {}).items():
            check_body(f'{here} {kind}', body)


def check_operation(where, path, operation, tags):
    check_words('operation', where, operation)
    check_words('request body', where, operation.get('requestBody', {}))
    for name in ('operationId', 'summary', 'tags', 'responses'):
        if not operation.get(name):
            CHECKS.add(OPERATIONS, f'{where} has no {name}')
    for tag in set(operation.get('tags', [])) - tags:
        CHECKS.add(OPERATIONS, f'{where}: there is no tag {tag}')
    parameters = operation.get('parameters', [])
    if sorted(re.findall(r'\{(\w+)\}', path)) != sorted(each['name'] for each in parameters if each['in'] == 'path'):
        CHECKS.add(OPERATIONS, f'{where}: its parameters are not those of its path')
    for parameter in parameters:
        check_parameter(f'{where} {parameter["name"]}', parameter)
    for kind, body in operation.get('requestBody', {}).get('content', {}).items():
        check_body(f'{where} {kind}', body)


def codes_in_use():
    """The codes that the library reports: given to txn_problem_add() as they are, or by flaw_code()."""
    found = set()
    for path in tree.files('lib/**/*.c'):
        for call in re.findall(r'\btxn_problem_add\(([^;{]*)\);', tree.text(path)):
            found.update(re.findall(r'^[^"]*"([a-z_]+)"', call))
    return found | set(re.findall(r'\breturn "([a-z_]+)";', tree.text('lib/txn/txn_rules.c')))


def check_codes(document):
    """The code of an error is a promise to senders, so none may be missing, and none may be promised in vain."""
    used = codes_in_use()
    documented = set(document.whole['components']['schemas']['Problem']['properties']['errors']['items']['properties']['code']['enum'])
    page = tree.text('docs/api.md')
    for code in sorted(used ^ documented):
        CHECKS.add(CODES, f'{code} is {"in the code only" if code in used else f"in {FILE} only"}')
    for code in sorted(used):
        if f'`{code}`' not in page:
            CHECKS.add(CODES, f'{code} is not in docs/api.md')


def main():
    document = Document()
    for name in (CODES, VERSION, WORDS, OPERATIONS, ANSWERS, SCHEMAS, EXAMPLES, COMPONENTS):
        CHECKS.rule(name)
    built = re.search(r"version: '([^']+)'", tree.text('meson.build'))[1]
    if not document.raw['openapi'].startswith('3.1.') or document.raw['info']['version'] != built:
        CHECKS.add(VERSION, f'{document.raw["openapi"]}, {document.raw["info"]["version"]}; meson.build has {built}')
    for kind, part in [('document', document.raw), ('info', document.raw['info']),
                       ('components', document.raw['components'])]:
        check_words(kind, kind, part)
    for path, item in document.whole['paths'].items():
        check_words('path', path, item)
    tags, ids = {tag['name'] for tag in document.raw['tags']}, set()
    for (method, path), operation in document.operations.items():
        where = f'{method} {path}'
        check_operation(where, path, operation, tags)
        check_answers(where, operation.get('responses', {}))
        if operation.get('operationId') in ids:
            CHECKS.add(OPERATIONS, f'{where}: its operationId is another\'s too')
        ids.add(operation.get('operationId'))
    for name, errors in document.errors.items():
        check_words('errors', name, errors)
        check_answers(name, errors['responses'])
    wanted = {name for operation in document.operations.values() for either in operation.get('security', [])
              for name in either}
    for kind, parts in document.raw['components'].items():
        for name in parts.keys() - (wanted if kind == 'securitySchemes' else set()):
            if f'#/components/{kind}/{name}' not in document.used:
                CHECKS.add(COMPONENTS, f'{kind}/{name} in {FILE}')
    check_codes(document)
    json.dumps(document.whole)  # fails for values that YAML has and JSON has not: dates and binary data
    CHECKS.end()


main()
