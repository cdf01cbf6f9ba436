-- An operation is one act on many transactions.  Its members are fixed when it starts; the workers carry it out, a batch at a time,
-- and where it stands is in its row: whatever dies, the next call goes on.

CREATE TABLE payhook.operations (
	operation_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	action text NOT NULL CONSTRAINT operations_action_known CHECK (action IN ('retry')),
	filter jsonb NOT NULL,
	actor text NOT NULL,
	reason text NOT NULL,
	request_id text,
	created_at timestamptz NOT NULL DEFAULT now(),
	rate int NOT NULL CONSTRAINT operations_rate_bounded CHECK (rate BETWEEN 1 AND 2000),
	total int NOT NULL,
	handled int NOT NULL DEFAULT 0,
	retried int NOT NULL DEFAULT 0,
	left_over boolean NOT NULL DEFAULT false,
	state text NOT NULL DEFAULT 'running' CONSTRAINT operations_state_known CHECK (state IN ('running', 'done', 'canceled')),
	stepped_at timestamptz NOT NULL DEFAULT now(),
	finished_at timestamptz,
	CONSTRAINT operations_handled_bounded CHECK (handled BETWEEN 0 AND total AND retried BETWEEN 0 AND handled),
	CONSTRAINT operations_finished_has_time CHECK ((state = 'running') = (finished_at IS NULL))
);

CREATE INDEX operations_running ON payhook.operations (operation_id) WHERE state = 'running';

COMMENT ON TABLE payhook.operations IS 'Acts on many transactions, with their progress';
COMMENT ON COLUMN payhook.operations.operation_id IS 'The newest has the highest';
COMMENT ON COLUMN payhook.operations.action IS 'retry: FAILED transactions are brought back to PROCESSING';
COMMENT ON COLUMN payhook.operations.filter IS 'What the operator asked for; of a list of transactions only how many, and of an account only that it was named';
COMMENT ON COLUMN payhook.operations.actor IS 'The operator: the name of a key or a database user';
COMMENT ON COLUMN payhook.operations.reason IS 'As the operator gave it';
COMMENT ON COLUMN payhook.operations.request_id IS 'The id of the request that started it; null: none did';
COMMENT ON COLUMN payhook.operations.created_at IS 'When it was started, and its members were fixed';
COMMENT ON COLUMN payhook.operations.rate IS 'Members a second, over all workers';
COMMENT ON COLUMN payhook.operations.total IS 'How many members it has';
COMMENT ON COLUMN payhook.operations.handled IS 'How many of them had their turn: those up to this ordinal';
COMMENT ON COLUMN payhook.operations.retried IS 'How many of these were brought back; the others were not FAILED any more';
COMMENT ON COLUMN payhook.operations.left_over IS 'True: more transactions matched than one operation takes';
COMMENT ON COLUMN payhook.operations.state IS 'running, done or canceled';
COMMENT ON COLUMN payhook.operations.stepped_at IS 'When its last batch was done';
COMMENT ON COLUMN payhook.operations.finished_at IS 'When it was done or canceled; null while it runs';

-- No foreign key: 100,000 checks of one row would take as long as the rest of a start.  No row of operations is ever deleted.
CREATE TABLE payhook.operation_members (
	operation_id bigint NOT NULL,
	ordinal int NOT NULL,
	transaction_id text NOT NULL,
	source text NOT NULL,
	CONSTRAINT operation_members_pkey PRIMARY KEY (operation_id, ordinal)
);

COMMENT ON TABLE payhook.operation_members IS 'The transactions of each operation, in the order of their turns; kept for 30 days after its end';
COMMENT ON COLUMN payhook.operation_members.operation_id IS 'The operation';
COMMENT ON COLUMN payhook.operation_members.ordinal IS 'The place in it, from 1';
COMMENT ON COLUMN payhook.operation_members.transaction_id IS 'With source: the transaction';
COMMENT ON COLUMN payhook.operation_members.source IS 'With transaction_id: the transaction';

