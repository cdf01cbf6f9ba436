-- A request that fails authentication (401 or 403) is an auth failure; a request that breaks a rule about its content (400, 413,
-- 415, 422) is a validation error.  Until now both were called rejections.  The table keeps its name, which the programs of the
-- version before use, as they use the function and the views by their old names.

CREATE VIEW payhook.auth_failures AS
SELECT rejected_at AS failed_at, source, cause, detail, skew_s, address, request_id
FROM payhook.rejected_requests
ORDER BY id DESC;

COMMENT ON VIEW payhook.auth_failures IS 'The last 10,000 requests without a valid signature, address, certificate or API key, each with its cause; newest first';

CREATE VIEW payhook.auth_failure_summary AS
SELECT date_trunc('hour', rejected_at) AS hour, source, cause, count(*) AS failures,
	count(DISTINCT address) AS addresses, max(rejected_at) AS last_at,
	(array_agg(detail ORDER BY id DESC))[1] AS last_detail
FROM payhook.rejected_requests
GROUP BY 1, 2, 3
ORDER BY 1 DESC, 4 DESC;

COMMENT ON VIEW payhook.auth_failure_summary IS 'Auth failures by hour, source and cause: how many, from how many addresses, and the last reason; of a flood only a part is recorded';

COMMENT ON VIEW payhook.rejections IS 'Deprecated: use auth_failures';
COMMENT ON VIEW payhook.rejection_summary IS 'Deprecated: use auth_failure_summary';
COMMENT ON TABLE payhook.rejected_requests IS 'The last 10,000 auth failures, as a ring of rows; holds no secret, signature or body; read it through the view auth_failures';

-- Adds auth failures, one for each element of the arrays; ages are microseconds since the failure.  Ids are fresh, so two calls
-- meet in one row only when one of them is overtaken by 10,000 others; then the newer row stays, whichever writes last.
--
-- A function, because ON CONFLICT DO UPDATE needs SELECT on every column of excluded.  Through it the responders can add rows
-- and neither read nor change them.
CREATE FUNCTION payhook.add_auth_failures(sources text[], causes text[], details text[], skews_s bigint[], addresses text[],
	request_ids text[], ages_us bigint[]) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	INSERT INTO payhook.rejected_requests AS kept (source, cause, detail, skew_s, address, request_id, rejected_at)
	SELECT nullif(g.source, ''), g.cause, g.detail, nullif(g.skew_s, 0), nullif(g.address, ''), nullif(g.request_id, ''),
		now() - g.age_us * interval '1 microsecond'
	FROM unnest(sources, causes, details, skews_s, addresses, request_ids, ages_us)
		AS g(source, cause, detail, skew_s, address, request_id, age_us)
	ON CONFLICT (slot) DO UPDATE SET id = excluded.id, source = excluded.source, cause = excluded.cause,
		detail = excluded.detail, skew_s = excluded.skew_s, address = excluded.address,
		request_id = excluded.request_id, rejected_at = excluded.rejected_at
	WHERE kept.id < excluded.id;
END;

COMMENT ON FUNCTION payhook.add_auth_failures(text[], text[], text[], bigint[], text[], text[], bigint[]) IS 'Adds auth failures to the ring of 10,000; the responders call it';

CREATE OR REPLACE FUNCTION payhook.add_rejections(sources text[], causes text[], details text[], skews_s bigint[], addresses text[],
	request_ids text[], ages_us bigint[]) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT payhook.add_auth_failures(sources, causes, details, skews_s, addresses, request_ids, ages_us);
END;

COMMENT ON FUNCTION payhook.add_rejections(text[], text[], text[], bigint[], text[], text[], bigint[]) IS 'Deprecated: use add_auth_failures; responders of the version before call it';

-- A provider sends webhooks; a processor is what a worker calls.  Comments that mixed the two, or left the noun out:
COMMENT ON TABLE payhook.transactions IS 'One row for each transaction that a provider has sent; only status, processed_at and failure change';
COMMENT ON COLUMN payhook.transactions.transaction_id IS 'The provider''s id, byte for byte';
COMMENT ON COLUMN payhook.workers.in_flight IS 'Jobs in flight at the last heartbeat';
COMMENT ON COLUMN payhook.workers.circuit_open_since IS 'Since when the worker considers its processor down and tries one job at a time; null: the circuit is closed';
COMMENT ON VIEW payhook.queue IS 'Jobs with their state (ready, waiting for a retry, claimed), age, attempt and the worker that has claimed them';
COMMENT ON COLUMN payhook.pauses.by_user IS 'The database user that called pause()';
COMMENT ON COLUMN payhook.rejected_requests.detail IS 'The reason, for the operator; the answer to the sender does not contain it';
COMMENT ON COLUMN payhook.rejected_requests.rejected_at IS 'When the request failed';

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
			payhook.add_rejections(text[], text[], text[], bigint[], text[], text[], bigint[])
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
