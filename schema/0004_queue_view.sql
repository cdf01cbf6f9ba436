-- The queue as people want to see it.

CREATE VIEW payhook.queue AS
SELECT j.id, j.source, j.transaction_id,
	CASE
		WHEN j.owner IS NOT NULL THEN 'claimed'
		WHEN j.run_at IS NOT NULL THEN 'waiting'
		ELSE 'ready'
	END AS state,
	date_trunc('milliseconds', now() - j.enqueued_at) AS age,
	j.attempt, j.run_at, w.host AS owner_host, w.pid AS owner_pid, j.claimed_at, j.last_error
FROM payhook.jobs j LEFT JOIN payhook.workers w ON w.owner = j.owner
ORDER BY j.id;

COMMENT ON VIEW payhook.queue IS 'Jobs with their state (ready, waiting for a retry, claimed), age, attempt and who has them';
