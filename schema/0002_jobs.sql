-- The queue: one row for each transaction that is still to be processed, gone when it is settled.

CREATE TABLE payhook.jobs (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	source text NOT NULL DEFAULT 'transactions',
	transaction_id text NOT NULL,
	attempt int NOT NULL DEFAULT 0,
	enqueued_at timestamptz NOT NULL DEFAULT now(),
	run_at timestamptz,
	owner bigint,
	claimed_at timestamptz,
	last_error text,
	CONSTRAINT jobs_owned_since CHECK ((owner IS NULL) = (claimed_at IS NULL)),
	CONSTRAINT jobs_attempt_counts CHECK (attempt >= 0)
)
-- A claim updates every row once.  No index names what it changes, and the page has room for the second version, so
-- it stays on its page and touches no index.  Rows live for seconds: vacuum early, and by count.
WITH (fillfactor = 45, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000,
	autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 100000,
	autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 100000);

-- Retries that wait for their time.
CREATE INDEX jobs_run_at ON payhook.jobs (run_at) WHERE run_at IS NOT NULL;

CREATE TABLE payhook.workers (
	owner bigint PRIMARY KEY,
	host text NOT NULL,
	pid int NOT NULL,
	version text NOT NULL,
	started_at timestamptz NOT NULL DEFAULT now(),
	beat_at timestamptz NOT NULL DEFAULT now(),
	in_flight int NOT NULL DEFAULT 0,
	circuit_open_since timestamptz
);

COMMENT ON TABLE payhook.jobs IS 'Transactions still to be processed; a row is deleted when its transaction is settled';
COMMENT ON COLUMN payhook.jobs.id IS 'Fresh at every enqueue: order, cursor and receipt in one';
COMMENT ON COLUMN payhook.jobs.source IS 'With transaction_id: the transaction to process';
COMMENT ON COLUMN payhook.jobs.transaction_id IS 'With source: the transaction to process';
COMMENT ON COLUMN payhook.jobs.attempt IS 'How many times a worker has claimed it and may have called the processor';
COMMENT ON COLUMN payhook.jobs.enqueued_at IS 'When its transaction was accepted';
COMMENT ON COLUMN payhook.jobs.run_at IS 'Null: ready now.  Set: a retry that waits until then';
COMMENT ON COLUMN payhook.jobs.owner IS 'The worker that has it (workers.owner); null: nobody';
COMMENT ON COLUMN payhook.jobs.claimed_at IS 'When its owner took it';
COMMENT ON COLUMN payhook.jobs.last_error IS 'How the last attempt failed';

COMMENT ON TABLE payhook.workers IS 'Worker processes that live, or did a moment ago';
COMMENT ON COLUMN payhook.workers.owner IS 'A random number, new for every process: what jobs.owner names';
COMMENT ON COLUMN payhook.workers.host IS 'The host it runs on';
COMMENT ON COLUMN payhook.workers.pid IS 'Its process id on that host';
COMMENT ON COLUMN payhook.workers.version IS 'Its version of payhook';
COMMENT ON COLUMN payhook.workers.started_at IS 'When it began under this number';
COMMENT ON COLUMN payhook.workers.beat_at IS 'Renewed every 5 s; unchanged for 20 s, the worker is taken for dead and its jobs are freed';
COMMENT ON COLUMN payhook.workers.in_flight IS 'Jobs it held at its last beat';
COMMENT ON COLUMN payhook.workers.circuit_open_since IS 'Since when it takes its processor for down and tries one job at a time; null: it does not';
