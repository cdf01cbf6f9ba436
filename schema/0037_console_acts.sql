-- What the console does to one transaction, an operation or the queue.  Each act is on record in its own transaction.

-- An act without the scope for it.
CREATE FUNCTION payhook.console_refused(action text, source text, id text, reason text, actor text, request_id text, detail text)
RETURNS TABLE (status int, body json)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM payhook.record_action(CASE WHEN action ~ '^[a-z_]{1,32}$' THEN action ELSE 'other' END, source, id, NULL, reason, actor,
		request_id, 'refused', coalesce(nullif(detail, ''), 'the key lacks the scope'));
	status := 403;
	body := payhook.console_problem(coalesce(nullif(detail, ''), 'the key lacks the scope'));
	RETURN NEXT;
END $$;

COMMENT ON FUNCTION payhook.console_refused(text, text, text, text, text, text, text) IS 'Puts an act that was refused on record: docs/console-api.md';

-- Calls a PROCESSED transaction again, unless its account was erased.  The job is in no lane: of which it was is the source's, and
-- its payment has gone on.
CREATE FUNCTION payhook.retry_processed(of_id text, of_source text) RETURNS boolean
LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
	WITH again AS (
		UPDATE payhook.transactions t SET status = 'PROCESSING', processed_at = NULL
		WHERE t.transaction_id = of_id AND t.source = of_source AND t.status = 'PROCESSED'
			AND NOT payhook.console_is_erased(t)
		RETURNING t.transaction_id, t.source
	), queued AS (
		INSERT INTO payhook.jobs (transaction_id, source) SELECT transaction_id, source FROM again RETURNING 1
	)
	SELECT count(*) > 0 FROM queued
$$;

COMMENT ON FUNCTION payhook.retry_processed(text, text) IS 'Makes a job of a PROCESSED transaction; the console calls it';

CREATE FUNCTION payhook.console_retry(source text, id text, even_processed text, reason text, actor text, request_id text)
RETURNS TABLE (status int, body json)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	action text := 'retry';
	t payhook.transactions;
	is_done boolean;
	record_id bigint;
	parameter text;
	detail text;
BEGIN
	even_processed := coalesce(payhook.console_choice(even_processed, 'even_processed', '{true,false}'), 'false');
	SELECT x.* INTO t FROM payhook.transactions x WHERE x.transaction_id = console_retry.id AND x.source = console_retry.source;
	IF t.status = 'PROCESSED' AND even_processed = 'true' THEN
		action := 'retry_processed';
	END IF;
	reason := payhook.console_reason(reason, action = 'retry_processed');
	is_done := CASE action WHEN 'retry' THEN payhook.retry_dead('-infinity', '%', coalesce(id, ''), coalesce(source, '')) > 0
		ELSE payhook.retry_processed(id, source) END;
	IF NOT is_done THEN
		-- As another act or a worker may have left it meanwhile.
		SELECT x.* INTO t FROM payhook.transactions x WHERE x.transaction_id = console_retry.id AND x.source = console_retry.source;
	END IF;
	status := CASE WHEN is_done THEN 200 WHEN t.status IS NULL THEN 404 ELSE 409 END;
	detail := CASE
		WHEN is_done THEN format('%s of source %s is PROCESSING again', id, source)
		WHEN t.status IS NULL THEN format('source %s has no transaction %s', payhook.console_quote(source), payhook.console_quote(id))
		WHEN t.status = 'PROCESSED' AND payhook.console_is_erased(t) THEN 'it is PROCESSED and its account was erased: the processor is not called without it'
		WHEN t.status = 'PROCESSED' THEN 'it is PROCESSED: to call the processor again send even_processed and a reason'
		WHEN t.status = 'FAILED' THEN 'it is FAILED and has no dead job: its account was erased, or it was retried this moment'
		ELSE 'it is PROCESSING already' END;
	record_id := payhook.record_action(action, source, id, NULL, reason, actor, request_id,
		CASE WHEN is_done THEN 'done' ELSE 'nothing' END, detail);
	IF is_done THEN
		PERFORM pg_notify('jobs', '');
		body := json_build_object('outcome', 'done', 'detail', detail, 'action_id', record_id);
	ELSE
		body := payhook.console_problem(detail);
	END IF;
	RETURN NEXT;
EXCEPTION
	WHEN SQLSTATE 'PH422' THEN
		GET STACKED DIAGNOSTICS detail = MESSAGE_TEXT, parameter = COLUMN_NAME;
		status := 422;
		body := payhook.console_problem(detail, parameter);
		RETURN NEXT;
END $$;

COMMENT ON FUNCTION payhook.console_retry(text, text, text, text, text, text) IS 'Retries one transaction for the console: docs/console-api.md';

CREATE FUNCTION payhook.console_skip(source text, id text, reason text, actor text, request_id text)
RETURNS TABLE (status int, body json)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	state text;
	is_done boolean;
	record_id bigint;
	parameter text;
	detail text;
