-- One at a time, in order: the jobs of a payment whose source asks for it form a lane.  At most one job of a lane is in jobs, by
-- a unique index; the others wait in parked_jobs, where no claim looks.

ALTER TABLE payhook.jobs ADD COLUMN lane bigint, ADD COLUMN lane_no bigint, ADD COLUMN continues boolean,
	ADD CONSTRAINT jobs_lane_has_number CHECK ((lane IS NULL) = (lane_no IS NULL));
ALTER TABLE payhook.dead_jobs ADD COLUMN lane bigint, ADD COLUMN lane_no bigint;

CREATE UNIQUE INDEX jobs_lane ON payhook.jobs (lane) WHERE lane IS NOT NULL;

CREATE SEQUENCE payhook.lane_numbers;

-- A small sample, as 0012 has it for the other columns.
ALTER TABLE payhook.jobs
	ALTER COLUMN lane SET STATISTICS 10,
	ALTER COLUMN lane_no SET STATISTICS 10,
	ALTER COLUMN continues SET STATISTICS 10;

CREATE TABLE payhook.parked_jobs (
	lane bigint NOT NULL,
	lane_no bigint NOT NULL,
	source text NOT NULL,
	transaction_id text NOT NULL,
	enqueued_at timestamptz NOT NULL DEFAULT now(),
	traceparent text CONSTRAINT parked_jobs_traceparent_length CHECK (octet_length(traceparent) = 55),
	continues boolean,
	CONSTRAINT parked_jobs_pkey PRIMARY KEY (lane, lane_no)
)
WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000,
	autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 100000,
	autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 100000);

CREATE INDEX parked_jobs_lane_no ON payhook.parked_jobs (lane_no);

COMMENT ON COLUMN payhook.jobs.lane IS 'A hash of source and payment_id: of one lane one job is here at most; null: in no order';
COMMENT ON COLUMN payhook.jobs.lane_no IS 'The place in the lane, ascending in the order of arrival';
COMMENT ON COLUMN payhook.jobs.continues IS 'True: when it is given up, the next of the lane goes on.  Null: then it stays, with run_at infinity, and holds the lane';
COMMENT ON COLUMN payhook.jobs.run_at IS 'Null: ready now.  Set: a retry that waits until then.  Infinity: held until payhook.retry() or payhook.skip()';
COMMENT ON COLUMN payhook.dead_jobs.lane IS 'As in jobs';
COMMENT ON COLUMN payhook.dead_jobs.lane_no IS 'As in jobs';
COMMENT ON SEQUENCE payhook.lane_numbers IS 'The places in all lanes';
COMMENT ON TABLE payhook.parked_jobs IS 'Jobs that wait until the one before them in their lane has ended';
COMMENT ON COLUMN payhook.parked_jobs.lane IS 'A hash of source and payment_id; two payments of one hash share a lane';
COMMENT ON COLUMN payhook.parked_jobs.lane_no IS 'The place in the lane, ascending in the order of arrival';
COMMENT ON COLUMN payhook.parked_jobs.source IS 'With transaction_id: the transaction to process';
COMMENT ON COLUMN payhook.parked_jobs.transaction_id IS 'With source: the transaction to process';
COMMENT ON COLUMN payhook.parked_jobs.enqueued_at IS 'When its transaction was accepted';
COMMENT ON COLUMN payhook.parked_jobs.traceparent IS 'The webhook''s W3C traceparent; null: it had none that counts';
COMMENT ON COLUMN payhook.parked_jobs.continues IS 'As in jobs';

-- The lane of a payment.
CREATE FUNCTION payhook.lane_of(source text, payment_id text) RETURNS bigint
LANGUAGE sql IMMUTABLE
AS $$ SELECT pg_catalog.hashtextextended(source || '/' || payment_id, 0) $$;

COMMENT ON FUNCTION payhook.lane_of(text, text) IS 'The lane of a payment of a source';

