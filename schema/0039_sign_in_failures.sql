-- Failed sign-ins of the console are auth failures of the cause sign_in, and of no source.  Anyone who reaches the console can cause
-- them, so they have a ring of their own, as each cause has: they overwrite no other, and no other overwrites them.

CREATE SEQUENCE payhook.auth_failures_sign_in;

-- As in 0016, and that ring.
CREATE OR REPLACE FUNCTION payhook.add_auth_failures(sources text[], causes text[], details text[], skews_s bigint[],
	addresses text[], request_ids text[], ages_us bigint[]) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	INSERT INTO payhook.rejected_requests AS kept (id, source, cause, detail, skew_s, address, request_id, rejected_at)
	SELECT DISTINCT ON (f.slot) f.number * 10000 + f.slot, nullif(f.source, ''), f.cause, f.detail, nullif(f.skew_s, 0),
		nullif(f.address, ''), nullif(f.request_id, ''), now() - f.age_us * interval '1 microsecond'
	FROM (
		SELECT g.*, nextval('payhook.rejected_requests_id_seq') AS number, CASE g.cause
			WHEN 'missing' THEN 0 * 625 + nextval('payhook.auth_failures_missing') % 625
			WHEN 'malformed' THEN 1 * 625 + nextval('payhook.auth_failures_malformed') % 625
			WHEN 'unsupported' THEN 2 * 625 + nextval('payhook.auth_failures_unsupported') % 625
			WHEN 'old' THEN 3 * 625 + nextval('payhook.auth_failures_old') % 625
			WHEN 'future' THEN 4 * 625 + nextval('payhook.auth_failures_future') % 625
			WHEN 'expired' THEN 5 * 625 + nextval('payhook.auth_failures_expired') % 625
			WHEN 'wrong_url' THEN 6 * 625 + nextval('payhook.auth_failures_wrong_url') % 625
			WHEN 'wrong' THEN 7 * 625 + nextval('payhook.auth_failures_wrong') % 625
			WHEN 'failed' THEN 8 * 625 + nextval('payhook.auth_failures_failed') % 625
			WHEN 'address' THEN 9 * 625 + nextval('payhook.auth_failures_address') % 625
			WHEN 'certificate' THEN 10 * 625 + nextval('payhook.auth_failures_certificate') % 625
			WHEN 'api_key' THEN 11 * 625 + nextval('payhook.auth_failures_api_key') % 625
			WHEN 'reused' THEN 12 * 625 + nextval('payhook.auth_failures_reused') % 625
			WHEN 'sign_in' THEN 13 * 625 + nextval('payhook.auth_failures_sign_in') % 625
			ELSE 15 * 625 + nextval('payhook.auth_failures_other') % 625
		END AS slot
		FROM unnest(sources, causes, details, skews_s, addresses, request_ids, ages_us)
			AS g(source, cause, detail, skew_s, address, request_id, age_us)
	) f
	ORDER BY f.slot, f.number DESC
	ON CONFLICT (slot) DO UPDATE SET id = excluded.id, source = excluded.source, cause = excluded.cause,
		detail = excluded.detail, skew_s = excluded.skew_s, address = excluded.address,
		request_id = excluded.request_id, rejected_at = excluded.rejected_at
	WHERE kept.id < excluded.id;
END;

COMMENT ON COLUMN payhook.rejected_requests.cause IS 'missing, malformed, unsupported, old, future, expired, wrong_url, wrong, failed or reused (of a signature); address, certificate or api_key; sign_in (to the console)';

-- Adds failed sign-ins, one for each element of the arrays; ages are microseconds since the failure.  The console may call this and
-- not add_auth_failures(): one that is taken over can forge no auth failure of a source.
CREATE FUNCTION payhook.console_sign_ins_failed(details text[], addresses text[], request_ids text[], ages_us bigint[]) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT payhook.add_auth_failures(array_fill(''::text, ARRAY[cardinality(details)]),
		array_fill('sign_in'::text, ARRAY[cardinality(details)]), details, array_fill(0::bigint, ARRAY[cardinality(details)]),
		addresses, request_ids, ages_us);
END;

COMMENT ON FUNCTION payhook.console_sign_ins_failed(text[], text[], text[], bigint[]) IS 'Adds failed sign-ins to the ring of auth failures of the cause sign_in, of 625 rows; the console calls it';

-- As in 0038, and that function.
CREATE OR REPLACE FUNCTION payhook.grant_console_rights() RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	role text;
BEGIN
	IF to_regrole('payhook_app') IS NOT NULL THEN
		GRANT EXECUTE ON FUNCTION payhook.add_rates(text[], bigint[], bigint[], bigint[], bigint[]) TO payhook_app;
	END IF;

	IF to_regrole('payhook_worker') IS NOT NULL THEN
		GRANT INSERT (processor) ON payhook.workers TO payhook_worker;
		GRANT SELECT ON payhook.source_pauses TO payhook_worker;
		GRANT EXECUTE ON FUNCTION payhook.add_rates(text[], bigint[], bigint[], bigint[], bigint[]), payhook.run_operations()
			TO payhook_worker;
	END IF;

	IF to_regrole('payhook_operator') IS NOT NULL THEN
		GRANT EXECUTE ON FUNCTION payhook.pause(text), payhook.resume(text) TO payhook_operator;
	END IF;

	IF to_regrole('payhook_console') IS NOT NULL THEN
		REVOKE ALL ON ALL TABLES IN SCHEMA payhook FROM payhook_console;
		GRANT USAGE ON SCHEMA payhook TO payhook_console;
		GRANT EXECUTE ON FUNCTION payhook.console_refused(text, text, text, text, text, text, text),
			payhook.console_sign_ins_failed(text[], text[], text[], bigint[]) TO payhook_console;
	END IF;

	FOREACH role IN ARRAY '{payhook_operator,payhook_console}'::text[] LOOP
		CONTINUE WHEN to_regrole(role) IS NULL;
		PERFORM payhook.grant_console_functions(role = 'payhook_console');
	END LOOP;
END $$;

DO $$ BEGIN PERFORM payhook.grant_rights(); END $$;
