-- The trace that a webhook belongs to, for the processor to go on with: with the job as long as there is one.

ALTER TABLE payhook.jobs ADD COLUMN traceparent text
	CONSTRAINT jobs_traceparent_length CHECK (octet_length(traceparent) = 55);
ALTER TABLE payhook.dead_jobs ADD COLUMN traceparent text
	CONSTRAINT dead_jobs_traceparent_length CHECK (octet_length(traceparent) = 55);

COMMENT ON COLUMN payhook.jobs.traceparent IS 'The webhook''s W3C traceparent; null: it had none that counts';
COMMENT ON COLUMN payhook.dead_jobs.traceparent IS 'The webhook''s W3C traceparent; null: it had none that counts';

-- As in 0005, and the trace comes back with the job.
CREATE OR REPLACE FUNCTION payhook.retry_dead(since timestamptz, error_like text, id text, of_source text) RETURNS bigint
LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
	WITH raised AS (
		DELETE FROM payhook.dead_jobs d
		WHERE d.died_at >= since AND d.error LIKE error_like
			AND (id IS NULL OR (d.transaction_id = id AND d.source = of_source))
		RETURNING d.transaction_id, d.source, d.traceparent
	), again AS (
		UPDATE payhook.transactions t SET status = 'PROCESSING', failure = NULL FROM raised r
		WHERE t.transaction_id = r.transaction_id AND t.source = r.source AND t.status = 'FAILED'
		RETURNING t.transaction_id, t.source, r.traceparent
	), queued AS (
		INSERT INTO payhook.jobs (transaction_id, source, traceparent)
		SELECT transaction_id, source, traceparent FROM again RETURNING 1
	)
	SELECT count(*) FROM queued
$$;

-- As in 0004, and the trace behind it.
CREATE OR REPLACE VIEW payhook.queue AS
SELECT j.id, j.source, j.transaction_id,
	CASE
		WHEN j.owner IS NOT NULL THEN 'claimed'
		WHEN j.run_at IS NOT NULL THEN 'waiting'
		ELSE 'ready'
	END AS state,
	date_trunc('milliseconds', now() - j.enqueued_at) AS age,
	j.attempt, j.run_at, w.host AS owner_host, w.pid AS owner_pid, j.claimed_at, j.last_error,
	substr(j.traceparent, 4, 32) AS trace_id
FROM payhook.jobs j LEFT JOIN payhook.workers w ON w.owner = j.owner
ORDER BY j.id;
