"""The names in the tree's files, for words.py: of functions, types, enumerators, macros, tests, settings, metrics, log events and
the files themselves.  A name is split into its words at "_" and where its case changes.  The layout is clang-format's: what is
at the top level begins in column 0, and the brace of a function stands alone."""

import re

import tree

FUNCTION = re.compile(r'^(?!typedef|#)(?:[A-Za-z_]\w*[ *]+)+(\w+)\(', re.MULTILINE)
DEFINED = re.compile(r'^(?:[A-Za-z_]\w*[ *]+)+(\w+)\([^;{]*\)\n\{', re.MULTILINE)
TEST = re.compile(r'^\w*Test\((\w+),\s*(\w+)|^TestSuite\((\w+)', re.MULTILINE)
TYPE = re.compile(r'\b(?:struct|enum|union)\s+(\w+)\s*\{|^typedef\b[^;]*?\b(\w+);', re.MULTILINE)
ENUM = re.compile(r'\benum\b[^;{()]*\{([^}]*)\}')
ENUMERATOR = re.compile(r'\b([A-Z][A-Z0-9_]+)\b(?=[^,]*(?:,|$))')
MACRO = re.compile(r'^[ \t]*#[ \t]*define[ \t]+(\w+)', re.MULTILINE)
SHELL_FUNCTION = re.compile(r'^([\w-]+)\(\) \{', re.MULTILINE)
PYTHON_NAME = re.compile(r'^\s*(?:def|class) (\w+)', re.MULTILINE)
# What psql shows; a name that SQL keeps for the programs before is excepted in words.py.
IN_SQL = re.compile(r'^CREATE (?:OR REPLACE )?(?:TABLE|VIEW|FUNCTION) payhook\.(\w+)', re.MULTILINE)
SETTING = re.compile(r'^([A-Z][A-Z0-9_]*) \|', re.MULTILINE)
# A metric's former name, which is exported beside the new one for one version, is no name of ours any more.
METRIC = re.compile(r'(?<!former = )"(payhook_\w+)"')
STRING = re.compile(r'"((?:\\.|[^"\\])*)"')
LOGGED = re.compile(r'\b(?:LOG|\w+_log_\w+)\((.*?)(?:LOG_(?:TEXT|NUMBER|SECONDS)\(|\);)|\bEVENTS\[[^;=]*=\s*\{(.*?)\};', re.DOTALL)
WORD = re.compile(r'[A-Z]?[a-z]+|[A-Z]+(?![a-z])')


def words(name):
    return {word.lower() for word in WORD.findall(name)}


def line_of(text, position):
    return text.count('\n', 0, position) + 1


def found(pattern, text):
    for match in pattern.finditer(text):
        for name in filter(None, match.groups()):
            yield line_of(text, match.start()), name


def in_c(path):
    """(line, name) of functions, tests, types, enumerators and macros; of metrics and log events, which are strings."""
    code, text = tree.code(path), tree.text(path)
    for pattern in (FUNCTION, TEST, TYPE, MACRO):
        yield from found(pattern, code)
    for match in ENUM.finditer(code):
        for name in ENUMERATOR.findall(match[1]):
            yield line_of(code, match.start()), name
    yield from found(METRIC, text)
    for match in LOGGED.finditer(text):
        for event in STRING.findall(match[1] or match[2]):
            yield line_of(text, match.start()), event


def in_file(path):
    """(line, name) of what is named in a file, its own name first."""
    name = path.rsplit('/', 1)[-1]
    yield 1, name
    if path.endswith(('.c', '.h')):
        yield from in_c(path)
    elif path.endswith('.sql'):
        yield from found(IN_SQL, tree.text(path))
    elif path.endswith('.table'):
        yield from found(SETTING, tree.text(path))
    elif path.endswith(('.sh', '.py')) or '.' not in name:
        yield from found(SHELL_FUNCTION, tree.text(path))
        yield from found(PYTHON_NAME, tree.text(path))


def functions(path):
    """(line, name) of the functions that a C file defines."""
    return found(DEFINED, tree.code(path))
