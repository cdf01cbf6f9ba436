-- Calls that were cut off, and calls that a worker could not make, have outcomes of their own.  A dead job is shown even if its
-- transaction was deleted.

COMMENT ON COLUMN payhook.job_attempts.outcome IS 'processed, retried, failed (for good), probed (while the processor was down; it does not count), postponed (for a cause on the worker''s machine; it does not count), or unknown (the worker stopped or died during the call)';
COMMENT ON COLUMN payhook.job_attempts.started_at IS 'When the worker began the call; outcome unknown: when it claimed the job, if the worker died';

CREATE OR REPLACE VIEW payhook.throughput AS
SELECT date_trunc('minute', finished_at) AS minute,
	count(*) FILTER (WHERE outcome = 'processed') AS processed,
	count(*) FILTER (WHERE outcome = 'retried') AS retried,
	count(*) FILTER (WHERE outcome = 'failed') AS failed,
	count(*) FILTER (WHERE outcome = 'probed') AS probed,
	count(*) FILTER (WHERE outcome = 'postponed') AS postponed,
	count(*) FILTER (WHERE outcome = 'unknown') AS unknown
FROM payhook.job_attempts
WHERE finished_at >= date_trunc('minute', now() - interval '1 hour')
GROUP BY 1 ORDER BY 1 DESC;

CREATE OR REPLACE VIEW payhook.failures AS
SELECT d.transaction_id, d.source, d.attempts, d.error, d.enqueued_at, d.died_at, t.amount, t.currency
FROM payhook.dead_jobs d LEFT JOIN payhook.transactions t USING (transaction_id, source)
ORDER BY d.died_at DESC;

COMMENT ON VIEW payhook.failures IS 'Dead jobs, with the reason; their transactions are FAILED, newest first; payhook.retry(transaction_id) brings one back.  Without an amount: the transaction was deleted';
