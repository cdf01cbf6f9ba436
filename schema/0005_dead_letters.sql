-- Jobs that no further attempt is made for: the attempts are exhausted, or the processor said never.

CREATE TABLE payhook.dead_jobs (
	transaction_id text NOT NULL,
	source text NOT NULL,
	attempts int NOT NULL,
	error text NOT NULL,
	enqueued_at timestamptz NOT NULL,
	died_at timestamptz NOT NULL DEFAULT now(),
	CONSTRAINT dead_jobs_pkey PRIMARY KEY (transaction_id, source)
);

CREATE INDEX dead_jobs_died_at ON payhook.dead_jobs (died_at);

COMMENT ON TABLE payhook.dead_jobs IS 'Jobs given up; payhook.retry() and payhook.retry_all() bring them back';
COMMENT ON COLUMN payhook.dead_jobs.transaction_id IS 'With source: the transaction, which is FAILED';
COMMENT ON COLUMN payhook.dead_jobs.source IS 'With transaction_id: the transaction, which is FAILED';
COMMENT ON COLUMN payhook.dead_jobs.attempts IS 'How many calls were made';
COMMENT ON COLUMN payhook.dead_jobs.error IS 'How the last of them failed; also transactions.failure';
COMMENT ON COLUMN payhook.dead_jobs.enqueued_at IS 'When the transaction was accepted, or last brought back';
COMMENT ON COLUMN payhook.dead_jobs.died_at IS 'When it was given up';

-- Brings the given dead jobs back, and says how many.  One statement: of two callers at once, one gets each job.
CREATE FUNCTION payhook.retry_dead(since timestamptz, error_like text, id text, of_source text) RETURNS bigint
LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
	WITH raised AS (
		DELETE FROM payhook.dead_jobs d
		WHERE d.died_at >= since AND d.error LIKE error_like
			AND (id IS NULL OR (d.transaction_id = id AND d.source = of_source))
		RETURNING d.transaction_id, d.source
	), again AS (
		UPDATE payhook.transactions t SET status = 'PROCESSING', failure = NULL FROM raised r
		WHERE t.transaction_id = r.transaction_id AND t.source = r.source AND t.status = 'FAILED'
		RETURNING t.transaction_id, t.source
	), queued AS (
		INSERT INTO payhook.jobs (transaction_id, source) SELECT transaction_id, source FROM again RETURNING 1
	)
	SELECT count(*) FROM queued
$$;

CREATE FUNCTION payhook.retry(transaction_id text, source text DEFAULT 'transactions') RETURNS text
LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
	-- The notification goes out with the commit; a job is worth the moment it takes, this is not the accept path.
	SELECT CASE payhook.retry_dead('-infinity', '%', retry.transaction_id, retry.source)
		WHEN 0 THEN format('nothing done: %s of source %s has no dead job', retry.transaction_id, retry.source)
		ELSE format('%s of source %s is PROCESSING again', retry.transaction_id, retry.source)
			|| left(pg_notify('jobs', '')::text, 0)
	END
$$;

CREATE FUNCTION payhook.retry_all(since timestamptz DEFAULT '-infinity', error_like text DEFAULT '%') RETURNS text
LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT format('%s transactions are PROCESSING again', payhook.retry_dead(since, error_like, NULL, NULL))
		|| left(pg_notify('jobs', '')::text, 0)
$$;

COMMENT ON FUNCTION payhook.retry_dead(timestamptz, text, text, text) IS 'What retry() and retry_all() share; returns how many came back';
COMMENT ON FUNCTION payhook.retry(text, text) IS 'Brings one FAILED transaction back to PROCESSING, with a fresh job and all its attempts';
COMMENT ON FUNCTION payhook.retry_all(timestamptz, text) IS 'The same for all that died since a time, with an error like a pattern';
