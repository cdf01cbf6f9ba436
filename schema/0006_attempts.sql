-- What was tried for each transaction: a row for every call that a worker saw the end of.

CREATE TABLE payhook.job_attempts (
	transaction_id text NOT NULL,
	source text NOT NULL,
	attempt int NOT NULL,
	started_at timestamptz NOT NULL,
	finished_at timestamptz NOT NULL,
	outcome text NOT NULL,
	error text,
	worker bigint NOT NULL
) PARTITION BY RANGE (finished_at);

CREATE INDEX job_attempts_transaction ON payhook.job_attempts (transaction_id);

-- Whatever no day's partition takes; empty as long as a worker has run on the day before.
CREATE TABLE payhook.job_attempts_other PARTITION OF payhook.job_attempts DEFAULT;

COMMENT ON TABLE payhook.job_attempts IS 'What was tried for each transaction, a partition a day; kept for ATTEMPTS_KEEP_DAYS';
COMMENT ON COLUMN payhook.job_attempts.transaction_id IS 'With source: the transaction';
COMMENT ON COLUMN payhook.job_attempts.source IS 'With transaction_id: the transaction';
COMMENT ON COLUMN payhook.job_attempts.attempt IS 'The number of the call, from 1';
COMMENT ON COLUMN payhook.job_attempts.started_at IS 'When the worker began the call';
COMMENT ON COLUMN payhook.job_attempts.finished_at IS 'When its end was settled';
COMMENT ON COLUMN payhook.job_attempts.outcome IS 'processed, retried, failed (for good), or probed (while the processor was down; it does not count)';
COMMENT ON COLUMN payhook.job_attempts.error IS 'Why it was not processed; null when it was';
COMMENT ON COLUMN payhook.job_attempts.worker IS 'The owner number of the worker that made the call';
COMMENT ON TABLE payhook.job_attempts_other IS 'Attempts of days that have no partition';

-- Makes the partitions of today and the next days, and drops those that ended more than keep_days ago (0: keeps all).
-- Safe by two workers at once: who comes second finds it done.  Its locks stand in the way of settlements, so it waits
-- for them a fifth of a second only; somebody's long query makes it leave the rest to the next call.  Returns what it
-- did, null when nothing.
CREATE FUNCTION payhook.keep_attempts(keep_days int) RETURNS text
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '200ms'
AS $$
DECLARE
	day date;
	today date := (now() AT TIME ZONE 'UTC')::date;
	name text;
	old record;
	made int := 0;
	dropped int := 0;
BEGIN
	FOR day IN SELECT today + n FROM generate_series(0, 3) n LOOP
		name := 'job_attempts_' || to_char(day, 'YYYYMMDD');
		CONTINUE WHEN to_regclass('payhook.' || name) IS NOT NULL;
		BEGIN
			EXECUTE format('CREATE TABLE payhook.%I PARTITION OF payhook.job_attempts FOR VALUES FROM (%L) TO (%L)',
				name, day::text || ' 00:00:00+00', (day + 1)::text || ' 00:00:00+00');
			EXECUTE format('COMMENT ON TABLE payhook.%I IS %L', name, 'Attempts that were settled on ' || day || ' (UTC)');
			made := made + 1;
		EXCEPTION
			WHEN duplicate_table THEN NULL; -- another worker made it
			WHEN check_violation THEN NULL; -- rows of that day lie among the others already, and stay there
			WHEN lock_not_available THEN RETURN 'partitions are in use; later';
		END;
	END LOOP;
	FOR old IN
		SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
		WHERE keep_days > 0 AND i.inhparent = 'payhook.job_attempts'::regclass AND c.relname ~ '^job_attempts_\d{8}$'
			AND to_date(right(c.relname, 8), 'YYYYMMDD') < today - keep_days
	LOOP
		BEGIN
			EXECUTE format('DROP TABLE IF EXISTS payhook.%I', old.relname);
			dropped := dropped + 1;
		EXCEPTION
			WHEN lock_not_available THEN RETURN 'partitions are in use; later';
		END;
	END LOOP;
	IF keep_days > 0 THEN
		DELETE FROM payhook.job_attempts_other WHERE finished_at < (today - keep_days)::timestamp AT TIME ZONE 'UTC';
	END IF;
	RETURN CASE WHEN made + dropped > 0 THEN format('%s partitions made, %s dropped', made, dropped) END;
END $$;

COMMENT ON FUNCTION payhook.keep_attempts(int) IS 'Makes the next days'' partitions of job_attempts and drops those older than so many days (0: none); the workers call it';

DO $$ BEGIN PERFORM payhook.keep_attempts(0); END $$;
