-- PayPal signs an id, a time and the CRC-32 of the body, and other bodies with that CRC can be found.  So the first body of each
-- transmission id is remembered, and a second one under the same signature is refused.  Only verified requests get this far.

CREATE TABLE payhook.transmissions (
	source text NOT NULL,
	transmission_id text NOT NULL,
	body_sha256 bytea NOT NULL,
	seen_at timestamptz NOT NULL DEFAULT now(),
	CONSTRAINT transmissions_pkey PRIMARY KEY (source, transmission_id),
	CONSTRAINT transmissions_source_length CHECK (octet_length(source) BETWEEN 1 AND 64),
	CONSTRAINT transmissions_id_length CHECK (octet_length(transmission_id) BETWEEN 1 AND 255),
	CONSTRAINT transmissions_sha256_length CHECK (octet_length(body_sha256) = 32)
);

-- The old ones are found by it.  Rows arrive in its order.
CREATE INDEX transmissions_seen_at ON payhook.transmissions (seen_at);

COMMENT ON TABLE payhook.transmissions IS 'Transmission ids that PayPal has signed, each with the SHA-256 of its body; a row is kept for longer than its signature is valid';
COMMENT ON COLUMN payhook.transmissions.source IS 'The source that received it';
COMMENT ON COLUMN payhook.transmissions.transmission_id IS 'The header paypal-transmission-id';
COMMENT ON COLUMN payhook.transmissions.body_sha256 IS 'Of the first body that came with it';
COMMENT ON COLUMN payhook.transmissions.seen_at IS 'When that body came';

-- Remembers transmissions that are new, and returns for each element of the arrays, by its place from 1, whether its body is the
-- one that is remembered.
--
-- Concurrency: an insert waits for another one of the same id; the second statement has a snapshot of its own and sees whichever
-- won.  Rows are inserted in the order of their keys, so two calls do not deadlock.  The commit does not wait for the disk: that of
-- the transaction, which comes after it, does, and the WAL is written in order.
--
-- A signature is valid for a tolerance of a week at most, on both sides of its time; each call deletes a few rows that are older.
CREATE FUNCTION payhook.remember_transmissions(sources text[], ids text[], bodies_sha256 bytea[])
RETURNS TABLE (place bigint, is_same boolean)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	INSERT INTO payhook.transmissions (source, transmission_id, body_sha256)
	SELECT DISTINCT ON (g.source, g.id) g.source, g.id, g.sha256
	FROM unnest(sources, ids, bodies_sha256) WITH ORDINALITY AS g(source, id, sha256, place)
	ORDER BY g.source, g.id, g.place
	ON CONFLICT DO NOTHING;

	DELETE FROM payhook.transmissions WHERE (source, transmission_id) IN (
		SELECT t.source, t.transmission_id FROM payhook.transmissions t WHERE t.seen_at < now() - interval '15 days'
		ORDER BY t.seen_at LIMIT 2 * cardinality(ids) FOR UPDATE SKIP LOCKED);

	RETURN QUERY SELECT g.place, t.body_sha256 = g.sha256
	FROM unnest(sources, ids, bodies_sha256) WITH ORDINALITY AS g(source, id, sha256, place)
	JOIN payhook.transmissions t ON t.source = g.source AND t.transmission_id = g.id;
END $$;

COMMENT ON FUNCTION payhook.remember_transmissions(text[], text[], bytea[]) IS 'Remembers the bodies of transmission ids, and reports which differ from the remembered one; the responders call it';

CREATE OR REPLACE FUNCTION payhook.grant_rights() RETURNS text
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	REVOKE ALL ON ALL FUNCTIONS IN SCHEMA payhook FROM PUBLIC;

	IF to_regrole('payhook_app') IS NOT NULL THEN
		REVOKE ALL ON ALL TABLES IN SCHEMA payhook FROM payhook_app;
		GRANT USAGE ON SCHEMA payhook TO payhook_app;
		GRANT SELECT, INSERT (transaction_id, source, source_account, destination_account, amount, currency)
			ON payhook.transactions TO payhook_app;
		GRANT INSERT (source, transaction_id, traceparent) ON payhook.jobs TO payhook_app;
		GRANT SELECT (transaction_id, source, ordinal, body_sha256, count, unkept),
			INSERT (transaction_id, source, ordinal, body_sha256, body, request_id), UPDATE (count, last_seen, unkept)
			ON payhook.transaction_conflicts TO payhook_app;
		GRANT EXECUTE ON FUNCTION
			payhook.add_auth_failures(text[], text[], text[], bigint[], text[], text[], bigint[]),
			payhook.add_rejections(text[], text[], text[], bigint[], text[], text[], bigint[]),
			payhook.remember_transmissions(text[], text[], bytea[])
			TO payhook_app;
	END IF;

	IF to_regrole('payhook_worker') IS NOT NULL THEN
		REVOKE ALL ON ALL TABLES IN SCHEMA payhook FROM payhook_worker;
		GRANT USAGE ON SCHEMA payhook TO payhook_worker;
		GRANT SELECT, DELETE, UPDATE (id, attempt, run_at, owner, claimed_at),
			INSERT (source, transaction_id, attempt, enqueued_at, run_at, last_error, traceparent)
			ON payhook.jobs TO payhook_worker;
		GRANT SELECT, DELETE, UPDATE (status, processed_at, failure) ON payhook.transactions TO payhook_worker;
		GRANT SELECT (transaction_id, source), DELETE ON payhook.transaction_conflicts TO payhook_worker;
		GRANT SELECT, DELETE, INSERT (owner, host, pid, version), UPDATE (beat_at, in_flight, circuit_open_since)
			ON payhook.workers TO payhook_worker;
		GRANT SELECT (transaction_id, source, died_at),
			INSERT (transaction_id, source, attempts, error, enqueued_at, traceparent)
			ON payhook.dead_jobs TO payhook_worker;
		GRANT INSERT (transaction_id, source, attempt, started_at, finished_at, outcome, error, worker)
			ON payhook.job_attempts TO payhook_worker;
		GRANT SELECT ON payhook.pauses TO payhook_worker;
		GRANT SELECT, UPDATE (at) ON payhook.retention_clock TO payhook_worker;
		GRANT EXECUTE ON FUNCTION payhook.keep_attempts(int) TO payhook_worker;
	END IF;

	IF to_regrole('payhook_operator') IS NOT NULL THEN
		REVOKE ALL ON ALL TABLES IN SCHEMA payhook FROM payhook_operator;
		GRANT USAGE ON SCHEMA payhook TO payhook_operator;
		GRANT SELECT ON ALL TABLES IN SCHEMA payhook TO payhook_operator;
		GRANT EXECUTE ON FUNCTION payhook.retry(text, text), payhook.retry_all(timestamptz, text), payhook.pause(),
			payhook.resume() TO payhook_operator;
	END IF;

	RETURN coalesce('rights given to ' || nullif(concat_ws(', ', to_regrole('payhook_app'), to_regrole('payhook_worker'),
		to_regrole('payhook_operator')), ''), 'none of the roles exists');
END $$;

DO $$ BEGIN PERFORM payhook.grant_rights(); END $$;
