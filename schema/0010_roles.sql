-- Who may do what.  Beside the owner, who migrates, three roles have just the rights that their statements need:
-- payhook_app the responders, payhook_worker the workers, payhook_operator people who look and mend.
--
-- They are made here where the owner may make roles; elsewhere somebody who may makes them, and then calls
-- payhook.grant_rights().  Without them everything works as the owner.

-- Another database of the server may have been quicker, and who may not make roles leaves it to somebody else.
DO $$ BEGIN
	BEGIN
		IF to_regrole('payhook_app') IS NULL THEN
			CREATE ROLE payhook_app NOLOGIN;
		END IF;
	EXCEPTION
		WHEN insufficient_privilege OR duplicate_object OR unique_violation THEN NULL;
	END;
	BEGIN
		IF to_regrole('payhook_worker') IS NULL THEN
			CREATE ROLE payhook_worker NOLOGIN;
		END IF;
	EXCEPTION
		WHEN insufficient_privilege OR duplicate_object OR unique_violation THEN NULL;
	END;
	BEGIN
		IF to_regrole('payhook_operator') IS NULL THEN
			CREATE ROLE payhook_operator NOLOGIN;
		END IF;
	EXCEPTION
		WHEN insufficient_privilege OR duplicate_object OR unique_violation THEN NULL;
	END;
END $$;

-- Called by those who have no rights on what they change: what they do stands in their bodies, and their search path is
-- fixed.
ALTER FUNCTION payhook.keep_attempts(int) SECURITY DEFINER;
ALTER FUNCTION payhook.retry(text, text) SECURITY DEFINER;
ALTER FUNCTION payhook.retry_all(timestamptz, text) SECURITY DEFINER;
ALTER FUNCTION payhook.pause() SECURITY DEFINER;
ALTER FUNCTION payhook.resume() SECURITY DEFINER;

-- Gives the roles that there are their rights, and nobody else any; says to whom.  A migration that adds something
-- replaces it and calls it again.
CREATE FUNCTION payhook.grant_rights() RETURNS text
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

COMMENT ON FUNCTION payhook.grant_rights() IS 'Gives payhook_app, payhook_worker and payhook_operator, as far as they exist, the rights that their statements need';

DO $$ BEGIN PERFORM payhook.grant_rights(); END $$;
