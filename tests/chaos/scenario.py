"""What a scenario is, and the list that scenarios*.py fill."""

from collections import namedtuple

# act(stage): does the harm, and returns when it has been undone, or when payhook has to undo it.
# must_break: what the checker has to report, if something is planted.  spoils: the stage is not used again.
# once: a failover is not repeated on the same pair.  back_within: seconds from stage.served_since, which act() sets, to the
# next 202 and to the next call of the processor.
Scenario = namedtuple('Scenario', 'name about group layout act must_break spoils once back_within')
ALL = {}
# For every change; together in less than 4 minutes.
BOUNDED = ('worker_killed', 'worker_frozen', 'responder_killed', 'postmaster_killed', 'backend_killed', 'everything_killed', 'power_cut',
           'answers_lost', 'processor_cuts', 'table_locked', 'primary_frozen', 'planted_row_dropped')


def add(name, about, group, layout, act, must_break=(), spoils=False, once=False, back_within=None):
    is_last = spoils or bool(must_break)
    ALL[name] = Scenario(name, about, group, layout, act, must_break, is_last, once or is_last, back_within)


def scenario(group, layout, about, **more):
    """A decorator; the function's name is the scenario's."""
    def register(act):
        add(act.__name__, about, group, layout, act, **more)
        return act
    return register
