-- The age of what is deleted is reckoned by a stored clock.  A server with its clock forty days ahead, if only for seconds, would
-- otherwise have new transactions deleted.  A worker advances the stored clock to the server's, but at most a day for each hour
-- that has passed by the worker's own monotonic clock; it goes back at once.

CREATE TABLE payhook.retention_clock (
	is_only boolean PRIMARY KEY DEFAULT true,
	at timestamptz NOT NULL DEFAULT now(),
	CONSTRAINT retention_clock_is_only CHECK (is_only)
);

INSERT INTO payhook.retention_clock DEFAULT VALUES;

COMMENT ON TABLE payhook.retention_clock IS 'One row: the time by which retention reckons ages; the workers advance it, at most a day an hour';
COMMENT ON COLUMN payhook.retention_clock.is_only IS 'Always true, so that there is one row';
COMMENT ON COLUMN payhook.retention_clock.at IS 'The present time, or an earlier one if the server''s clock has jumped or no worker has run';

-- Partitions are made by the server's clock, and dropped by the stored one.
CREATE OR REPLACE FUNCTION payhook.keep_attempts(keep_days int) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '200ms'
AS $$
DECLARE
	day date;
	today date := (now() AT TIME ZONE 'UTC')::date;
	keeps_from date := (SELECT (least(at, now()) AT TIME ZONE 'UTC')::date - keep_days FROM payhook.retention_clock);
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
			AND to_date(right(c.relname, 8), 'YYYYMMDD') < keeps_from
	LOOP
		BEGIN
			EXECUTE format('DROP TABLE IF EXISTS payhook.%I', old.relname);
			dropped := dropped + 1;
		EXCEPTION
			WHEN lock_not_available THEN RETURN 'partitions are in use; later';
		END;
	END LOOP;
	IF keep_days > 0 THEN
		DELETE FROM payhook.job_attempts_other WHERE finished_at < keeps_from::timestamp AT TIME ZONE 'UTC';
	END IF;
	RETURN CASE WHEN made + dropped > 0 THEN format('%s partitions made, %s dropped', made, dropped) END;
END $$;


CREATE OR REPLACE FUNCTION payhook.grant_rights() RETURNS text
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	REVOKE ALL ON ALL FUNCTIONS IN SCHEMA payhook FROM PUBLIC;

	IF to_regrole('payhook_app') IS NOT NULL THEN
		REVOKE ALL ON ALL TABLES IN SCHEMA payhook FROM payhook_app;
		GRANT USAGE ON SCHEMA payhook TO payhook_app;
		GRANT SELECT, INSERT (transaction_id, source, source_account, destination_account, amount, currency)
			ON payhook.transactions TO payhook_app;
		GRANT INSERT (source, transaction_id, traceparent) ON payhook.jobs TO payhook_app;
		GRANT SELECT (transaction_id, source, ordinal, body_sha256, count, unkept),
			INSERT (transaction_id, source, ordinal, body_sha256, body, request_id), UPDATE (count, last_seen, unkept)
			ON payhook.transaction_conflicts TO payhook_app;
		GRANT EXECUTE ON FUNCTION
			payhook.add_auth_failures(text[], text[], text[], bigint[], text[], text[], bigint[]),
			payhook.add_rejections(text[], text[], text[], bigint[], text[], text[], bigint[])
			TO payhook_app;
	END IF;

	IF to_regrole('payhook_worker') IS NOT NULL THEN
		REVOKE ALL ON ALL TABLES IN SCHEMA payhook FROM payhook_worker;
		GRANT USAGE ON SCHEMA payhook TO payhook_worker;
		GRANT SELECT, DELETE, UPDATE (id, attempt, run_at, owner, claimed_at),
			INSERT (source, transaction_id, attempt, enqueued_at, run_at, last_error, traceparent)
			ON payhook.jobs TO payhook_worker;
		GRANT SELECT, DELETE, UPDATE (status, processed_at, failure) ON payhook.transactions TO payhook_worker;
		GRANT SELECT (transaction_id, source), DELETE ON payhook.transaction_conflicts TO payhook_worker;
		GRANT SELECT, DELETE, INSERT (owner, host, pid, version), UPDATE (beat_at, in_flight, circuit_open_since)
			ON payhook.workers TO payhook_worker;
		GRANT SELECT (transaction_id, source, died_at),
			INSERT (transaction_id, source, attempts, error, enqueued_at, traceparent)
			ON payhook.dead_jobs TO payhook_worker;
		GRANT INSERT (transaction_id, source, attempt, started_at, finished_at, outcome, error, worker)
			ON payhook.job_attempts TO payhook_worker;
		GRANT SELECT ON payhook.pauses TO payhook_worker;
		GRANT SELECT, UPDATE (at) ON payhook.retention_clock TO payhook_worker;
		GRANT EXECUTE ON FUNCTION payhook.keep_attempts(int) TO payhook_worker;
	END IF;

	IF to_regrole('payhook_operator') IS NOT NULL THEN
		REVOKE ALL ON ALL TABLES IN SCHEMA payhook FROM payhook_operator;
		GRANT USAGE ON SCHEMA payhook TO payhook_operator;
		GRANT SELECT ON ALL TABLES IN SCHEMA payhook TO payhook_operator;
		GRANT EXECUTE ON FUNCTION payhook.retry(text, text), payhook.retry_all(timestamptz, text), payhook.pause(),
			payhook.resume() TO payhook_operator;
	END IF;

	RETURN coalesce('rights given to ' || nullif(concat_ws(', ', to_regrole('payhook_app'), to_regrole('payhook_worker'),
		to_regrole('payhook_operator')), ''), 'none of the roles exists');
END $$;

DO $$ BEGIN PERFORM payhook.grant_rights(); END $$;
