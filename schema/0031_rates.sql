-- What came in and what was settled, by minute and source, for the console: a scan of transactions for it would take half a core
-- of twenty people that look.  Responders and workers count in memory, and add their counts about once a second.

CREATE TABLE payhook.rates (
	minute timestamptz NOT NULL,
	source text NOT NULL CONSTRAINT rates_source_length CHECK (octet_length(source) BETWEEN 1 AND 255),
	accepted bigint NOT NULL DEFAULT 0,
	refused bigint NOT NULL DEFAULT 0,
	processed bigint NOT NULL DEFAULT 0,
	failed bigint NOT NULL DEFAULT 0,
	CONSTRAINT rates_pkey PRIMARY KEY (minute, source)
) WITH (fillfactor = 50);

COMMENT ON TABLE payhook.rates IS 'Webhooks and transactions of each minute and source, for 25 hours; counts of a process that dies are lost';
COMMENT ON COLUMN payhook.rates.minute IS 'Its beginning, by the server''s clock when the counts were added';
COMMENT ON COLUMN payhook.rates.source IS 'The source';
COMMENT ON COLUMN payhook.rates.accepted IS 'Webhooks that stored at least one transaction';
COMMENT ON COLUMN payhook.rates.refused IS 'Webhooks that failed: auth failures and validation errors';
COMMENT ON COLUMN payhook.rates.processed IS 'Transactions that became PROCESSED';
COMMENT ON COLUMN payhook.rates.failed IS 'Transactions that became FAILED';

CREATE TABLE payhook.source_activity (
	source text PRIMARY KEY CONSTRAINT source_activity_source_length CHECK (octet_length(source) BETWEEN 1 AND 255),
	first_seen_at timestamptz NOT NULL DEFAULT now(),
	last_accepted_at timestamptz,
	last_refused_at timestamptz
) WITH (fillfactor = 50);

COMMENT ON TABLE payhook.source_activity IS 'One row for each source: when its last webhooks came, to the second';
COMMENT ON COLUMN payhook.source_activity.source IS 'The source';
COMMENT ON COLUMN payhook.source_activity.first_seen_at IS 'When something of it was counted first';
COMMENT ON COLUMN payhook.source_activity.last_accepted_at IS 'When a webhook of it stored something last; null: none did';
COMMENT ON COLUMN payhook.source_activity.last_refused_at IS 'When a webhook of it failed last; null: none did';

-- Adds counts, one for each place of the arrays.  Rows are written in the order of their keys, so two calls do not deadlock; each
-- waits for the other no longer than a few rows take, and nobody waits for either.  The caller's commit need not wait for the disk.
CREATE FUNCTION payhook.add_rates(sources text[], accepted bigint[], refused bigint[], processed bigint[], failed bigint[])
RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	INSERT INTO payhook.rates AS r (minute, source, accepted, refused, processed, failed)
	SELECT date_trunc('minute', now()), g.source, sum(g.accepted), sum(g.refused), sum(g.processed), sum(g.failed)
	FROM unnest(sources, accepted, refused, processed, failed) AS g(source, accepted, refused, processed, failed)
	GROUP BY g.source ORDER BY g.source COLLATE "C"
	ON CONFLICT (minute, source) DO UPDATE SET accepted = r.accepted + excluded.accepted, refused = r.refused + excluded.refused,
		processed = r.processed + excluded.processed, failed = r.failed + excluded.failed;

	INSERT INTO payhook.source_activity AS a (source, last_accepted_at, last_refused_at)
	SELECT g.source, CASE WHEN sum(g.accepted) > 0 THEN now() END, CASE WHEN sum(g.refused) > 0 THEN now() END
	FROM unnest(sources, accepted, refused) AS g(source, accepted, refused)
	GROUP BY g.source ORDER BY g.source COLLATE "C"
	ON CONFLICT (source) DO UPDATE SET last_accepted_at = coalesce(excluded.last_accepted_at, a.last_accepted_at),
		last_refused_at = coalesce(excluded.last_refused_at, a.last_refused_at)
	WHERE excluded.last_accepted_at IS NOT NULL OR excluded.last_refused_at IS NOT NULL;

	DELETE FROM payhook.rates WHERE (minute, source) IN (
		SELECT o.minute, o.source FROM payhook.rates o WHERE o.minute < now() - interval '25 hours'
		ORDER BY o.minute LIMIT 100 FOR UPDATE SKIP LOCKED);
END;

COMMENT ON FUNCTION payhook.add_rates(text[], bigint[], bigint[], bigint[], bigint[]) IS 'Adds counts to the present minute of each source; responders and workers call it';

-- A worker of a version before names none.
ALTER TABLE payhook.workers ADD COLUMN processor text;

COMMENT ON COLUMN payhook.workers.processor IS 'The processor in force: http or simulated; null: the worker is of a version before';
