"""The network between payhook and its database, and the processor, misbehave."""

import subprocess
from signal import SIGKILL

import processes
from scenario import add, scenario

SECONDS = 4
NETWORK = 'Network to the database'
PROCESSOR = 'The processor fails'


def relay(*steps):
    """(mode, seconds)..."""
    def act(stage):
        for mode, seconds in steps:
            stage.relay.mode(mode)
            stage.hold(seconds)
        stage.relay.mode('pass')
    return act


for name, about, steps in [
        ('network_cut', f'refused for {SECONDS} s', [('cut', SECONDS)]),
        ('network_drops', f'packets lost for {SECONDS} s, connections not closed', [('drop', SECONDS)]),
        ('network_drops_then_cut', 'packets lost for 2 s, then every connection reset', [('drop', 2), ('cut', 0.5)]),
        ('answers_lost', 'requests arrive and their answers are lost: the commit is done and nobody knows', [('deaf', 1.5), ('cut', 0.2)] * 2),
        ('answers_late', f'answers held for {SECONDS} s, then delivered', [('deaf', SECONDS)]),
        ('network_slow', f'20 ms more each way for {SECONDS} s', [('slow', SECONDS)]),
        ('network_very_slow', f'300 ms more each way for {SECONDS} s', [('slow 300', SECONDS)]),
        ('network_narrow', f'64 kB a second for each connection for {SECONDS} s', [('rate 65536', SECONDS)]),
        ('network_flaps', 'reset twenty times in 4 s', [('cut', 0.05), ('pass', 0.15)] * 20)]:
    add(name, about, NETWORK, 'server', relay(*[(mode + ' 20' if mode == 'slow' else mode, seconds) for mode, seconds in steps]))


def processor(mode, seconds=SECONDS):
    def act(stage):
        stage.processor.mode(mode)
        stage.hold(seconds)
        stage.processor.mode('ok 2')
    return act


for name, about, mode in [
        ('processor_slow', 'answers after 1 s', 'slow 1000'), ('processor_too_slow', 'answers after the worker has given up', 'slow 2600'),
        ('processor_500', 'answers 500', 'error 500'), ('processor_429', 'answers 429', 'error 429'),
        ('processor_closes', 'closes the connection without an answer', 'close'), ('processor_hangs', 'takes calls and does not answer', 'hang'),
        ('processor_cuts', 'sends half of an answer and closes', 'cut'), ('processor_garbage', 'sends bytes that are no HTTP', 'garbage'),
        ('processor_refuses', 'answers 422 one call in four, which is final', 'some 422'),
        ('processor_some_500', 'answers 500 one call in four', 'some 500')]:
    add(name, f'{about}, for {SECONDS} s', PROCESSOR, 'server', processor(mode))


@scenario(PROCESSOR, 'server', 'takes 1 s while the worker is killed')
def processor_slow_and_worker_killed(stage):
    stage.processor.mode('slow 1000')
    stage.hold(2)
    processes.send([*stage.pids(r'^payhook-worker\|'), stage.second.pid], SIGKILL)
    stage.second.wait(10)
    stage.hold(1)
    stage.processor.mode('ok 2')


@scenario(NETWORK, 'server', 'packets lost while both workers are asked to end')
def network_drops_at_stop(stage):
    stage.relay.mode('drop')
    for pid in [*stage.pids(r'^payhook-worker\|'), stage.second.pid]:
        subprocess.run(['kill', '-TERM', str(pid)], check=False)
    stage.hold(3)
    stage.relay.mode('pass')
