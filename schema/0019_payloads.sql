-- The requests that stored something, as they came: a partition a day, so that old days are dropped and never deleted row by row.
--
-- There is no default partition: DETACH CONCURRENTLY refuses with one.  Partitions are made a week ahead by the workers; on a day
-- without a partition webhooks are accepted all the same, and their payloads are not kept (INGEST_STORE_ALL).

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

-- Those of a week, until a worker makes the next ones.
DO $$
DECLARE
	day date;
BEGIN
	FOR day IN SELECT (now() AT TIME ZONE 'UTC')::date + n FROM generate_series(0, 7) n LOOP
		EXECUTE format('CREATE TABLE payhook.%I PARTITION OF payhook.payloads FOR VALUES FROM (%L) TO (%L)',
			payhook.payloads_day(day), day::text || ' 00:00:00+00', (day + 1)::text || ' 00:00:00+00');
		EXECUTE format('COMMENT ON TABLE payhook.%I IS %L', payhook.payloads_day(day), 'Payloads received on ' || day || ' (UTC)');
	END LOOP;
END $$;
