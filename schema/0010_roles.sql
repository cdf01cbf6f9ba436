-- Who may do what.  Beside the owner, who migrates, three roles have just the rights that their statements need:
-- payhook_app the responders, payhook_worker the workers, payhook_operator people who look and mend.
--
-- They are made here where the owner may make roles; elsewhere somebody who may makes them, and then calls
-- payhook.grant_rights().  Without them everything works as the owner.

DO $$
DECLARE
	name text;
BEGIN
	FOREACH name IN ARRAY ARRAY['payhook_app', 'payhook_worker', 'payhook_operator'] LOOP
		CONTINUE WHEN EXISTS (SELECT FROM pg_roles WHERE rolname = name);
		BEGIN
			EXECUTE format('CREATE ROLE %I NOLOGIN', name);
		EXCEPTION
			WHEN insufficient_privilege THEN NULL; -- later, by somebody else
			WHEN duplicate_object OR unique_violation THEN NULL; -- another database of the server was quicker
		END;
	END LOOP;
END $$;

-- Rights on tables are checked, so these two can be called by those who have none on what they change.  What they do
-- stands in their bodies, and their search path is fixed.
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
DECLARE
	rights text;
	name text;
	done text[] := '{}';
BEGIN
	REVOKE ALL ON ALL FUNCTIONS IN SCHEMA payhook FROM PUBLIC;
	FOR name, rights IN VALUES
		('payhook_app', $rights$
			SELECT ON transactions;
			INSERT (transaction_id, source, source_account, destination_account, amount, currency) ON transactions;
			INSERT (source, transaction_id, traceparent) ON jobs;
			SELECT (transaction_id, source, ordinal, body_sha256, count, unkept) ON transaction_conflicts;
			INSERT (transaction_id, source, ordinal, body_sha256, body, request_id) ON transaction_conflicts;
			UPDATE (count, last_seen, unkept) ON transaction_conflicts
		$rights$),
		('payhook_worker', $rights$
			SELECT, DELETE ON jobs;
			INSERT (source, transaction_id, attempt, enqueued_at, run_at, last_error, traceparent) ON jobs;
			UPDATE (id, attempt, run_at, owner, claimed_at) ON jobs;
			SELECT, DELETE ON transactions;
			UPDATE (status, processed_at, failure) ON transactions;
			SELECT (transaction_id, source), DELETE ON transaction_conflicts;
			SELECT, DELETE ON workers;
			INSERT (owner, host, pid, version) ON workers;
			UPDATE (beat_at, in_flight, circuit_open_since) ON workers;
			SELECT (transaction_id, source, died_at) ON dead_jobs;
			INSERT (transaction_id, source, attempts, error, enqueued_at, traceparent) ON dead_jobs;
			INSERT (transaction_id, source, attempt, started_at, finished_at, outcome, error, worker) ON job_attempts;
			SELECT ON pauses;
			EXECUTE ON FUNCTION keep_attempts(int)
		$rights$),
		('payhook_operator', $rights$
			SELECT ON ALL TABLES IN SCHEMA payhook;
			EXECUTE ON FUNCTION retry(text, text);
			EXECUTE ON FUNCTION retry_all(timestamptz, text);
			EXECUTE ON FUNCTION pause();
			EXECUTE ON FUNCTION resume()
		$rights$)
	LOOP
		CONTINUE WHEN NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name);
		EXECUTE format('REVOKE ALL ON ALL TABLES IN SCHEMA payhook FROM %I', name);
		EXECUTE format('GRANT USAGE ON SCHEMA payhook TO %I', name);
		EXECUTE (
			SELECT string_agg(format('GRANT %s TO %I', regexp_replace(btrim(one, E' \n\t'),
				' ON (FUNCTION )?(?!ALL )', ' ON \1payhook.'), name), '; ')
			FROM regexp_split_to_table(rights, ';') AS one);
		done := done || name;
	END LOOP;
	RETURN coalesce('rights given to ' || nullif(array_to_string(done, ', '), ''), 'none of the roles exists');
END $$;

COMMENT ON FUNCTION payhook.grant_rights() IS 'Gives payhook_app, payhook_worker and payhook_operator, as far as they exist, the rights that their statements need';

DO $$ BEGIN PERFORM payhook.grant_rights(); END $$;
