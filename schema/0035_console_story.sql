-- What the console shows of one transaction, one payment, conflicts, auth failures, workers and actions.

-- The members of a body in payhook's own form that are compared with the stored ones, as {source_account, ...}; null: it is
-- another form.  A body of a sender's may hold whatever jsonb refuses.
CREATE FUNCTION payhook.console_offered(body bytea) RETURNS jsonb
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	read json;
	of jsonb;
BEGIN
	read := convert_from(body, 'UTF8')::json;
	IF json_typeof(read) <> 'object' OR read ->> 'transaction_id' IS NULL OR read ->> 'currency' IS NULL
		OR json_typeof(read -> 'amount') NOT IN ('number', 'string') THEN
		RETURN NULL;
	END IF;
	-- Longer ones are in no transaction, and a body of a provider's own form may have a megabyte here.
	of := jsonb_build_object('source_account', left(read ->> 'source_account', 256),
		'destination_account', left(read ->> 'destination_account', 256), 'amount', left(read ->> 'amount', 100),
		'currency', upper(left(read ->> 'currency', 100)));
	RETURN of;
EXCEPTION
	WHEN data_exception OR program_limit_exceeded THEN
		RETURN NULL;
END $$;

COMMENT ON FUNCTION payhook.console_offered(bytea) IS 'The members of a conflict''s body in payhook''s own form; null if it has another';

-- Whether two amounts in texts are one number; a text that is none is different.
CREATE FUNCTION payhook.console_same_amount(a text, b text) RETURNS boolean
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE WHEN a ~ '^-?[0-9]{1,18}(\.[0-9]{1,60})?$' AND b ~ '^-?[0-9]{1,18}(\.[0-9]{1,60})?$' THEN a::numeric = b::numeric
		ELSE a IS NOT DISTINCT FROM b END
$$;

COMMENT ON FUNCTION payhook.console_same_amount(text, text) IS 'Whether two amounts are one number';

CREATE FUNCTION payhook.console_conflict(c payhook.transaction_conflicts) RETURNS json
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	t payhook.transactions;
	offered jsonb := payhook.console_offered(c.body);
	stored jsonb;
BEGIN
	SELECT x.* INTO t FROM payhook.transactions x WHERE x.transaction_id = c.transaction_id AND x.source = c.source;
	stored := jsonb_build_object('source_account', t.source_account, 'destination_account', t.destination_account,
		'amount', t.amount::text, 'currency', t.currency);
	RETURN json_build_object('source', c.source, 'transaction_id', c.transaction_id, 'ordinal', c.ordinal, 'count', c.count,
		'unkept', c.unkept, 'first_seen', payhook.console_time(c.first_seen), 'last_seen', payhook.console_time(c.last_seen),
		'request_id', c.request_id, 'size', octet_length(c.body), 'sha256', encode(c.body_sha256, 'hex'),
		'is_erased', c.body = '', 'status', t.status, 'stored', stored, 'offered', offered, 'differs', (
			SELECT coalesce(json_agg(k ORDER BY k), '[]') FROM jsonb_object_keys(offered) k
			WHERE CASE k WHEN 'amount' THEN NOT payhook.console_same_amount(stored ->> k, offered ->> k)
				ELSE stored ->> k IS DISTINCT FROM offered ->> k END));
END $$;

COMMENT ON FUNCTION payhook.console_conflict(payhook.transaction_conflicts) IS 'A conflict as a row of the console''s list';

CREATE FUNCTION payhook.console_action(a payhook.operator_actions) RETURNS json
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT json_build_object('action_id', a.action_id, 'at', payhook.console_time(a.acted_at), 'actor', a.actor, 'via', a.via,
		'action', a.action, 'source', a.source, 'transaction_id', a.transaction_id, 'operation_id', a.operation_id,
		'reason', a.reason, 'request_id', a.request_id, 'outcome', a.outcome, 'detail', a.detail)
$$;

COMMENT ON FUNCTION payhook.console_action(payhook.operator_actions) IS 'A record as a row of the console''s list';