BEGIN
	reason := payhook.console_reason(reason, true);
	SELECT t.status INTO state FROM payhook.transactions t WHERE t.transaction_id = console_skip.id AND t.source = console_skip.source;
	is_done := payhook.skip_held(id, source);
	status := CASE WHEN is_done THEN 200 WHEN state IS NULL THEN 404 ELSE 409 END;
	detail := CASE WHEN is_done THEN format('%s of source %s stays FAILED, and its payment goes on', id, source)
		WHEN state IS NULL THEN format('source %s has no transaction %s', payhook.console_quote(source), payhook.console_quote(id))
		ELSE format('it is %s and holds no other', state) END;
	record_id := payhook.record_action('skip', source, id, NULL, reason, actor, request_id,
		CASE WHEN is_done THEN 'done' ELSE 'nothing' END, detail);
	body := CASE WHEN is_done THEN json_build_object('outcome', 'done', 'detail', detail, 'action_id', record_id)
		ELSE payhook.console_problem(detail) END;
	RETURN NEXT;
EXCEPTION
	WHEN SQLSTATE 'PH422' THEN
		GET STACKED DIAGNOSTICS detail = MESSAGE_TEXT, parameter = COLUMN_NAME;
		status := 422;
		body := payhook.console_problem(detail, parameter);
		RETURN NEXT;
END $$;

COMMENT ON FUNCTION payhook.console_skip(text, text, text, text, text) IS 'Gives up the held head of a payment for the console: docs/console-api.md';

-- An empty source is an error, as of pause(source): a script that leaves its variable empty does not mean all sources.
CREATE FUNCTION payhook.console_pause(source text, reason text, actor text, request_id text) RETURNS TABLE (status int, body json)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	done record;
	record_id bigint;
	parameter text;
	detail text;
BEGIN
	IF source = '' THEN
		PERFORM payhook.console_wrong('source', 'source is empty: leave it out for all sources');
	END IF;
	source := payhook.console_text(source, 'source');
	reason := payhook.console_reason(reason, false);
	SELECT p.* INTO done FROM payhook.set_pause(source, actor, reason) p;
	record_id := payhook.record_action('pause', source, NULL, NULL, reason, actor, request_id,
		CASE WHEN done.is_done THEN 'done' ELSE 'nothing' END, done.detail);
	status := CASE WHEN done.is_done THEN 200 ELSE 409 END;
	body := CASE WHEN done.is_done THEN json_build_object('outcome', 'done', 'detail', done.detail, 'action_id', record_id)
		ELSE payhook.console_problem(done.detail) END;
	RETURN NEXT;
EXCEPTION
	WHEN SQLSTATE 'PH422' THEN
		GET STACKED DIAGNOSTICS detail = MESSAGE_TEXT, parameter = COLUMN_NAME;
		status := 422;
		body := payhook.console_problem(detail, parameter);
		RETURN NEXT;
END $$;

COMMENT ON FUNCTION payhook.console_pause(text, text, text, text) IS 'Pauses all jobs or those of one source for the console: docs/console-api.md';

CREATE FUNCTION payhook.console_resume(source text, reason text, actor text, request_id text) RETURNS TABLE (status int, body json)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	done record;
	record_id bigint;
	parameter text;
	detail text;
BEGIN
	IF source = '' THEN
		PERFORM payhook.console_wrong('source', 'source is empty: leave it out for all sources');
	END IF;
	source := payhook.console_text(source, 'source');
	reason := payhook.console_reason(reason, false);
	SELECT p.* INTO done FROM payhook.end_pause(source) p;
	record_id := payhook.record_action('resume', source, NULL, NULL, reason, actor, request_id,
		CASE WHEN done.is_done THEN 'done' ELSE 'nothing' END, done.detail);
	status := CASE WHEN done.is_done THEN 200 ELSE 409 END;
	body := CASE WHEN done.is_done THEN json_build_object('outcome', 'done', 'detail', done.detail, 'action_id', record_id)
		ELSE payhook.console_problem(done.detail) END;
	RETURN NEXT;
EXCEPTION
	WHEN SQLSTATE 'PH422' THEN
		GET STACKED DIAGNOSTICS detail = MESSAGE_TEXT, parameter = COLUMN_NAME;
		status := 422;
		body := payhook.console_problem(detail, parameter);
		RETURN NEXT;
END $$;

COMMENT ON FUNCTION payhook.console_resume(text, text, text, text) IS 'Ends a pause for the console: docs/console-api.md';

CREATE FUNCTION payhook.console_cancel_operation(operation text, reason text, actor text, request_id text)
RETURNS TABLE (status int, body json)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	o payhook.operations;
	is_done boolean := false;
	record_id bigint;
	parameter text;
	detail text;
