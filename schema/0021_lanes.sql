-- One at a time, in order: the jobs of a payment whose source asks for it form a lane.  At most one job of a lane is in jobs, by
-- a unique index; the others wait in parked_jobs, where no claim looks.

ALTER TABLE payhook.jobs ADD COLUMN lane bigint, ADD COLUMN lane_no bigint,
	ADD CONSTRAINT jobs_lane_has_number CHECK ((lane IS NULL) = (lane_no IS NULL));
ALTER TABLE payhook.dead_jobs ADD COLUMN lane bigint, ADD COLUMN lane_no bigint;

CREATE UNIQUE INDEX jobs_lane ON payhook.jobs (lane) WHERE lane IS NOT NULL;

CREATE SEQUENCE payhook.lane_numbers;

-- A small sample, as 0012 has it for the other columns.
ALTER TABLE payhook.jobs
	ALTER COLUMN lane SET STATISTICS 10,
	ALTER COLUMN lane_no SET STATISTICS 10;

CREATE TABLE payhook.parked_jobs (
	lane bigint NOT NULL,
	lane_no bigint NOT NULL,
	source text NOT NULL,
	transaction_id text NOT NULL,
	enqueued_at timestamptz NOT NULL DEFAULT now(),
	traceparent text CONSTRAINT parked_jobs_traceparent_length CHECK (octet_length(traceparent) = 55),
	CONSTRAINT parked_jobs_pkey PRIMARY KEY (lane, lane_no)
)
WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000,
	autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 100000,
	autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 100000);

CREATE INDEX parked_jobs_lane_no ON payhook.parked_jobs (lane_no);

COMMENT ON COLUMN payhook.jobs.lane IS 'A hash of source and payment_id: of one lane one job is here at most; null: in no order';
COMMENT ON COLUMN payhook.jobs.lane_no IS 'The place in the lane, ascending in the order of arrival';
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

-- The lane of a payment.
CREATE FUNCTION payhook.lane_of(source text, payment_id text) RETURNS bigint
LANGUAGE sql IMMUTABLE
AS $$ SELECT pg_catalog.hashtextextended(source || '/' || payment_id, 0) $$;

COMMENT ON FUNCTION payhook.lane_of(text, text) IS 'The lane of a payment of a source';

-- Moves the first job of each of these lanes into jobs, unless the lane has one there; returns how many.  After a commit that
-- parked or ended a job, a statement of its own: its snapshot has to see that commit.
--
-- Locks: the first of each lane, in the order of lanes, before any insert, which goes in the same order; so two calls wait for
-- each other in one direction only.  Never SKIP LOCKED, which would take the second of a lane.
CREATE FUNCTION payhook.activate(lanes bigint[]) RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
	WITH head AS MATERIALIZED (
		SELECT h.* FROM (SELECT DISTINCT unnest(lanes) AS lane ORDER BY 1) l
		CROSS JOIN LATERAL (
			SELECT p.* FROM payhook.parked_jobs p WHERE p.lane = l.lane ORDER BY p.lane_no LIMIT 1 FOR UPDATE) h
		ORDER BY h.lane
	), active AS (
		INSERT INTO payhook.jobs (source, transaction_id, enqueued_at, traceparent, lane, lane_no)
		SELECT source, transaction_id, enqueued_at, traceparent, lane, lane_no FROM head ORDER BY lane
		ON CONFLICT DO NOTHING RETURNING lane, lane_no
	), gone AS (
		DELETE FROM payhook.parked_jobs p USING active a WHERE p.lane = a.lane AND p.lane_no = a.lane_no RETURNING 1
	)
	SELECT count(*) FROM gone
$$;

COMMENT ON FUNCTION payhook.activate(bigint[]) IS 'Moves the first parked job of each lane into jobs, unless the lane has one there; returns how many';
