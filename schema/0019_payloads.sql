-- The requests that stored something, as they came: a partition a day, so that old days are dropped and never deleted row by row.
--
-- There is no default partition, in which rows would have to be deleted one by one.  Partitions are made a week ahead by the
-- workers; on a day without a partition webhooks are accepted all the same, and their payloads are not kept (INGEST_STORE_ALL).

CREATE SEQUENCE payhook.payload_ids;

CREATE TABLE payhook.payloads (
	payload_id bigint NOT NULL DEFAULT nextval('payhook.payload_ids'),
	received_at timestamptz NOT NULL DEFAULT now(),
	request_id uuid,
	source text NOT NULL,
	content_type text NOT NULL,
	headers jsonb NOT NULL,
	body bytea NOT NULL,
	CONSTRAINT payloads_pkey PRIMARY KEY (payload_id, received_at)
) PARTITION BY RANGE (received_at);

COMMENT ON SEQUENCE payhook.payload_ids IS 'The numbers of payloads';
COMMENT ON TABLE payhook.payloads IS 'Verified requests, as they came; a partition a day, kept for PAYLOADS_KEEP_DAYS';
COMMENT ON COLUMN payhook.payloads.payload_id IS 'Named by transactions.payload_id';
COMMENT ON COLUMN payhook.payloads.received_at IS 'When it was stored; with payload_id the key, named by transactions.payload_at';
COMMENT ON COLUMN payhook.payloads.request_id IS 'The id of the request, as in the logs; null: nginx gave none';
COMMENT ON COLUMN payhook.payloads.source IS 'The source that received it';
COMMENT ON COLUMN payhook.payloads.content_type IS 'The header Content-Type';
COMMENT ON COLUMN payhook.payloads.headers IS 'Headers that the signature scheme reads and ids of the provider''s; no credential';
COMMENT ON COLUMN payhook.payloads.body IS 'The body of the request, byte for byte';

ALTER TABLE payhook.transactions ADD COLUMN payload_id bigint, ADD COLUMN payload_at timestamptz;

-- A small sample, as 0012 has it for the other columns.
ALTER TABLE payhook.transactions
	ALTER COLUMN payload_id SET STATISTICS 10,
	ALTER COLUMN payload_at SET STATISTICS 10;

COMMENT ON COLUMN payhook.transactions.payload_id IS 'With payload_at: the request that brought it; null: not kept';
COMMENT ON COLUMN payhook.transactions.payload_at IS 'With payload_id: the request that brought it; null: not kept';

-- The name of the partition of a day (UTC), whether or not it exists.
CREATE FUNCTION payhook.payloads_day(day date) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT 'payloads_' || to_char(day, 'YYYYMMDD') $$;

COMMENT ON FUNCTION payhook.payloads_day(date) IS 'The name of the partition of payloads for a day of UTC';

-- Makes the partitions of today and of the next seven days that a table lacks; returns how many.
--
-- CREATE TABLE ... PARTITION OF would lock the table against inserts.  ATTACH PARTITION does not: of the table it takes SHARE
-- UPDATE EXCLUSIVE, and of a default partition, which it reads, ACCESS EXCLUSIVE.  A day whose rows lie in the default partition
-- gets none.
CREATE FUNCTION payhook.make_partitions(parent text) RETURNS int
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '20ms'
AS $$
DECLARE
	day date;
	name text;
	made int := 0;
BEGIN
	FOR day IN SELECT (now() AT TIME ZONE 'UTC')::date + n FROM generate_series(0, 7) n LOOP
		name := parent || to_char(day, '_YYYYMMDD');
		CONTINUE WHEN to_regclass('payhook.' || name) IS NOT NULL;
		BEGIN
			EXECUTE format('CREATE TABLE payhook.%I (LIKE payhook.%I INCLUDING ALL)', name, parent);
			EXECUTE format('COMMENT ON TABLE payhook.%I IS %L', name, parent || ' of ' || day || ' (UTC)');
			EXECUTE format('ALTER TABLE payhook.%I ATTACH PARTITION payhook.%I FOR VALUES FROM (%L) TO (%L)',
				parent, name, day || ' 00:00:00+00', day + 1 || ' 00:00:00+00');
			made := made + 1;
		EXCEPTION
			WHEN duplicate_table OR unique_violation OR check_violation OR lock_not_available THEN NULL;
		END;
	END LOOP;
	RETURN made;
END $$;

COMMENT ON FUNCTION payhook.make_partitions(text) IS 'Makes the partitions of the next days of payloads or job_attempts; returns how many';

-- The days before this one of which a payload is still needed: a job, a parked or a dead job names its transaction.
CREATE FUNCTION payhook.needed_payloads(before date) RETURNS SETOF date
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN QUERY SELECT DISTINCT (t.payload_at AT TIME ZONE 'UTC')::date
	FROM (SELECT j.transaction_id, j.source FROM payhook.jobs j
		UNION ALL SELECT p.transaction_id, p.source FROM payhook.parked_jobs p
		UNION ALL SELECT d.transaction_id, d.source FROM payhook.dead_jobs d) w
	JOIN payhook.transactions t ON t.transaction_id = w.transaction_id AND t.source = w.source
	WHERE t.payload_at < before::timestamp AT TIME ZONE 'UTC';
