-- What operators look at.

CREATE VIEW payhook.queue_depth AS
SELECT
	count(*) FILTER (WHERE owner IS NULL AND run_at IS NULL) AS ready,
	count(*) FILTER (WHERE run_at IS NOT NULL) AS waiting,
	count(*) FILTER (WHERE owner IS NOT NULL) AS claimed,
	(SELECT count(*) FROM payhook.dead_jobs) AS dead,
	date_trunc('milliseconds', now() - min(enqueued_at)) AS oldest_age,
	EXISTS (SELECT FROM payhook.pauses) AS paused
FROM payhook.jobs;

COMMENT ON VIEW payhook.queue_depth IS 'How many jobs are ready, wait for a retry, are claimed, are dead; the age of the oldest; whether the workers are paused';

CREATE VIEW payhook.throughput AS
SELECT date_trunc('minute', finished_at) AS minute,
	count(*) FILTER (WHERE outcome = 'processed') AS processed,
	count(*) FILTER (WHERE outcome = 'retried') AS retried,
	count(*) FILTER (WHERE outcome = 'failed') AS failed,
	count(*) FILTER (WHERE outcome = 'probed') AS probed
FROM payhook.job_attempts
WHERE finished_at >= date_trunc('minute', now() - interval '1 hour')
GROUP BY 1 ORDER BY 1 DESC;

COMMENT ON VIEW payhook.throughput IS 'Calls that ended in each minute of the last hour, by their outcome; newest first';

CREATE VIEW payhook.failures AS
SELECT d.transaction_id, d.source, d.attempts, d.error, d.enqueued_at, d.died_at, t.amount, t.currency
FROM payhook.dead_jobs d JOIN payhook.transactions t USING (transaction_id, source)
ORDER BY d.died_at DESC;

COMMENT ON VIEW payhook.failures IS 'FAILED transactions with the reason, newest first; payhook.retry(transaction_id) brings one back';

CREATE VIEW payhook.conflicts AS
SELECT c.transaction_id, c.source, c.ordinal, c.count, c.unkept, c.first_seen, c.last_seen, c.request_id,
	t.amount AS stored_amount, t.currency AS stored_currency, t.status, convert_from(c.body, 'UTF8') AS body
FROM payhook.transaction_conflicts c LEFT JOIN payhook.transactions t USING (transaction_id, source)
ORDER BY c.last_seen DESC;

COMMENT ON VIEW payhook.conflicts IS 'Other payloads that came under a known id, beside what is stored; newest first';

-- Pending is counted from the rows of jobs, not from the state of transactions: a PROCESSING row without a job, or a
-- job whose transaction is not PROCESSING, shows as a difference.
CREATE VIEW payhook.reconciliation AS
WITH days AS (
	SELECT (created_at AT TIME ZONE 'UTC')::date AS day, count(*) AS accepted,
		count(*) FILTER (WHERE status = 'PROCESSED') AS processed,
		count(*) FILTER (WHERE status = 'FAILED') AS failed
	FROM payhook.transactions GROUP BY 1
), pending AS (
	SELECT (t.created_at AT TIME ZONE 'UTC')::date AS day, count(*) AS pending
	FROM payhook.jobs j JOIN payhook.transactions t USING (transaction_id, source) GROUP BY 1
)
SELECT d.day, d.accepted, d.processed, d.failed, coalesce(p.pending, 0) AS pending,
	d.accepted - d.processed - d.failed - coalesce(p.pending, 0) AS difference
FROM days d LEFT JOIN pending p USING (day)
ORDER BY d.day DESC;

COMMENT ON VIEW payhook.reconciliation IS 'By the day of acceptance (UTC): accepted, processed, failed, and the jobs pending; difference is 0 when it adds up';
