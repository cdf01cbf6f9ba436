-- Two more lists of the console: webhooks that were answered 400, 413, 415 or 422, and webhooks that are kept until they can be mapped.

-- The table has 200 rows of a source at most.
CREATE FUNCTION payhook.console_validation_errors(source text, cursor text, max_rows text) RETURNS TABLE (status int, body json)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	most int;
	key text[];
	hit payhook.invalid_webhooks;
	data json[] := '{}';
	next text;
	has_more boolean := false;
	parameter text;
	detail text;
BEGIN
	most := coalesce(payhook.console_number(max_rows, 'limit', 1, 200), 50);
	source := payhook.console_text(source, 'source');
	key := payhook.console_key(cursor, 'validation-errors', 1);
	IF key[1] !~ '^[0-9]{1,18}$' THEN
		PERFORM payhook.console_wrong('cursor', 'cursor is not one of this list; begin without');
	END IF;
	FOR hit IN
		SELECT x.* FROM payhook.invalid_webhooks x
		WHERE (console_validation_errors.source IS NULL OR x.source = console_validation_errors.source)
			AND (key IS NULL OR x.id < key[1]::bigint)
		ORDER BY x.id DESC LIMIT most + 1
	LOOP
		has_more := cardinality(data) = most;
		EXIT WHEN has_more;
		data := data || json_build_object('failed_at', payhook.console_time(hit.failed_at), 'source', hit.source,
			'is_verified', hit.is_verified, 'status', hit.status, 'problems', hit.problems, 'address', hit.address,
			'request_id', hit.request_id);
		next := payhook.console_cursor('validation-errors', hit.id::text);
	END LOOP;
	status := 200;
	body := json_build_object('data', array_to_json(data), 'next', CASE WHEN has_more THEN next END, 'truncated', false);
	RETURN NEXT;
EXCEPTION
	WHEN SQLSTATE 'PH422' THEN
		GET STACKED DIAGNOSTICS detail = MESSAGE_TEXT, parameter = COLUMN_NAME;
		status := 422;
		body := payhook.console_problem(detail, parameter);
		RETURN NEXT;
END $$;

COMMENT ON FUNCTION payhook.console_validation_errors(text, text, text) IS 'The console''s list of validation errors: docs/console-api.md';

-- A source has 10,000 rows at most, which are found by its index and then sorted; without a source the key gives the order.
CREATE FUNCTION payhook.console_unreadable(source text, cursor text, max_rows text) RETURNS TABLE (status int, body json)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	most int;
	key text[];
	before bigint;
	hits bigint[];
	data json;
	parameter text;
	detail text;
BEGIN
	most := coalesce(payhook.console_number(max_rows, 'limit', 1, 200), 50);
	source := payhook.console_text(source, 'source');
	key := payhook.console_key(cursor, 'unreadable', 1);
	IF key[1] !~ '^[0-9]{1,18}$' THEN
		PERFORM payhook.console_wrong('cursor', 'cursor is not one of this list; begin without');
	END IF;
	before := coalesce(key[1]::bigint, 9223372036854775807);
	IF source IS NULL THEN
		SELECT array_agg(x.id) INTO hits FROM (
			SELECT u.unreadable_id AS id FROM payhook.unreadable_webhooks u WHERE u.unreadable_id < before
			ORDER BY u.unreadable_id DESC LIMIT most + 1) x;
	ELSE
		SELECT array_agg(x.id) INTO hits FROM (
			SELECT o.id FROM (
				SELECT u.unreadable_id AS id FROM payhook.unreadable_webhooks u
				WHERE u.source = console_unreadable.source OFFSET 0) o
			WHERE o.id < before ORDER BY o.id DESC LIMIT most + 1) x;
	END IF;
	SELECT coalesce(json_agg(json_build_object('unreadable_id', u.unreadable_id, 'source', u.source,
		'received_at', payhook.console_time(u.received_at), 'last_at', payhook.console_time(u.last_at), 'count', u.count,
		'reason', u.reason, 'size', octet_length(u.body), 'sha256', encode(u.body_sha256, 'hex'), 'request_id', u.request_id)
		ORDER BY u.unreadable_id DESC), '[]')
	INTO data FROM payhook.unreadable_webhooks u WHERE u.unreadable_id = ANY (hits[:most]);
	status := 200;
	body := json_build_object('data', data,
		'next', CASE WHEN cardinality(hits) > most THEN payhook.console_cursor('unreadable', hits[most]::text) END, 'truncated', false);
	RETURN NEXT;
EXCEPTION
	WHEN SQLSTATE 'PH422' THEN
		GET STACKED DIAGNOSTICS detail = MESSAGE_TEXT, parameter = COLUMN_NAME;
		status := 422;
		body := payhook.console_problem(detail, parameter);
		RETURN NEXT;
END $$;

COMMENT ON FUNCTION payhook.console_unreadable(text, text, text) IS 'The console''s list of webhooks that are kept until they can be mapped: docs/console-api.md';

-- As in 0038, and these two.
CREATE OR REPLACE FUNCTION payhook.grant_console_functions(to_console boolean) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF to_console THEN
		GRANT EXECUTE ON FUNCTION
			payhook.console_overview(), payhook.console_sources(), payhook.console_workers(),
			payhook.console_transactions(text, text, text, text, text, text, text, text, text, text, text, text, text, text),
			payhook.console_transaction(text, text), payhook.console_payload(text, text, text, text),
			payhook.console_conflict_body(text, text, text, text, text), payhook.console_payment(text, text),
			payhook.console_conflicts(text, text, text, text), payhook.console_auth_failures(text, text, text, text),
			payhook.console_validation_errors(text, text, text), payhook.console_unreadable(text, text, text),
			payhook.console_actions(text, text, text, text, text, text), payhook.console_operations(text, text),
			payhook.console_operation(text), payhook.console_retry(text, text, text, text, text, text),
			payhook.console_skip(text, text, text, text, text),
			payhook.console_start_operation(text, text, text, text, text, text, text),
			payhook.console_cancel_operation(text, text, text, text), payhook.console_pause(text, text, text, text),
			payhook.console_resume(text, text, text, text) TO payhook_console;
	ELSE
		GRANT EXECUTE ON FUNCTION
			payhook.console_overview(), payhook.console_sources(), payhook.console_workers(),
			payhook.console_transactions(text, text, text, text, text, text, text, text, text, text, text, text, text, text),
			payhook.console_transaction(text, text), payhook.console_payload(text, text, text, text),
			payhook.console_conflict_body(text, text, text, text, text), payhook.console_payment(text, text),
			payhook.console_conflicts(text, text, text, text), payhook.console_auth_failures(text, text, text, text),
			payhook.console_validation_errors(text, text, text), payhook.console_unreadable(text, text, text),
			payhook.console_actions(text, text, text, text, text, text), payhook.console_operations(text, text),
			payhook.console_operation(text), payhook.console_retry(text, text, text, text, text, text),
			payhook.console_skip(text, text, text, text, text),
			payhook.console_start_operation(text, text, text, text, text, text, text),
			payhook.console_cancel_operation(text, text, text, text), payhook.console_pause(text, text, text, text),
			payhook.console_resume(text, text, text, text) TO payhook_operator;
	END IF;
END $$;

DO $$ BEGIN PERFORM payhook.grant_rights(); END $$;