-- State and sums are those of all events of the payment, the list has the newest 100; in the order of payhook.payment_state().
CREATE FUNCTION payhook.console_payment_of(of_source text, of_payment text) RETURNS json
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT json_build_object('payment_id', p.payment_id, 'source', p.source, 'currency', p.currency, 'state', p.state,
		'sums', p.sums, 'anomalies', to_json(p.anomalies), 'events_total', p.events,
		'first_at', payhook.console_time(p.first_at), 'last_at', payhook.console_time(p.last_at), 'events', (
			SELECT json_agg(jsonb_build_object('part', e.part, 'is_total', coalesce(e.is_total, false))
				|| payhook.console_item(e.transaction_id, e.source)::jsonb ORDER BY e.age DESC)
			FROM (SELECT t.transaction_id, t.source, t.part, t.is_total, row_number() OVER (ORDER BY t.occurred_at DESC NULLS LAST,
					array_position('{pending,authorised,captured,capture_failed,canceled,expired,failed,refunded,refund_failed,dispute_notice,disputed,dispute_won,dispute_lost,paid_out,other}'::text[], t.kind)
					DESC NULLS LAST, t.transaction_id COLLATE "C" DESC) AS age
				FROM payhook.transactions t WHERE t.payment_id = of_payment AND t.source = of_source ORDER BY age LIMIT 100) e))
	FROM (SELECT x.* FROM payhook.payments x WHERE x.payment_id = of_payment AND x.source = of_source LIMIT 1) p
$$;

COMMENT ON FUNCTION payhook.console_payment_of(text, text) IS 'A payment as the console shows it; null if there is none';

CREATE FUNCTION payhook.console_payment(source text, id text) RETURNS TABLE (status int, body json)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	status := 200;
	body := payhook.console_payment_of(source, id);
	IF body IS NULL THEN
		status := 404;
		body := payhook.console_problem(format('source %s has no payment %s', payhook.console_quote(source), payhook.console_quote(id)));
	END IF;
	RETURN NEXT;
END $$;

COMMENT ON FUNCTION payhook.console_payment(text, text) IS 'The console''s answer about one payment: docs/console-api.md';

-- The job of a transaction, wherever it is; null: it has none.  jobs has no index by transaction, as every claim would have to
-- change it: a job is found among the oldest and newest 20,000, and in its lane.  Parked jobs are found by their lane.
CREATE FUNCTION payhook.console_job(t payhook.transactions, of_lane bigint) RETURNS json
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT json_build_object('state', CASE WHEN j.owner IS NOT NULL THEN 'claimed' WHEN j.run_at = 'infinity' THEN 'held'
			WHEN j.run_at IS NOT NULL THEN 'waiting' ELSE 'ready' END,
		'attempt', j.attempt, 'enqueued_at', payhook.console_time(j.enqueued_at), 'run_at', payhook.console_time(j.run_at),
		'claimed_at', payhook.console_time(j.claimed_at), 'worker_host', w.host, 'worker_pid', w.pid, 'last_error', j.last_error,
		'behind', NULL, 'trace_id', substr(j.traceparent, 4, 32))
	FROM (
		SELECT * FROM (SELECT x.* FROM payhook.jobs x WHERE of_lane IS NOT NULL AND x.lane = of_lane) l
		UNION ALL SELECT * FROM (SELECT x.* FROM payhook.jobs x WHERE of_lane IS NULL ORDER BY x.id LIMIT 20000) o
		UNION ALL SELECT * FROM (SELECT x.* FROM payhook.jobs x WHERE of_lane IS NULL ORDER BY x.id DESC LIMIT 20000) n
		UNION ALL SELECT * FROM (SELECT x.* FROM payhook.jobs x WHERE of_lane IS NULL AND x.run_at IS NOT NULL ORDER BY x.run_at LIMIT 20000) r
	) j LEFT JOIN payhook.workers w ON w.owner = j.owner
	WHERE j.transaction_id = t.transaction_id AND j.source = t.source
	UNION ALL
	SELECT json_build_object('state', 'parked', 'attempt', 0, 'enqueued_at', payhook.console_time(p.enqueued_at), 'run_at', NULL,
		'claimed_at', NULL, 'worker_host', NULL, 'worker_pid', NULL, 'last_error', NULL, 'behind', (
			SELECT x.transaction_id FROM (
				SELECT j.transaction_id, -1 AS lane_no FROM payhook.jobs j WHERE j.lane = of_lane
				UNION ALL SELECT q.transaction_id, q.lane_no FROM payhook.parked_jobs q WHERE q.lane = of_lane AND q.lane_no < p.lane_no) x
			ORDER BY x.lane_no LIMIT 1), 'trace_id', substr(p.traceparent, 4, 32))
	FROM payhook.parked_jobs p WHERE p.lane = of_lane AND p.transaction_id = t.transaction_id AND p.source = t.source
	LIMIT 1
$$;

