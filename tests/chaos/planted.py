"""Faults that are planted in the database, which the checker has to report: no program has code for them.

Each takes away one thing that payhook's promise rests on."""

from scenario import scenario
from scenarios_pair import restart_and_fail_over

PLANTED = 'Planted: the checker has to see it'


def trigger(stage, table, when, body, condition="abs(hashtext(NEW.transaction_id)) % 50 = 0"):
    stage.run(f'''CREATE FUNCTION public.plant() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF {condition} THEN {body} END IF; RETURN {"NULL" if when.startswith("AFTER") else "NEW"}; END $$;
        CREATE TRIGGER plant {when} ON payhook.{table} FOR EACH ROW EXECUTE FUNCTION public.plant()''')
    stage.hold(3)
    stage.run('DROP FUNCTION public.plant() CASCADE')


@scenario(PLANTED, 'server', 'one row in fifty disappears after its commit was answered', must_break=('lost',))
def planted_row_dropped(stage):
    trigger(stage, 'transactions', 'AFTER INSERT',
            'DELETE FROM payhook.transactions t WHERE t.transaction_id = NEW.transaction_id AND t.source = NEW.source;')


@scenario(PLANTED, 'server', 'one job in fifty disappears', must_break=('unsettled',))
def planted_job_dropped(stage):
    trigger(stage, 'jobs', 'AFTER INSERT', 'DELETE FROM payhook.jobs j WHERE j.id = NEW.id;')


@scenario(PLANTED, 'server', 'one amount in fifty is stored wrong', must_break=('altered',))
def planted_amount_altered(stage):
    trigger(stage, 'transactions', 'BEFORE INSERT', 'NEW.amount := NEW.amount + 1;')


@scenario(PLANTED, 'server', 'as without the fence: one job in fifty comes back after it was settled', must_break=('called_twice_unexplained',))
def planted_settled_again(stage):
    trigger(stage, 'jobs', 'AFTER DELETE',
            'INSERT INTO payhook.jobs (source, transaction_id) VALUES (OLD.source, OLD.transaction_id);',
            'abs(hashtext(OLD.transaction_id)) % 50 = 0 AND OLD.attempt = 1')


@scenario(PLANTED, 'server', 'as without a lock: one claim in fifty leaves the job free for the other worker',
          must_break=('called_twice_unexplained', 'jobs_left'))
def planted_claim_ignored(stage):
    trigger(stage, 'jobs', 'BEFORE UPDATE', 'NEW.owner := NULL; NEW.claimed_at := NULL; NEW.attempt := OLD.attempt;',
            'abs(hashtext(NEW.transaction_id)) % 50 = 0 AND OLD.owner IS NULL AND NEW.owner IS NOT NULL')


@scenario(PLANTED, 'server', 'the call is skipped: one transaction in fifty is marked PROCESSED', must_break=('uncalled',))
def planted_call_skipped(stage):
    trigger(stage, 'jobs', 'AFTER INSERT', '''DELETE FROM payhook.jobs j WHERE j.id = NEW.id;
        UPDATE payhook.transactions t SET status = 'PROCESSED', processed_at = now()
        WHERE t.transaction_id = NEW.transaction_id AND t.source = NEW.source;''')


@scenario(PLANTED, 'server', 'the flush is off: synchronous_commit = off, and a power cut', must_break=('lost',))
def planted_flush_off(stage):
    stage.primary.set('wal_writer_delay', '10s')
    stage.primary.set('wal_writer_flush_after', '1GB')
    stage.primary.set('synchronous_commit', 'off')
    stage.hold(4)
    stage.primary.cut_power()
    stage.primary.start()


# A function of the same name before pg_catalog on the path takes the place of the one that writes the message.
@scenario(PLANTED, 'pair', 'the wait for the standby is off for known webhooks; restarts, then failover', must_break=('lost',))
def planted_wait_off(stage):
    stage.run('''CREATE FUNCTION payhook.pg_logical_emit_message(boolean, text, text) RETURNS pg_lsn LANGUAGE sql
        AS $$ SELECT '0/0'::pg_lsn $$; ALTER DATABASE payhook SET search_path = payhook, pg_catalog, public''')
    restart_and_fail_over(stage)