-- Moves the first job of each of these lanes into jobs, unless the lane has one there; returns how many.  For activate() alone.
--
-- Locks: the first of each lane, in the order of lanes, before any insert, which goes in the same order; so two calls wait for
-- each other in one direction only.  Never SKIP LOCKED, which would take the second of a lane.
CREATE FUNCTION payhook.move_heads(lanes bigint[]) RETURNS bigint
LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
	WITH head AS MATERIALIZED (
		SELECT h.* FROM (SELECT DISTINCT unnest(lanes) AS lane ORDER BY 1) l
		CROSS JOIN LATERAL (
			SELECT p.* FROM payhook.parked_jobs p WHERE p.lane = l.lane ORDER BY p.lane_no LIMIT 1 FOR UPDATE) h
		ORDER BY h.lane
	), active AS (
		INSERT INTO payhook.jobs (source, transaction_id, enqueued_at, traceparent, lane, lane_no, continues)
		SELECT source, transaction_id, enqueued_at, traceparent, lane, lane_no, continues FROM head ORDER BY lane
		ON CONFLICT DO NOTHING RETURNING lane, lane_no
	), gone AS (
		DELETE FROM payhook.parked_jobs p USING active a WHERE p.lane = a.lane AND p.lane_no = a.lane_no RETURNING 1
	)
	SELECT count(*) FROM gone
$$;

COMMENT ON FUNCTION payhook.move_heads(bigint[]) IS 'What activate() does with all of its lanes, or with one';

-- Moves the first job of each of these lanes into jobs, unless the lane has one there; returns how many.  After a commit that
-- parked or ended a job, a statement of its own: its snapshot has to see that commit.
--
-- A transaction that is left open around skip(), retry() or a deletion by hand keeps its lane from being moved.  It must not keep
-- the others: they are then moved one by one, and such a lane is left to the workers' look for parked jobs.
CREATE FUNCTION payhook.activate(lanes bigint[]) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '50ms'
AS $$
DECLARE
	lane bigint;
	moved bigint := 0;
	blocked int := 0;
BEGIN
	BEGIN
		RETURN payhook.move_heads(lanes);
	EXCEPTION
		WHEN lock_not_available THEN NULL;
	END;
	FOR lane IN SELECT DISTINCT unnest(lanes) ORDER BY 1 LOOP
		EXIT WHEN blocked = 10; -- half a second; the callers have deadlines
		BEGIN
			moved := moved + payhook.move_heads(ARRAY[lane]);
		EXCEPTION
			WHEN lock_not_available THEN blocked := blocked + 1;
		END;
	END LOOP;
	RETURN moved;
END $$;

COMMENT ON FUNCTION payhook.activate(bigint[]) IS 'Moves the first parked job of each lane into jobs, unless the lane has one there; returns how many';

-- As in 0009.  A held job becomes ready in its place, under a fresh id.  A dead job of a lane that went on without it comes late:
-- it is parked under its old number, so it is the next of its lane, and holds nothing when it is given up again.  It is not
-- activated here: in one transaction with what changes a lane's job, activate() can deadlock with another activate()
-- (docs/model/counterexamples/own_transaction.txt).  The workers' look for parked jobs finds it.
CREATE OR REPLACE FUNCTION payhook.retry_dead(since timestamptz, error_like text, id text, of_source text) RETURNS bigint
LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
	WITH raised AS (
		DELETE FROM payhook.dead_jobs d
		WHERE d.died_at >= since AND d.error LIKE error_like
			AND (retry_dead.id IS NULL OR (d.transaction_id = retry_dead.id AND d.source = of_source))
		RETURNING d.transaction_id, d.source, d.traceparent, d.lane, d.lane_no
	), again AS (
		UPDATE payhook.transactions t SET status = 'PROCESSING', failure = NULL FROM raised r
		WHERE t.transaction_id = r.transaction_id AND t.source = r.source AND t.status = 'FAILED'
		RETURNING t.transaction_id, t.source, r.traceparent, r.lane, r.lane_no
	), held AS (
		UPDATE payhook.jobs j SET id = DEFAULT, run_at = NULL, attempt = 0, enqueued_at = now(), last_error = NULL FROM again a
		WHERE j.lane = a.lane AND j.lane_no = a.lane_no AND j.run_at = 'infinity' AND j.owner IS NULL
		RETURNING j.lane_no
	), queued AS (
		INSERT INTO payhook.jobs (transaction_id, source, traceparent)
		SELECT a.transaction_id, a.source, a.traceparent FROM again a WHERE a.lane IS NULL
	), parked AS (
		INSERT INTO payhook.parked_jobs (lane, lane_no, transaction_id, source, traceparent, continues)
		SELECT a.lane, a.lane_no, a.transaction_id, a.source, a.traceparent, true FROM again a
		WHERE a.lane IS NOT NULL AND a.lane_no NOT IN (SELECT h.lane_no FROM held h)
	)
	SELECT count(*) FROM again