COMMENT ON FUNCTION payhook.console_job(payhook.transactions, bigint) IS 'The job of a transaction as the console shows it; null: none was found';

CREATE FUNCTION payhook.console_attempts(of_id text, of_source text) RETURNS json
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT coalesce(json_agg(json_build_object('attempt', a.attempt, 'started_at', payhook.console_time(a.started_at),
		'finished_at', payhook.console_time(a.finished_at), 'duration_ms', payhook.console_ms(a.finished_at - a.started_at),
		'outcome', a.outcome, 'error', a.error, 'worker', a.worker::text, 'worker_host', w.host) ORDER BY a.finished_at, a.attempt), '[]')
	FROM (SELECT x.* FROM payhook.job_attempts x WHERE x.transaction_id = of_id AND x.source = of_source
		ORDER BY x.finished_at DESC LIMIT 100) a
	LEFT JOIN payhook.workers w ON w.owner = a.worker
$$;

COMMENT ON FUNCTION payhook.console_attempts(text, text) IS 'The newest 100 attempts of a transaction as the console shows them';

-- As forget() leaves it.  The processor would be called with the placeholder for the account.
CREATE FUNCTION payhook.console_is_erased(t payhook.transactions) RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT coalesce('(erased)' IN (t.source_account, t.destination_account), false) $$;

COMMENT ON FUNCTION payhook.console_is_erased(payhook.transactions) IS 'Whether an account of the transaction was erased';

CREATE FUNCTION payhook.console_transaction(source text, id text) RETURNS TABLE (status int, body json)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan
SET enable_seqscan = off
SET jit = off
AS $$
DECLARE
	t payhook.transactions;
	dead payhook.dead_jobs;
	job json;
	lane bigint;
BEGIN
	SELECT x.* INTO t FROM payhook.transactions x WHERE x.transaction_id = console_transaction.id AND x.source = console_transaction.source;
	IF t.transaction_id IS NULL THEN
		status := 404;
		body := payhook.console_problem(format('source %s has no transaction %s', payhook.console_quote(source), payhook.console_quote(id)));
		RETURN NEXT;
		RETURN;
	END IF;
	SELECT d.* INTO dead FROM payhook.dead_jobs d WHERE d.transaction_id = t.transaction_id AND d.source = t.source;
	-- Only what waits in a lane at this moment belongs to it; a payment in no order has none there.
	lane := payhook.lane_of(t.source, t.payment_id);
	job := payhook.console_job(t, lane);
	IF job IS NULL AND t.status = 'PROCESSING' THEN
		job := payhook.console_job(t, NULL);
	END IF;
	status := 200;
	body := json_build_object(
		'transaction', payhook.console_item(t.transaction_id, t.source)::jsonb || jsonb_build_object('part', t.part,
			'is_total', coalesce(t.is_total, false), 'trace_id', coalesce(job ->> 'trace_id', substr(dead.traceparent, 4, 32))),
		'job', job,
		'dead', CASE WHEN dead.transaction_id IS NOT NULL THEN json_build_object('attempts', dead.attempts, 'error', dead.error,
			'enqueued_at', payhook.console_time(dead.enqueued_at), 'died_at', payhook.console_time(dead.died_at)) END,
		'attempts', payhook.console_attempts(t.transaction_id, t.source),
		'attempts_total', (SELECT count(*) FROM (SELECT FROM payhook.job_attempts a
			WHERE a.transaction_id = t.transaction_id AND a.source = t.source LIMIT 1000) a),
		'conflicts', (SELECT coalesce(json_agg(payhook.console_conflict(c) ORDER BY c.ordinal), '[]')
			FROM payhook.transaction_conflicts c WHERE c.transaction_id = t.transaction_id AND c.source = t.source),
		'payment', CASE WHEN t.payment_id IS NOT NULL THEN payhook.console_payment_of(t.source, t.payment_id) END,
		'payload', (SELECT json_build_object('size', octet_length(p.body), 'sha256', encode(sha256(p.body), 'hex'),
				'received_at', payhook.console_time(p.received_at), 'request_id', replace(p.request_id::text, '-', ''),
				'content_type', p.content_type)
			FROM payhook.payloads p WHERE p.payload_id = t.payload_id AND p.received_at = t.payload_at),
		'actions', (SELECT coalesce(json_agg(payhook.console_action(a) ORDER BY a.action_id DESC), '[]')
			FROM (SELECT x.* FROM payhook.operator_actions x
				WHERE x.transaction_id = t.transaction_id AND x.source = t.source ORDER BY x.action_id DESC LIMIT 50) a),
		'may', json_build_object('retry', dead.transaction_id IS NOT NULL AND t.status = 'FAILED',
			'retry_processed', t.status = 'PROCESSED' AND NOT payhook.console_is_erased(t), 'skip', coalesce(job ->> 'state' = 'held', false)));
	RETURN NEXT;
