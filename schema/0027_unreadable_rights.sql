-- The rights of the roles to validation errors and to webhooks that could not be read (0025, 0026).

CREATE OR REPLACE FUNCTION payhook.grant_rights() RETURNS text
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	REVOKE ALL ON ALL FUNCTIONS IN SCHEMA payhook FROM PUBLIC;

	IF to_regrole('payhook_app') IS NOT NULL THEN
		REVOKE ALL ON ALL TABLES IN SCHEMA payhook FROM payhook_app;
		GRANT USAGE ON SCHEMA payhook TO payhook_app;
		GRANT SELECT, INSERT (transaction_id, source, source_account, destination_account, amount, currency, payment_id, kind, part,
			is_total, occurred_at, payload_id, payload_at) ON payhook.transactions TO payhook_app;
		GRANT SELECT ON payhook.payments TO payhook_app;
		GRANT INSERT (source, transaction_id, traceparent) ON payhook.jobs TO payhook_app;
		GRANT INSERT (lane, lane_no, source, transaction_id, traceparent, continues) ON payhook.parked_jobs TO payhook_app;
		GRANT INSERT ON payhook.payloads TO payhook_app;
		GRANT USAGE ON SEQUENCE payhook.payload_ids, payhook.lane_numbers TO payhook_app;
		GRANT SELECT (transaction_id, source, ordinal, body_sha256, count, unkept),
			INSERT (transaction_id, source, ordinal, body_sha256, body, request_id), UPDATE (count, last_seen, unkept)
			ON payhook.transaction_conflicts TO payhook_app;
		GRANT EXECUTE ON FUNCTION
			payhook.add_auth_failures(text[], text[], text[], bigint[], text[], text[], bigint[]),
			payhook.add_rejections(text[], text[], text[], bigint[], text[], text[], bigint[]),
			payhook.add_validation_errors(text[], bigint[], bigint[], text[], text[], text[], bigint[]),
			payhook.keep_unreadable(text[], text[], text[], text[], bytea[], text[], text[]),
			payhook.remember_transmissions(text[], text[], bytea[]),
			payhook.lane_of(text, text), payhook.activate(bigint[]), payhook.payloads_day(date),
			payhook.payment_state(payhook.payment_event[]), payhook.older_workers(int)
			TO payhook_app;
	END IF;

	IF to_regrole('payhook_worker') IS NOT NULL THEN
		REVOKE ALL ON ALL TABLES IN SCHEMA payhook FROM payhook_worker;
		GRANT USAGE ON SCHEMA payhook TO payhook_worker;
		GRANT SELECT, DELETE, UPDATE (id, attempt, run_at, owner, claimed_at),
			INSERT (source, transaction_id, attempt, enqueued_at, run_at, last_error, traceparent, lane, lane_no, continues)
			ON payhook.jobs TO payhook_worker;
		GRANT SELECT, DELETE, UPDATE (status, processed_at, failure) ON payhook.transactions TO payhook_worker;
		GRANT SELECT (transaction_id, source), DELETE ON payhook.transaction_conflicts TO payhook_worker;
		GRANT SELECT, DELETE, INSERT (owner, host, pid, version, level), UPDATE (beat_at, in_flight, circuit_open_since)
			ON payhook.workers TO payhook_worker;
		GRANT SELECT (transaction_id, source, died_at),
			INSERT (transaction_id, source, attempts, error, enqueued_at, traceparent, lane, lane_no)
			ON payhook.dead_jobs TO payhook_worker;
		GRANT INSERT (transaction_id, source, attempt, started_at, finished_at, outcome, error, worker)
			ON payhook.job_attempts TO payhook_worker;
		GRANT SELECT ON payhook.parked_jobs, payhook.payloads TO payhook_worker;
		GRANT SELECT ON SEQUENCE payhook.lane_numbers TO payhook_worker;
		GRANT SELECT ON payhook.pauses TO payhook_worker;
		GRANT SELECT, UPDATE (at) ON payhook.retention_clock TO payhook_worker;
		GRANT EXECUTE ON FUNCTION payhook.keep_attempts(int), payhook.keep_partitions(int, int), payhook.activate(bigint[]) TO payhook_worker;
	END IF;

	IF to_regrole('payhook_operator') IS NOT NULL THEN
		REVOKE ALL ON ALL TABLES IN SCHEMA payhook FROM payhook_operator;
		GRANT USAGE ON SCHEMA payhook TO payhook_operator;
		GRANT SELECT ON ALL TABLES IN SCHEMA payhook TO payhook_operator;
		GRANT EXECUTE ON FUNCTION payhook.retry(text, text), payhook.retry_all(timestamptz, text), payhook.skip(text, text),
			payhook.pause(), payhook.resume(), payhook.forget(text, boolean), payhook.drop_unreadable(bigint),
			payhook.payment_state(payhook.payment_event[]) TO payhook_operator;
		IF payhook.compatibility_view() IS NOT NULL THEN
			GRANT SELECT ON public.transactions_transaction TO payhook_operator;
		END IF;
	END IF;

	RETURN coalesce('rights given to ' || nullif(concat_ws(', ', to_regrole('payhook_app'), to_regrole('payhook_worker'),
		to_regrole('payhook_operator')), ''), 'none of the roles exists');
END $$;

DO $$ BEGIN PERFORM payhook.grant_rights(); END $$;