-- Brings these dead jobs back and returns how many, as retry_dead() does with one.  Dead jobs are locked in the order of their keys,
-- so two calls do not deadlock; and before transactions, as everywhere.
CREATE FUNCTION payhook.retry_members(ids text[], sources text[]) RETURNS bigint
LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
	WITH dead AS MATERIALIZED (
		SELECT d.transaction_id, d.source FROM (SELECT g.* FROM unnest(ids, sources) AS g(transaction_id, source)
			ORDER BY g.transaction_id COLLATE "C", g.source COLLATE "C") m
		CROSS JOIN LATERAL (SELECT x.transaction_id, x.source FROM payhook.dead_jobs x
			WHERE x.transaction_id = m.transaction_id AND x.source = m.source FOR UPDATE) d
	), raised AS (
		DELETE FROM payhook.dead_jobs d USING dead k WHERE d.transaction_id = k.transaction_id AND d.source = k.source
		RETURNING d.transaction_id, d.source, d.traceparent, d.lane, d.lane_no
	), again AS (
		UPDATE payhook.transactions t SET status = 'PROCESSING', failure = NULL FROM raised r
		WHERE t.transaction_id = r.transaction_id AND t.source = r.source AND t.status = 'FAILED'
		RETURNING t.transaction_id, t.source, r.traceparent, r.lane, r.lane_no
	), held AS (
		UPDATE payhook.jobs j SET id = DEFAULT, run_at = NULL, attempt = 0, enqueued_at = now(), last_error = NULL FROM again a
		WHERE j.lane = a.lane AND j.lane_no = a.lane_no AND j.run_at = 'infinity' AND j.owner IS NULL
		RETURNING j.lane_no
	), queued AS (
		INSERT INTO payhook.jobs (transaction_id, source, traceparent)
		SELECT a.transaction_id, a.source, a.traceparent FROM again a WHERE a.lane IS NULL
	), parked AS (
		INSERT INTO payhook.parked_jobs (lane, lane_no, transaction_id, source, traceparent, continues)
		SELECT a.lane, a.lane_no, a.transaction_id, a.source, a.traceparent, true FROM again a
		WHERE a.lane IS NOT NULL AND a.lane_no NOT IN (SELECT h.lane_no FROM held h)
	)
	SELECT count(*) FROM again
$$;

COMMENT ON FUNCTION payhook.retry_members(text[], text[]) IS 'Brings these dead jobs back; operations call it';

-- Does the next batch of one operation, and returns in how many milliseconds a further one is due: null if none runs.  A batch has as
-- many members as the rate allows for the time since the last, a second at most, so that the rate is that of all workers together.
--
-- By two workers at once: the second passes over the locked row.  A batch and the progress are one transaction: a worker that dies
-- has done all of it or nothing.  A member that is not FAILED any more is passed over.
CREATE FUNCTION payhook.run_operations() RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '1s'
AS $$
DECLARE
	o payhook.operations;
	upto int;
	ids text[];
	sources text[];
	done bigint;
BEGIN
	SELECT x.* INTO o FROM payhook.operations x WHERE x.state = 'running' ORDER BY x.stepped_at, x.operation_id LIMIT 1
	FOR UPDATE SKIP LOCKED;
	IF NOT FOUND THEN
		DELETE FROM payhook.operation_members m WHERE (m.operation_id, m.ordinal) IN (
			SELECT y.operation_id, y.ordinal FROM payhook.operation_members y JOIN payhook.operations x USING (operation_id)
			WHERE x.finished_at < now() - interval '30 days' ORDER BY y.operation_id, y.ordinal LIMIT 1000);
		RETURN (SELECT 250 FROM payhook.operations x WHERE x.state = 'running' LIMIT 1);
	END IF;
	-- clock_timestamp(), since the row may have been locked by the batch before.
	upto := least(o.total, o.handled + floor(o.rate * least(greatest(extract(epoch FROM clock_timestamp() - o.stepped_at), 0), 1))::int);
	IF upto = o.handled AND o.handled < o.total THEN
		RETURN 250;
	END IF;
	SELECT coalesce(array_agg(m.transaction_id), '{}'), coalesce(array_agg(m.source), '{}') INTO ids, sources
	FROM payhook.operation_members m WHERE m.operation_id = o.operation_id AND m.ordinal > o.handled AND m.ordinal <= upto;
	done := payhook.retry_members(ids, sources);
	UPDATE payhook.operations x SET handled = upto, retried = x.retried + done, stepped_at = clock_timestamp(),
		state = CASE WHEN upto = x.total THEN 'done' ELSE 'running' END,
		finished_at = CASE WHEN upto = x.total THEN clock_timestamp() END
	WHERE x.operation_id = o.operation_id;
	IF done > 0 THEN
		PERFORM pg_notify('jobs', '');
	END IF;
	RETURN 250;
END $$;

COMMENT ON FUNCTION payhook.run_operations() IS 'Does the next batch of an operation; returns in how many milliseconds a further one is due, null if none runs.  The workers call it';