END $$;

COMMENT ON FUNCTION payhook.console_transaction(text, text) IS 'The whole story of one transaction: docs/console-api.md';

-- ---- lists ----

CREATE FUNCTION payhook.console_conflicts(source text, id text, cursor text, max_rows text) RETURNS TABLE (status int, body json)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan
SET enable_seqscan = off
SET enable_bitmapscan = off
SET jit = off
AS $$
DECLARE
	most int;
	key text[];
	key_at timestamptz;
	hit record;
	data json[] := '{}';
	next text;
	has_more boolean := false;
	is_cut boolean := false;
	parameter text;
	detail text;
BEGIN
	most := coalesce(payhook.console_number(max_rows, 'limit', 1, 200), 50);
	source := payhook.console_text(source, 'source');
	id := payhook.console_text(id, 'id');
	key := payhook.console_key(cursor, 'conflicts', 4);
	key_at := payhook.console_from_us(key[1]);
	IF key[4] !~ '^[0-9]{1,2}$' THEN
		PERFORM payhook.console_wrong('cursor', 'cursor is not one of this list; begin without');
	END IF;
	FOR hit IN
		SELECT e.c, e.place = 100000 AS is_last, e.is_match FROM (
			SELECT x AS c, row_number() OVER (ORDER BY x.first_seen DESC, x.transaction_id COLLATE "C" DESC,
					x.source COLLATE "C" DESC, x.ordinal DESC) AS place,
				console_conflicts.source IS NULL OR x.source = console_conflicts.source AS is_match
			FROM payhook.transaction_conflicts x
			WHERE (console_conflicts.id IS NULL OR x.transaction_id = console_conflicts.id)
				AND (key_at IS NULL OR (x.first_seen <= key_at
					AND (x.first_seen, x.transaction_id COLLATE "C", x.source COLLATE "C", x.ordinal)
						< (key_at, key[2] COLLATE "C", key[3] COLLATE "C", key[4]::smallint)))
			ORDER BY x.first_seen DESC, x.transaction_id COLLATE "C" DESC, x.source COLLATE "C" DESC, x.ordinal DESC LIMIT 100000
		) e WHERE e.is_match OR e.place = 100000 LIMIT most + 1
	LOOP
		has_more := cardinality(data) = most;
		EXIT WHEN has_more;
		IF hit.is_match THEN
			data := data || payhook.console_conflict(hit.c);
		END IF;
		is_cut := hit.is_last;
		next := payhook.console_cursor('conflicts', payhook.console_us((hit.c).first_seen), (hit.c).transaction_id, (hit.c).source,
			(hit.c).ordinal::text);
	END LOOP;
	status := 200;
	body := payhook.console_list(data, CASE WHEN has_more OR is_cut THEN next END, is_cut AND NOT has_more);
	RETURN NEXT;
EXCEPTION
	WHEN SQLSTATE 'PH422' THEN
		GET STACKED DIAGNOSTICS detail = MESSAGE_TEXT, parameter = COLUMN_NAME;
		status := 422;
		body := payhook.console_problem(detail, parameter);
		RETURN NEXT;
END $$;

COMMENT ON FUNCTION payhook.console_conflicts(text, text, text, text) IS 'The console''s list of conflicts: docs/console-api.md';

-- The table has 10,000 rows at most.
CREATE FUNCTION payhook.console_auth_failures(source text, cause text, cursor text, max_rows text)
RETURNS TABLE (status int, body json)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	most int;
	key text[];
	hit payhook.rejected_requests;
	data json[] := '{}';
	next text;
	has_more boolean := false;
	parameter text;
	detail text;