BEGIN
	reason := payhook.console_reason(reason, false);
	IF operation ~ '^[0-9]{1,18}$' THEN
		UPDATE payhook.operations x SET state = 'canceled', finished_at = clock_timestamp()
		WHERE x.operation_id = operation::bigint AND x.state = 'running' RETURNING x.* INTO o;
		is_done := FOUND;
		IF NOT is_done THEN
			SELECT x.* INTO o FROM payhook.operations x WHERE x.operation_id = operation::bigint;
		END IF;
	END IF;
	status := CASE WHEN is_done THEN 200 WHEN o.operation_id IS NULL THEN 404 ELSE 409 END;
	detail := CASE WHEN is_done THEN format('operation %s is canceled: %s of %s had their turn', o.operation_id, o.handled, o.total)
		WHEN o.operation_id IS NULL THEN format('there is no operation %s', payhook.console_quote(operation))
		ELSE format('operation %s is %s already', o.operation_id, o.state) END;
	record_id := payhook.record_action('cancel_operation', NULL, NULL, o.operation_id, reason, actor, request_id,
		CASE WHEN is_done THEN 'done' ELSE 'nothing' END, detail);
	body := CASE WHEN is_done THEN json_build_object('outcome', 'done', 'detail', detail, 'action_id', record_id,
			'operation', payhook.console_operation_of(o))
		ELSE payhook.console_problem(detail) END;
	RETURN NEXT;
EXCEPTION
	WHEN SQLSTATE 'PH422' THEN
		GET STACKED DIAGNOSTICS detail = MESSAGE_TEXT, parameter = COLUMN_NAME;
		status := 422;
		body := payhook.console_problem(detail, parameter);
		RETURN NEXT;
END $$;

COMMENT ON FUNCTION payhook.console_cancel_operation(text, text, text, text) IS 'Cancels a running operation: docs/console-api.md';

-- The bytes may be personal data, so that they were read is on record.
CREATE FUNCTION payhook.console_payload(source text, id text, actor text, request_id text)
RETURNS TABLE (status int, body json, content_type text, bytes bytea)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	t payhook.transactions;
	detail text;
BEGIN
	SELECT x.* INTO t FROM payhook.transactions x WHERE x.transaction_id = console_payload.id AND x.source = console_payload.source;
	SELECT p.content_type, p.body INTO content_type, bytes FROM payhook.payloads p
	WHERE p.payload_id = t.payload_id AND p.received_at = t.payload_at;
	status := CASE WHEN bytes IS NULL THEN 404 ELSE 200 END;
	detail := CASE
		WHEN bytes IS NOT NULL THEN format('%s bytes', octet_length(bytes))
		WHEN t.transaction_id IS NULL THEN
			format('source %s has no transaction %s', payhook.console_quote(source), payhook.console_quote(id))
		WHEN t.payload_id IS NULL THEN 'its webhook was not kept: PAYLOADS_KEEP_DAYS was 0, it was imported, or it is of a version before'
		ELSE 'its webhook is not kept any more: PAYLOADS_KEEP_DAYS have passed, or it was erased' END;
	body := CASE WHEN bytes IS NULL THEN payhook.console_problem(detail) ELSE json_build_object('size', octet_length(bytes)) END;
	PERFORM payhook.record_action('payload', source, id, NULL, NULL, actor, request_id,
		CASE WHEN bytes IS NULL THEN 'nothing' ELSE 'done' END, detail);
	RETURN NEXT;
END $$;

COMMENT ON FUNCTION payhook.console_payload(text, text, text, text) IS 'The webhook of a transaction, byte for byte, and a record of the access: docs/console-api.md';

CREATE FUNCTION payhook.console_conflict_body(source text, id text, ordinal text, actor text, request_id text)
RETURNS TABLE (status int, body json, content_type text, bytes bytea)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	detail text;
BEGIN
	IF ordinal ~ '^[0-9]{1,2}$' THEN
		SELECT nullif(c.body, '') INTO bytes FROM payhook.transaction_conflicts c
		WHERE c.transaction_id = console_conflict_body.id AND c.source = console_conflict_body.source
			AND c.ordinal = console_conflict_body.ordinal::smallint;
	END IF;
	status := CASE WHEN bytes IS NULL THEN 404 ELSE 200 END;
	detail := CASE WHEN bytes IS NOT NULL THEN format('%s bytes of conflict %s', octet_length(bytes), ordinal)
		ELSE format('%s of source %s has no conflict %s with a body', payhook.console_quote(id), payhook.console_quote(source),
			payhook.console_quote(ordinal)) END;
	body := CASE WHEN bytes IS NULL THEN payhook.console_problem(detail) ELSE json_build_object('size', octet_length(bytes)) END;
	PERFORM payhook.record_action('conflict_body', source, id, NULL, NULL, actor, request_id,
		CASE WHEN bytes IS NULL THEN 'nothing' ELSE 'done' END, detail);
	RETURN NEXT;
END $$;

COMMENT ON FUNCTION payhook.console_conflict_body(text, text, text, text, text) IS 'The body of a conflict, byte for byte, and a record of the access: docs/console-api.md';