CREATE FUNCTION payhook.console_operation_of(o payhook.operations) RETURNS json
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT json_build_object('operation_id', o.operation_id, 'action', o.action, 'filter', o.filter, 'state', o.state, 'actor', o.actor,
		'reason', o.reason, 'request_id', o.request_id, 'created_at', payhook.console_time(o.created_at),
		'finished_at', payhook.console_time(o.finished_at), 'rate', o.rate, 'total', o.total, 'handled', o.handled,
		'retried', o.retried, 'skipped', o.handled - o.retried, 'left_over', o.left_over)
$$;

COMMENT ON FUNCTION payhook.console_operation_of(payhook.operations) IS 'An operation as the console shows it';

CREATE FUNCTION payhook.console_operation(operation text) RETURNS TABLE (status int, body json)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	o payhook.operations;
BEGIN
	IF operation ~ '^[0-9]{1,18}$' THEN
		SELECT x.* INTO o FROM payhook.operations x WHERE x.operation_id = operation::bigint;
	END IF;
	status := CASE WHEN o.operation_id IS NULL THEN 404 ELSE 200 END;
	body := CASE status WHEN 200 THEN payhook.console_operation_of(o)
		ELSE payhook.console_problem(format('there is no operation %s', payhook.console_quote(operation))) END;
	RETURN NEXT;
END $$;

COMMENT ON FUNCTION payhook.console_operation(text) IS 'The console''s answer about one operation: docs/console-api.md';

CREATE FUNCTION payhook.console_operations(cursor text, max_rows text) RETURNS TABLE (status int, body json)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	most int;
	key text[];
	hit payhook.operations;
	data json[] := '{}';
	next text;
	has_more boolean := false;
	parameter text;
	detail text;
BEGIN
	most := coalesce(payhook.console_number(max_rows, 'limit', 1, 200), 50);
	key := payhook.console_key(cursor, 'operations', 1);
	IF key[1] !~ '^[0-9]{1,18}$' THEN
		PERFORM payhook.console_wrong('cursor', 'cursor is not one of this list; begin without');
	END IF;
	FOR hit IN SELECT x.* FROM payhook.operations x WHERE key IS NULL OR x.operation_id < key[1]::bigint
		ORDER BY x.operation_id DESC LIMIT most + 1
	LOOP
		has_more := cardinality(data) = most;
		EXIT WHEN has_more;
		data := data || payhook.console_operation_of(hit);
		next := payhook.console_cursor('operations', hit.operation_id::text);
	END LOOP;
	status := 200;
	body := payhook.console_list(data, CASE WHEN has_more THEN next END, false);
	RETURN NEXT;
EXCEPTION
	WHEN SQLSTATE 'PH422' THEN
		GET STACKED DIAGNOSTICS detail = MESSAGE_TEXT, parameter = COLUMN_NAME;
		status := 422;
		body := payhook.console_problem(detail, parameter);
		RETURN NEXT;
END $$;

COMMENT ON FUNCTION payhook.console_operations(text, text) IS 'The console''s list of operations: docs/console-api.md';