$$;

-- As in 0005, but null is no transaction: to retry_dead() it is every one, and an operator has it from a sub-select that finds
-- nothing.
CREATE OR REPLACE FUNCTION payhook.retry(transaction_id text, source text DEFAULT 'transactions') RETURNS text
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE payhook.retry_dead('-infinity', '%', coalesce(retry.transaction_id, ''), coalesce(retry.source, ''))
		WHEN 0 THEN format('nothing done: %s of source %s has no dead job', retry.transaction_id, retry.source)
		ELSE format('%s of source %s is PROCESSING again', retry.transaction_id, retry.source)
			|| left(pg_notify('jobs', '')::text, 0)
	END
$$;

-- Locks the next job before it deletes the held one, in the order of activate(), and moves exactly that one: to look for the next
-- after the deletion could deadlock with an activate() that has found an earlier one meanwhile
-- (docs/model/counterexamples/locks_next.txt).  What is parked between the two steps is found by the workers' look.
CREATE FUNCTION payhook.skip(transaction_id text, source text DEFAULT 'transactions') RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	held_lane bigint;
	next payhook.parked_jobs;
BEGIN
	SELECT j.lane INTO held_lane FROM payhook.jobs j
	WHERE j.run_at = 'infinity' AND j.transaction_id = skip.transaction_id AND j.source = skip.source;
	SELECT p.* INTO next FROM payhook.parked_jobs p WHERE p.lane = held_lane ORDER BY p.lane_no LIMIT 1 FOR UPDATE;
	DELETE FROM payhook.jobs j
	WHERE j.run_at = 'infinity' AND j.transaction_id = skip.transaction_id AND j.source = skip.source;
	IF NOT FOUND THEN
		RETURN format('nothing done: %s of source %s holds no other', skip.transaction_id, skip.source);
	END IF;
	IF next.lane IS NOT NULL THEN
		INSERT INTO payhook.jobs (source, transaction_id, enqueued_at, traceparent, lane, lane_no, continues)
		VALUES (next.source, next.transaction_id, next.enqueued_at, next.traceparent, next.lane, next.lane_no, next.continues);
		DELETE FROM payhook.parked_jobs p WHERE p.lane = next.lane AND p.lane_no = next.lane_no;
		PERFORM pg_notify('jobs', '');
	END IF;
	RETURN format('%s of source %s stays FAILED, and its payment goes on', skip.transaction_id, skip.source);
END $$;

COMMENT ON FUNCTION payhook.skip(text, text) IS 'Lets the payment of a held transaction go on without it; retry() may still bring it back, late';

-- As in 0009, and held jobs.
CREATE OR REPLACE VIEW payhook.queue AS
SELECT j.id, j.source, j.transaction_id,
	CASE
		WHEN j.owner IS NOT NULL THEN 'claimed'
		WHEN j.run_at = 'infinity' THEN 'held'
		WHEN j.run_at IS NOT NULL THEN 'waiting'
		ELSE 'ready'
	END AS state,
	date_trunc('milliseconds', now() - j.enqueued_at) AS age,
	j.attempt, j.run_at, w.host AS owner_host, w.pid AS owner_pid, j.claimed_at, j.last_error,
	substr(j.traceparent, 4, 32) AS trace_id
