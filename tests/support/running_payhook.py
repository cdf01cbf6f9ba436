"""running_payhook.py - a payhook of a test's own: nginx, responders, worker and database, with its sources and secrets; and the
loop that runs tests against it and prints TAP."""

import http.client
import json
import os
import pathlib
import ssl
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get('PAYHOOK_BUILD', ROOT / 'build'))


class Answer:
    def __init__(self, answer):
        self.status = answer.status
        self.text = answer.read().decode()
        self.headers = answer.headers
        self.request_id = answer.headers['X-Request-Id']

    def __str__(self):
        return f'{self.status} {self.text}'


class Payhook:
    """port: the first of three that it may use."""

    def __init__(self, folder, port, **settings):
        self.folder, self.port = pathlib.Path(folder), port
        self.tls = None  # the context of requests by TLS_PORT, if it is set: they go there
        self.folder.chmod(0o755)
        (self.folder / 'env').touch()
        self.environment = dict(os.environ, PAYHOOK_ENV_FILE=f'{folder}/env', PAYHOOK_VAR=f'{folder}/var', PAYHOOK_PORT=str(port),
                                WORKER_METRICS_PORT=str(port + 2), SOURCES_FILE=f'{folder}/sources.json', WORKER_GRACE_MS='200',
                                **settings)

    def write_sources(self, sources):
        (self.folder / 'sources.json').write_text(json.dumps({'sources': sources}, indent=1))

    def run(self, program, *arguments, given=None, **changes):
        """changes: variables of the environment; None takes one away."""
        environment = {name: text for name, text in {**self.environment, **changes}.items() if text is not None}
        return subprocess.run([program, *arguments], env=environment, input=given, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def payhook(self, *arguments):
        ran = self.run(ROOT / 'payhook', *arguments)
        assert ran.returncode == 0, ran.stdout.decode()
        return ran.stdout.decode().strip()

    def start(self):
        self.payhook('up', '-d')
        if 'TLS_PORT' in self.environment:
            self.tls = ssl.create_default_context(cafile=self.folder / 'var/nginx/self-signed.crt')
        self.psql = subprocess.Popen([ROOT / 'payhook', 'psql', '-X', '-q', '-At'], env=self.environment, text=True,
                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def stop(self):
        if hasattr(self, 'psql'):
            self.psql.communicate()
        self.payhook('down')

    def sql(self, text):
        """By one psql for all tests, as each start of it takes long on a busy machine."""
        self.psql.stdin.write(f'{text};\n\\echo END\n')
        self.psql.stdin.flush()
        return '\n'.join(iter(lambda: self.psql.stdout.readline().rstrip('\n'), 'END'))

    def post(self, target, body, headers, port=None):
        """headers: a list of pairs, since a name may be there twice."""
        if self.tls and not port:
            connection = http.client.HTTPSConnection('127.0.0.1', int(self.environment['TLS_PORT']), timeout=20, context=self.tls)
        else:
            connection = http.client.HTTPConnection('127.0.0.1', port or self.port, timeout=20)
        connection.putrequest('POST', target, skip_accept_encoding=True)
        for name, text in [*headers, ('Content-Length', str(len(body)))]:
            connection.putheader(name, text)
        connection.endheaders(body)
        answer = Answer(connection.getresponse())
        connection.close()
        return answer

    def logs(self, answer):
        """All logs, when the request with this answer is in them: nginx writes its own a second later."""
        deadline = time.monotonic() + 20
        while True:
            logs = {path.name: path.read_bytes() for path in sorted((self.folder / 'var/log').glob('*.log'))}
            if answer.request_id.encode() in logs['access.log']:
                return logs
            assert time.monotonic() < deadline, f'access.log has no request {answer.request_id}'
            time.sleep(0.05)

    def tables_with(self, texts):
        """The tables with a row that has one of the texts, or its bytes in hexadecimal, as PostgreSQL shows a body."""
        wanted = [each for text in texts for each in (text, text.encode().hex())]
        patterns = ', '.join("'%" + each.replace('\\', '\\\\').replace('%', '\\%').replace('_', '\\_').replace("'", "''") + "%'"
                             for each in wanted)
        tables = self.sql("SELECT c.oid::regclass FROM pg_class c WHERE relnamespace = 'payhook'::regnamespace AND relkind IN ('r', 'p')"
                          " ORDER BY 1").split('\n')
        assert len(tables) > 5, tables
        return [table for table in tables if self.sql(f'SELECT count(*) FROM {table} t WHERE t::text LIKE ANY (ARRAY[{patterns}])') != '0']


def report(number, name, problem):
    print(f'{"not ok" if problem else "ok"} {number} - {name}', flush=True)
    if problem:
        print('# ' + str(problem).strip().replace('\n', '\n# '), flush=True)


def run_tests(prefix, make_world, tests):
    """make_world(folder) is what start(), stop() and the tests, (name, function) each, are called with.  Ends the program."""
    failed = 0
    print(f'1..{len(tests)}', flush=True)
    with tempfile.TemporaryDirectory(prefix=prefix) as folder:
        world = make_world(folder)
        try:
            world.start()
            for number, (name, test) in enumerate(tests, 1):
                problem = None
                try:
                    test(world)
                except AssertionError as error:
                    problem = error or name
                    failed += 1
                report(number, name, problem)
        except (AssertionError, OSError, subprocess.CalledProcessError) as error:
            print('Bail out! ' + str(error).replace('\n', ' '))
            failed += 1
        finally:
            world.stop()
    sys.exit(failed > 0)