-- The transactions that an operation with this filter would have, those that failed first before others; one more than it takes, so
-- that the caller sees that there are more.
CREATE FUNCTION payhook.console_members(f payhook.console_filter, ids text[], sources text[], most int)
RETURNS TABLE (id text, of_source text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan
SET jit = off
AS $$
BEGIN
	IF ids IS NOT NULL THEN
		RETURN QUERY SELECT DISTINCT d.transaction_id, d.source FROM unnest(ids, sources) AS m(id, source)
		JOIN payhook.dead_jobs d ON d.transaction_id = m.id AND d.source = m.source;
	ELSIF f.kind IS NULL AND f.account IS NULL AND f.currency IS NULL AND f.amount_min IS NULL AND f.amount_max IS NULL THEN
		RETURN QUERY SELECT d.transaction_id, d.source FROM payhook.dead_jobs d
		WHERE (f.source IS NULL OR d.source = f.source) AND (f.from_at IS NULL OR d.died_at >= f.from_at)
			AND (f.to_at IS NULL OR d.died_at < f.to_at) AND (f.error IS NULL OR position(f.error IN lower(d.error)) > 0)
		ORDER BY d.died_at LIMIT most + 1;
	ELSE
		RETURN QUERY SELECT d.transaction_id, d.source FROM payhook.dead_jobs d
		JOIN payhook.transactions t ON t.transaction_id = d.transaction_id AND t.source = d.source
		WHERE (f.source IS NULL OR d.source = f.source) AND (f.from_at IS NULL OR d.died_at >= f.from_at)
			AND (f.to_at IS NULL OR d.died_at < f.to_at) AND (f.error IS NULL OR position(f.error IN lower(d.error)) > 0)
			AND (f.kind IS NULL OR t.kind = f.kind) AND (f.currency IS NULL OR t.currency = f.currency)
			AND (f.account IS NULL OR t.source_account = f.account OR t.destination_account = f.account)
			AND (f.amount_min IS NULL OR t.amount >= f.amount_min) AND (f.amount_max IS NULL OR t.amount <= f.amount_max)
		ORDER BY d.died_at LIMIT most + 1;
	END IF;
END $$;

COMMENT ON FUNCTION payhook.console_members(payhook.console_filter, text[], text[], int) IS 'The transactions that an operation with this filter would have';

-- The filter of an operation, read from JSON; f_ids and f_sources are null unless it is a list of transactions.
CREATE FUNCTION payhook.console_read_members(filter text, OUT f payhook.console_filter, OUT ids text[], OUT sources text[], OUT shown jsonb)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	members text[] := '{source,kind,account,currency,amount_min,amount_max,from,to,error,transactions}';
	wrong text;
BEGIN
	BEGIN
		shown := coalesce(nullif(filter, ''), '{}')::jsonb;
	EXCEPTION
		WHEN data_exception OR program_limit_exceeded THEN
			PERFORM payhook.console_wrong('filter', 'filter is not JSON');
	END;
	IF jsonb_typeof(shown) <> 'object' THEN
		PERFORM payhook.console_wrong('filter', 'filter is no object');
	END IF;
	SELECT min(k) INTO wrong FROM jsonb_object_keys(shown) k WHERE NOT k = ANY (members);
	IF wrong IS NOT NULL THEN
		PERFORM payhook.console_wrong('filter', format('filter has the member %s: it may have %s', payhook.console_quote(wrong),
			array_to_string(members, ', ')));
	END IF;
	SELECT min(m.key) INTO wrong FROM jsonb_each(shown) m WHERE m.key <> 'transactions' AND jsonb_typeof(m.value) NOT IN ('string', 'number', 'null');
	IF wrong IS NOT NULL THEN
		PERFORM payhook.console_wrong('filter', format('filter has a %s that is no text', wrong));
	END IF;
	shown := jsonb_strip_nulls(shown);
	SELECT coalesce(jsonb_object_agg(m.key, m.value), '{}') INTO shown FROM jsonb_each(shown) m WHERE m.value <> '""';
	IF shown = '{}' THEN
		PERFORM payhook.console_wrong('filter', 'filter is empty: name at least one member, so that not everything is meant by mistake');
	END IF;
	f := payhook.console_read_filter(shown ->> 'source', NULL, shown ->> 'kind', shown ->> 'account', shown ->> 'currency',
		shown ->> 'amount_min', shown ->> 'amount_max', shown ->> 'from', shown ->> 'to', shown ->> 'error');
	IF shown ? 'account' THEN
		-- A person's data, which forget() would not find in a record.
		shown := shown || '{"account": "(not kept)"}';
	END IF;
	IF shown ? 'transactions' THEN
		IF jsonb_typeof(shown -> 'transactions') <> 'array' OR jsonb_array_length(shown -> 'transactions') NOT BETWEEN 1 AND 1000
			OR shown - 'transactions' <> '{}' THEN
			PERFORM payhook.console_wrong('filter', 'transactions is a list of 1 to 1,000, beside which there is no other member');
		END IF;
		IF EXISTS (SELECT FROM jsonb_array_elements(shown -> 'transactions') t
			WHERE jsonb_typeof(t -> 'transaction_id') IS DISTINCT FROM 'string' OR jsonb_typeof(t -> 'source') IS DISTINCT FROM 'string') THEN
			-- A number of a few digits, 1e130000, would be a text of 130 kB.
			PERFORM payhook.console_wrong('filter', 'each of transactions has a source and a transaction_id, which are texts');
		END IF;
		SELECT array_agg(t ->> 'transaction_id'), array_agg(t ->> 'source') INTO ids, sources
		FROM jsonb_array_elements(shown -> 'transactions') t;
		shown := jsonb_build_object('transactions', cardinality(ids));
	END IF;
END $$;

COMMENT ON FUNCTION payhook.console_read_members(text) IS 'Reads the filter of an operation, or raises PH422';

CREATE FUNCTION payhook.console_reason(reason text, is_required boolean) RETURNS text
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF is_required AND coalesce(reason, '') !~ '[^[:space:]]' THEN
		PERFORM payhook.console_wrong('reason', 'reason is missing: it goes on record');
	END IF;
	IF char_length(reason) > 500 THEN
		PERFORM payhook.console_wrong('reason', format('reason has %s characters: 500 at most', char_length(reason)));
	END IF;
	RETURN nullif(reason, '');
END $$;

COMMENT ON FUNCTION payhook.console_reason(text, boolean) IS 'The reason of an act, or PH422';

CREATE FUNCTION payhook.console_start_operation(action text, filter text, dry_run text, rate text, reason text, actor text,
	request_id text) RETURNS TABLE (status int, body json)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	most CONSTANT int := 100000;
	asked record;
	o payhook.operations;
	record_id bigint;
	number int;
	parameter text;
	detail text;
BEGIN
	IF coalesce(payhook.console_choice(action, 'action', '{retry}'), '') = '' THEN
		PERFORM payhook.console_wrong('action', 'action is missing: it is retry');
	END IF;
	dry_run := payhook.console_choice(dry_run, 'dry_run', '{true,false}');
	asked := payhook.console_read_members(filter);
	IF dry_run = 'true' THEN
		SELECT count(*), json_build_object('dry_run', true, 'total', least(count(*), most), 'left_over', count(*) > most, 'data',
			coalesce((SELECT json_agg(payhook.console_item(x.id, x.of_source)) FROM (
				SELECT y.* FROM payhook.console_members(asked.f, asked.ids, asked.sources, 19) y LIMIT 20) x), '[]'))
		INTO number, body FROM payhook.console_members(asked.f, asked.ids, asked.sources, most) m;
		status := 200;
		RETURN NEXT;
		RETURN;
	END IF;
	reason := payhook.console_reason(reason, true);
	INSERT INTO payhook.operations (action, filter, actor, reason, request_id, rate, total)
	VALUES (action, asked.shown, payhook.actor_of(actor), reason, nullif(left(request_id, 64), ''),
		coalesce(payhook.console_number(rate, 'rate', 1, 2000), 200)::int, 0) RETURNING * INTO o;
	INSERT INTO payhook.operation_members (operation_id, ordinal, transaction_id, source)
	SELECT o.operation_id, row_number() OVER (), m.id, m.of_source
	FROM (SELECT y.* FROM payhook.console_members(asked.f, asked.ids, asked.sources, most) y LIMIT most) m;
	GET DIAGNOSTICS number = ROW_COUNT;
	IF number = 0 THEN
		-- Nothing to carry out; the row goes with the subtransaction of this block.
		RAISE EXCEPTION USING ERRCODE = 'PH409';
	END IF;
	UPDATE payhook.operations x SET total = number, left_over = number = most AND EXISTS (
		SELECT FROM payhook.console_members(asked.f, asked.ids, asked.sources, most) OFFSET most)
	WHERE x.operation_id = o.operation_id RETURNING x.* INTO o;
	detail := format('%s transactions will be retried, %s a second', o.total, o.rate);
	record_id := payhook.record_action('start_operation', (asked.f).source, NULL, o.operation_id, reason, actor, request_id, 'done',
		format('%s; filter %s', detail, o.filter));
	status := 200;
	body := json_build_object('outcome', 'done', 'detail', detail, 'action_id', record_id, 'operation', payhook.console_operation_of(o));
	RETURN NEXT;
EXCEPTION
	WHEN SQLSTATE 'PH422' THEN
		GET STACKED DIAGNOSTICS detail = MESSAGE_TEXT, parameter = COLUMN_NAME;
		status := 422;
		body := payhook.console_problem(detail, parameter);
		RETURN NEXT;
	WHEN SQLSTATE 'PH409' THEN
		detail := 'no FAILED transaction matches the filter: nothing to retry';
		PERFORM payhook.record_action('start_operation', (asked.f).source, NULL, NULL, reason, actor, request_id, 'nothing',
			format('%s; filter %s', detail, asked.shown));
		status := 409;
		body := payhook.console_problem(detail, 'filter');
		RETURN NEXT;
END $$;

COMMENT ON FUNCTION payhook.console_start_operation(text, text, text, text, text, text, text) IS 'Starts an operation, or shows what it would do: docs/console-api.md';