FROM payhook.jobs j LEFT JOIN payhook.workers w ON w.owner = j.owner
ORDER BY j.id;

COMMENT ON VIEW payhook.queue IS 'Jobs with their state (ready, waiting for a retry, held until retry() or skip(), claimed), age, attempt and worker';

-- As in 0008, with held and parked jobs.  A held job is no retry that waits, and its age is no delay of the queue.
CREATE OR REPLACE VIEW payhook.queue_depth AS
SELECT
	count(*) FILTER (WHERE owner IS NULL AND run_at IS NULL) AS ready,
	count(*) FILTER (WHERE run_at < 'infinity') AS waiting,
	count(*) FILTER (WHERE owner IS NOT NULL) AS claimed,
	(SELECT count(*) FROM payhook.dead_jobs) AS dead,
	date_trunc('milliseconds', now() - min(enqueued_at) FILTER (WHERE run_at IS DISTINCT FROM 'infinity')) AS oldest_age,
	EXISTS (SELECT FROM payhook.pauses) AS paused,
	count(*) FILTER (WHERE run_at = 'infinity') AS held,
	(SELECT count(*) FROM payhook.parked_jobs) AS parked
FROM payhook.jobs;

COMMENT ON VIEW payhook.queue_depth IS 'How many jobs are ready, wait for a retry, are claimed, dead, held or parked; the age of the oldest that is not held; whether the workers are paused';

CREATE VIEW payhook.parked AS
SELECT p.source, t.payment_id, l.jobs, l.since, j.transaction_id AS behind,
	CASE
		WHEN j.owner IS NOT NULL THEN 'claimed'
		WHEN j.run_at = 'infinity' THEN 'held'
		WHEN j.run_at IS NOT NULL THEN 'waiting'
		WHEN j.id IS NOT NULL THEN 'ready'
	END AS state,
	j.last_error
FROM (SELECT lane, min(lane_no) AS lane_no, count(*) AS jobs, min(enqueued_at) AS since FROM payhook.parked_jobs GROUP BY lane) l
JOIN payhook.parked_jobs p USING (lane, lane_no)
LEFT JOIN payhook.transactions t ON t.transaction_id = p.transaction_id AND t.source = p.source
LEFT JOIN payhook.jobs j ON j.lane = l.lane
ORDER BY l.since;

COMMENT ON VIEW payhook.parked IS 'Payments with jobs that wait for their turn: how many, since when, behind which transaction and its state; the longest first';

-- As in 0008.  Parked jobs are pending; held ones are not, since their transactions are FAILED.
CREATE OR REPLACE VIEW payhook.reconciliation AS
WITH days AS (
	SELECT (created_at AT TIME ZONE 'UTC')::date AS day, count(*) AS accepted,
		count(*) FILTER (WHERE status = 'PROCESSED') AS processed,
		count(*) FILTER (WHERE status = 'FAILED') AS failed
	FROM payhook.transactions GROUP BY 1
), unsettled AS (
	SELECT transaction_id, source FROM payhook.jobs WHERE run_at IS DISTINCT FROM 'infinity'
	UNION ALL SELECT transaction_id, source FROM payhook.parked_jobs
), pending AS (
	SELECT (t.created_at AT TIME ZONE 'UTC')::date AS day, count(*) AS pending
	FROM unsettled u JOIN payhook.transactions t USING (transaction_id, source) GROUP BY 1
)
SELECT d.day, d.accepted, d.processed, d.failed, coalesce(p.pending, 0) AS pending,
	d.accepted - d.processed - d.failed - coalesce(p.pending, 0) AS difference
FROM days d LEFT JOIN pending p USING (day)
ORDER BY d.day DESC;
