-- The transactions under the name and with the columns of the table that the replaced service had, for the queries and
-- dashboards of its users.  It had no sources: the view shows the built-in one, in which an id stands once.  The old column id
-- is missing: payhook numbers nothing, and an invented number would be taken for that of the old service.

-- The view, or null if the relation of that name is not payhook's, or there is none.
CREATE FUNCTION payhook.compatibility_view() RETURNS regclass
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT DISTINCT r.ev_class::regclass FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid
	WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass
		AND d.refobjid = to_regclass('payhook.transactions') AND r.ev_class = to_regclass('public.transactions_transaction');
$$;

COMMENT ON FUNCTION payhook.compatibility_view() IS 'public.transactions_transaction if it is a view of payhook''s transactions, else null';

-- Only where there is nothing of that name: the old service's table may be in this database, and is then imported from.  An
-- owner who may not write to the schema public does without.  "restore" calls it too: a backup has the schema payhook only.
CREATE FUNCTION payhook.create_compatibility_view() RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF to_regclass('public.transactions_transaction') IS NOT NULL THEN
		RETURN;
	END IF;
	CREATE VIEW public.transactions_transaction AS
	SELECT transaction_id, source_account, destination_account, amount, currency, status, created_at, processed_at
	FROM payhook.transactions WHERE source = 'transactions';
	COMMENT ON VIEW public.transactions_transaction IS 'The transactions of the built-in source, with the columns of the service that payhook replaces; made by payhook';
EXCEPTION
	WHEN insufficient_privilege OR invalid_schema_name THEN NULL;
END $$;

COMMENT ON FUNCTION payhook.create_compatibility_view() IS 'Makes the view public.transactions_transaction, unless there is a relation of that name';

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
		IF payhook.compatibility_view() IS NOT NULL THEN
			GRANT SELECT ON public.transactions_transaction TO payhook_operator;
		END IF;
	END IF;

	RETURN coalesce('rights given to ' || nullif(concat_ws(', ', to_regrole('payhook_app'), to_regrole('payhook_worker'),
		to_regrole('payhook_operator')), ''), 'none of the roles exists');
END $$;

DO $$ BEGIN
	PERFORM payhook.create_compatibility_view();
	PERFORM payhook.grant_rights();
END $$;
