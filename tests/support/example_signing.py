"""example_signing.py - signs a body as the provider of a source does, from the words of sources.json alone: an implementation that
is independent of payhook's."""

import base64
import hashlib
import hmac
import pathlib
import re
import subprocess
import urllib.parse

HASHES = {'sha256': hashlib.sha256, 'sha512': hashlib.sha512}


def key_of(source, folder, form=None):
    text = (pathlib.Path(folder) / source['secrets'][0]['file']).read_text().strip()
    form = form or source.get('key', 'text')
    return {'text': text.encode, 'hex': lambda: bytes.fromhex(text), 'base64': lambda: base64.b64decode(text)}[form]()


def encode(digest, encoding):
    return digest.hex() if encoding == 'hex' else base64.b64encode(digest).decode()


def query_of(target):
    return dict(urllib.parse.parse_qsl(target.partition('?')[2]))


def part(name, target, headers):
    """The value of a placeholder of "signed": query.NAME or header.NAME, with |lower."""
    name, _, change = name.partition('|')
    kind, _, name = name.partition('.')
    value = query_of(target)[name] if kind == 'query' else {key.lower(): text for key, text in headers.items()}[name.lower()]
    return value.lower() if change == 'lower' else value


def message(source, body, time, target, headers):
    """What the scheme hmac signs."""
    if 'signed' not in source:
        return (time.encode() + source.get('separator', '.').encode() if 'timestamp_header' in source else b'') + body
    result = b''
    for piece in re.split(r'(\{[^}]*\})', source['signed']):
        name = piece[1:-1]
        result += body if piece == '{body}' else time.encode() if piece == '{time}' else part(name, target, headers).encode() \
            if piece.startswith('{') else piece.encode()
    return result


def sign_hmac(source, folder, body, seconds, target, headers):
    time = str(seconds * 1000 if source.get('timestamp_unit') in ('ms', 'auto') else seconds)
    digest = hmac.new(key_of(source, folder), message(source, body, time, target, headers), HASHES[source['algorithm']]).digest()
    signature = encode(digest, source['encoding'])
    form = source.get('form', source.get('prefix', '') + '{signature}')
    value = form.replace('{time}', time).replace('{signature}', signature).replace('{any}', '1')
    signed = {source['timestamp_header']: time} if 'timestamp_header' in source else {}
    signed[source['header']] = value
    return signed


def sign_rsa(source, folder, body):
    key = pathlib.Path(folder) / 'example-signing-key.pem'
    digest = subprocess.run(['openssl', 'dgst', '-sha256', '-sign', key], input=body, stdout=subprocess.PIPE, check=True).stdout
    return {source['header']: encode(digest, source['encoding'])}


def sign(source, folder, body, seconds, target='', headers=None):
    """The headers of the scheme; {} for a source without one."""
    scheme = source['scheme']
    if scheme == 'hmac':
        return sign_hmac(source, folder, body, seconds, target, headers or {})
    if scheme == 'rsa':
        return sign_rsa(source, folder, body)
    if scheme == 'token':
        return {source['header']: key_of(source, folder).decode()}
    if scheme == 'none':
        return {}
    raise ValueError(scheme)