BEGIN
	most := coalesce(payhook.console_number(max_rows, 'limit', 1, 200), 50);
	source := payhook.console_text(source, 'source');
	cause := payhook.console_text(cause, 'cause');
	key := payhook.console_key(cursor, 'auth-failures', 1);
	IF key[1] !~ '^[0-9]{1,18}$' THEN
		PERFORM payhook.console_wrong('cursor', 'cursor is not one of this list; begin without');
	END IF;
	FOR hit IN
		SELECT x.* FROM payhook.rejected_requests x
		WHERE (console_auth_failures.source IS NULL OR x.source = console_auth_failures.source)
			AND (console_auth_failures.cause IS NULL OR x.cause = console_auth_failures.cause) AND (key IS NULL OR x.id < key[1]::bigint)
		ORDER BY x.id DESC LIMIT most + 1
	LOOP
		has_more := cardinality(data) = most;
		EXIT WHEN has_more;
		data := data || json_build_object('failed_at', payhook.console_time(hit.rejected_at), 'source', hit.source,
			'cause', hit.cause, 'detail', hit.detail, 'skew_s', hit.skew_s, 'address', hit.address, 'request_id', hit.request_id);
		next := payhook.console_cursor('auth-failures', hit.id::text);
	END LOOP;
	status := 200;
	body := json_build_object('data', array_to_json(data), 'next', CASE WHEN has_more THEN next END, 'truncated', false,
		'summary', CASE WHEN key IS NULL THEN (
			SELECT coalesce(json_agg(s ORDER BY s.failures DESC), '[]') FROM (
				SELECT x.source, x.cause, count(*) AS failures, count(DISTINCT x.address) AS addresses,
					payhook.console_time(max(x.rejected_at)) AS last_at
				FROM payhook.rejected_requests x WHERE x.rejected_at > now() - interval '1 hour' GROUP BY 1, 2) s) END);
	RETURN NEXT;
EXCEPTION
	WHEN SQLSTATE 'PH422' THEN
		GET STACKED DIAGNOSTICS detail = MESSAGE_TEXT, parameter = COLUMN_NAME;
		status := 422;
		body := payhook.console_problem(detail, parameter);
		RETURN NEXT;
END $$;

COMMENT ON FUNCTION payhook.console_auth_failures(text, text, text, text) IS 'The console''s list of auth failures: docs/console-api.md';

-- No row is ever deleted, so a part examines 100,000 at most.
CREATE FUNCTION payhook.console_actions(source text, id text, actor text, action text, cursor text, max_rows text)
RETURNS TABLE (status int, body json)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan
SET enable_seqscan = off
SET enable_bitmapscan = off
SET jit = off
AS $$
DECLARE
	most int;
	key text[];
	hit record;
	data json[] := '{}';
	next text;
	has_more boolean := false;
	is_cut boolean := false;
	parameter text;
	detail text;
BEGIN
	most := coalesce(payhook.console_number(max_rows, 'limit', 1, 200), 50);
	key := payhook.console_key(cursor, 'actions', 1);
	IF key[1] !~ '^[0-9]{1,18}$' THEN
		PERFORM payhook.console_wrong('cursor', 'cursor is not one of this list; begin without');
	END IF;
	FOR hit IN
		SELECT e.a, e.place = 100000 AS is_last, e.is_match FROM (
			SELECT x AS a, row_number() OVER (ORDER BY x.action_id DESC) AS place, coalesce(
				(coalesce(console_actions.source, '') = '' OR x.source = console_actions.source)
				AND (coalesce(console_actions.actor, '') = '' OR x.actor = console_actions.actor)
				AND (coalesce(console_actions.action, '') = '' OR x.action = console_actions.action), false) AS is_match
			FROM payhook.operator_actions x
			WHERE (coalesce(console_actions.id, '') = '' OR x.transaction_id = console_actions.id)
				AND (key IS NULL OR x.action_id < key[1]::bigint)
			ORDER BY x.action_id DESC LIMIT 100000
		) e WHERE e.is_match OR e.place = 100000 LIMIT most + 1
	LOOP
		has_more := cardinality(data) = most;
		EXIT WHEN has_more;
		IF hit.is_match THEN
			data := data || payhook.console_action(hit.a);
		END IF;
		is_cut := hit.is_last;
		next := payhook.console_cursor('actions', (hit.a).action_id::text);
	END LOOP;
	status := 200;
	body := payhook.console_list(data, CASE WHEN has_more OR is_cut THEN next END, is_cut AND NOT has_more);
	RETURN NEXT;
EXCEPTION
	WHEN SQLSTATE 'PH422' THEN
		GET STACKED DIAGNOSTICS detail = MESSAGE_TEXT, parameter = COLUMN_NAME;
		status := 422;
		body := payhook.console_problem(detail, parameter);
		RETURN NEXT;
END $$;

COMMENT ON FUNCTION payhook.console_actions(text, text, text, text, text, text) IS 'The console''s list of what operators did: docs/console-api.md';