END $$;

COMMENT ON FUNCTION payhook.needed_payloads(date) IS 'The days before this one of which a job, a parked or a dead job needs a payload';

-- Removes one partition whose day is before this one, in two steps, each a call: detached and renamed, then dropped.  Returns
-- what was done, null if there was nothing to do or the partition is in use.
--
-- Detaching locks the whole table, against inserts too, until the commit.  It is therefore the only step of its transaction,
-- which does not wait for the disk; the files are removed by the next call, when the table is no longer concerned.  Before it
-- waits for that lock it takes the partition's own, without waiting: what reads all of the table has that one too.  So a long
-- query keeps the partition and delays nobody, and one that leaves the partition out delays inserts by 20 ms at most.
--
-- Not DETACH CONCURRENTLY, which no function may run: the workers' role would have to own the table, and an owner can let the
-- statements of the responders' role do what it likes, by a trigger or a constraint.
--
-- The new name marks a table that payhook detached; one that an operator detached is left alone.
CREATE FUNCTION payhook.drop_partition(parent text, before date) RETURNS text
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '20ms'
AS $$
DECLARE
	old text;
BEGIN
	FOR old IN
		SELECT c.relname FROM pg_class c
		WHERE c.relnamespace = 'payhook'::regnamespace AND c.relkind = 'r' AND NOT c.relispartition
			AND c.relname ~ ('^' || parent || '_expired_\d{8}$')
	LOOP
		BEGIN
			EXECUTE format('DROP TABLE payhook.%I', old);
			RETURN old || ' dropped';
		EXCEPTION
			WHEN lock_not_available OR undefined_table THEN NULL;
		END;
	END LOOP;
	FOR old IN
		SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
		WHERE i.inhparent = ('payhook.' || parent)::regclass AND c.relname ~ ('^' || parent || '_\d{8}$')
			AND right(c.relname, 8) < to_char(before, 'YYYYMMDD')
			AND (parent <> 'payloads'
				OR right(c.relname, 8) NOT IN (SELECT to_char(day, 'YYYYMMDD') FROM payhook.needed_payloads(before) day))
		ORDER BY 1
	LOOP
		BEGIN
			EXECUTE format('LOCK TABLE payhook.%I IN ACCESS EXCLUSIVE MODE NOWAIT', old);
			EXECUTE format('ALTER TABLE payhook.%I DETACH PARTITION payhook.%I', parent, old);
			EXECUTE format('ALTER TABLE payhook.%I RENAME TO %I', old, parent || '_expired_' || right(old, 8));
			RETURN old || ' detached';
		EXCEPTION
			WHEN lock_not_available OR undefined_table THEN NULL;
		END;
	END LOOP;
	RETURN NULL;
END $$;

COMMENT ON FUNCTION payhook.drop_partition(text, date) IS 'One step of the removal of a partition of payloads or job_attempts whose day is before this one; returns what was done';

-- Makes the partitions of the next days, and drops those older than so many days.  payloads_days 0: all days that are over, null:
-- none; attempts_days 0 and null: none.  Returns what was done, null if nothing was; a further call may have more to do, as long
-- as one returns something.
--
-- By two workers at once: the second finds the row of the clock locked and does nothing.  Partitions are made by the server's
-- clock, and dropped by the stored one.  A worker that dies in between leaves what its last commit left, from where the next call
-- goes on.
CREATE FUNCTION payhook.keep_partitions(payloads_days int, attempts_days int) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	today date;
	made int;
	done text;
BEGIN
	SELECT (least(at, now()) AT TIME ZONE 'UTC')::date INTO today FROM payhook.retention_clock FOR UPDATE SKIP LOCKED;
	IF NOT FOUND THEN
		RETURN NULL;
	END IF;
	PERFORM set_config('synchronous_commit', 'off', true);
	made := payhook.make_partitions('payloads') + payhook.make_partitions('job_attempts');
	IF made > 0 THEN
		RETURN made || ' partitions made';
	END IF;
	IF payloads_days IS NOT NULL THEN
		done := payhook.drop_partition('payloads', today - payloads_days);
	END IF;
	IF done IS NULL AND attempts_days > 0 THEN
		done := payhook.drop_partition('job_attempts', today - attempts_days);
		DELETE FROM payhook.job_attempts_other
		WHERE finished_at < (today - attempts_days)::timestamp AT TIME ZONE 'UTC';
	END IF;
	RETURN done;
END $$;

COMMENT ON FUNCTION payhook.keep_partitions(int, int) IS 'Makes the next days'' partitions of payloads and job_attempts, and drops those older than so many days; the workers call it';

-- Of the version before, whose workers call it once an hour; its lock waited 200 ms in the way of settlements.
CREATE OR REPLACE FUNCTION payhook.keep_attempts(keep_days int) RETURNS text
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$ SELECT payhook.keep_partitions(NULL, keep_days) $$;

DO $$ BEGIN PERFORM payhook.make_partitions('payloads'); END $$;
