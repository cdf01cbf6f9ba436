-- The console's list of transactions, and what its functions share.  Each function of the console returns one row: an HTTP status
-- and the JSON of the answer (docs/console-api.md).  All parameters are texts; null and '' mean that one is absent.

-- What is wrong with a parameter is raised as PH422, with the parameter as the name of a column; each function of the console
-- turns it into its answer.
CREATE FUNCTION payhook.console_wrong(parameter text, detail text) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RAISE EXCEPTION USING ERRCODE = 'PH422', MESSAGE = left(detail, 1000), COLUMN = parameter;
END $$;

COMMENT ON FUNCTION payhook.console_wrong(text, text) IS 'Raises PH422: a parameter of a request to the console is wrong';

CREATE FUNCTION payhook.console_problem(detail text, parameter text DEFAULT NULL) RETURNS json
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE WHEN coalesce(parameter, '') = '' THEN json_build_object('detail', detail)
		ELSE json_build_object('detail', detail, 'parameter', parameter) END
$$;

COMMENT ON FUNCTION payhook.console_problem(text, text) IS 'The body of an answer of the console from 400 on';

-- A value in a detail: its start, without control characters.
CREATE FUNCTION payhook.console_quote(value text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT '"' || regexp_replace(left(value, 60), '[\u0001-\u001f\u007f-\u009f]', '?', 'g') || CASE WHEN char_length(value) > 60 THEN '..."' ELSE '"' END $$;

COMMENT ON FUNCTION payhook.console_quote(text) IS 'A value as it is shown in the detail of an answer';

CREATE FUNCTION payhook.console_time(at timestamptz) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT CASE WHEN isfinite(at) THEN to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') END $$;

COMMENT ON FUNCTION payhook.console_time(timestamptz) IS 'A time as the console shows it: RFC 3339, UTC, microseconds; null if it is not finite';

CREATE FUNCTION payhook.console_ms(span interval) RETURNS bigint
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT (extract(epoch FROM span) * 1000)::bigint $$;

COMMENT ON FUNCTION payhook.console_ms(interval) IS 'A duration in milliseconds';

-- ---- parameters ----

CREATE FUNCTION payhook.console_text(value text, parameter text) RETURNS text
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF octet_length(value) > 255 THEN
		PERFORM payhook.console_wrong(parameter, format('%s has %s bytes: 255 at most', parameter, octet_length(value)));
	END IF;
	RETURN nullif(value, '');
END $$;

COMMENT ON FUNCTION payhook.console_text(text, text) IS 'A parameter of up to 255 bytes; null if it is absent';

CREATE FUNCTION payhook.console_choice(value text, parameter text, choices text[]) RETURNS text
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF value <> '' AND NOT value = ANY (choices) THEN
		PERFORM payhook.console_wrong(parameter, format('%s is %s: it is one of %s', parameter, payhook.console_quote(value),
			array_to_string(choices, ', ')));
	END IF;
	RETURN nullif(value, '');
END $$;

COMMENT ON FUNCTION payhook.console_choice(text, text, text[]) IS 'A parameter that is one of these words; null if it is absent';

CREATE FUNCTION payhook.console_number(value text, parameter text, at_least numeric, at_most numeric) RETURNS numeric
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF value <> '' AND (value !~ '^[0-9]{1,18}$' OR NOT value::numeric BETWEEN at_least AND at_most) THEN
		PERFORM payhook.console_wrong(parameter, format('%s is %s: it is a whole number from %s to %s', parameter,
			payhook.console_quote(value), at_least, at_most));
	END IF;
	RETURN nullif(value, '')::numeric;
END $$;

COMMENT ON FUNCTION payhook.console_number(text, text, numeric, numeric) IS 'A parameter that is a whole number within bounds; null if it is absent';

CREATE FUNCTION payhook.console_amount(value text, parameter text) RETURNS numeric
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF value <> '' AND value !~ '^-?[0-9]{1,18}(\.[0-9]{1,8})?$' THEN
		PERFORM payhook.console_wrong(parameter, format('%s is %s: it is an amount such as 1500.10 or -5.00', parameter,
			payhook.console_quote(value)));
	END IF;
	RETURN nullif(value, '')::numeric;
END $$;

COMMENT ON FUNCTION payhook.console_amount(text, text) IS 'A parameter that is an amount; null if it is absent';

CREATE FUNCTION payhook.console_moment(value text, parameter text) RETURNS timestamptz
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
SET datestyle = 'ISO, YMD'
AS $$
BEGIN
	IF value <> '' AND value !~ '^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)?)?$' THEN
		PERFORM payhook.console_wrong(parameter, format(
			'%s is %s: it is a time such as 2026-11-30T01:02:03Z, or a date', parameter, payhook.console_quote(value)));
	END IF;
	RETURN nullif(value, '')::timestamptz;
EXCEPTION
	WHEN data_exception THEN
		PERFORM payhook.console_wrong(parameter, format('%s is %s: there is no such time', parameter, payhook.console_quote(value)));
END $$;

COMMENT ON FUNCTION payhook.console_moment(text, text) IS 'A parameter that is a time or a date of UTC; null if it is absent';

-- A cursor is the name of its list and the key of the last row, as base64 for URLs.
CREATE FUNCTION payhook.console_cursor(VARIADIC parts text[]) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT translate(encode(convert_to(array_to_json(parts)::text, 'UTF8'), 'base64'), E'+/=\n', '-_') $$;

COMMENT ON FUNCTION payhook.console_cursor(text[]) IS 'The cursor behind a row of a list';

-- The key in a cursor of this list, with so many parts; null if it is absent.
CREATE FUNCTION payhook.console_key(value text, list text, count int) RETURNS text[]
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	parts text[];
BEGIN
	IF coalesce(value, '') = '' THEN
		RETURN NULL;
	END IF;
	IF octet_length(value) <= 2000 THEN
		BEGIN
			SELECT array_agg(e) INTO parts FROM json_array_elements_text(convert_from(decode(rpad(translate(value, '-_', '+/'),
				(octet_length(value) + 3) / 4 * 4, '='), 'base64'), 'UTF8')::json) e;
		EXCEPTION
			WHEN data_exception OR program_limit_exceeded THEN NULL;
		END;
	END IF;
	IF parts[1] IS DISTINCT FROM list OR cardinality(parts) <> count + 1 OR array_position(parts, NULL) IS NOT NULL THEN
		PERFORM payhook.console_wrong('cursor', format('cursor is %s: it is not one of this list; begin without', payhook.console_quote(value)));
	END IF;
	RETURN parts[2:];
END $$;

COMMENT ON FUNCTION payhook.console_key(text, text, int) IS 'The key in a cursor that console_cursor() made for this list';

-- Times in cursors are microseconds since 1970.
CREATE FUNCTION payhook.console_from_us(value text) RETURNS timestamptz
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF value !~ '^-?[0-9]{1,17}$' THEN
		PERFORM payhook.console_wrong('cursor', 'cursor is not one of this list; begin without');
	END IF;
	RETURN timestamptz 'epoch' + (value || ' us')::interval;
END $$;

CREATE FUNCTION payhook.console_us(at timestamptz) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT (extract(epoch FROM at) * 1000000)::bigint::text $$;

COMMENT ON FUNCTION payhook.console_from_us(text) IS 'The time in a part of a cursor';
COMMENT ON FUNCTION payhook.console_us(timestamptz) IS 'A time as a part of a cursor';

CREATE FUNCTION payhook.console_list(data json[], next text, truncated boolean) RETURNS json
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT json_build_object('data', array_to_json(coalesce(data, '{}')), 'next', next, 'truncated', truncated) $$;

COMMENT ON FUNCTION payhook.console_list(json[], text, boolean) IS 'The answer of a list';

-- ---- transactions ----

CREATE FUNCTION payhook.console_item(of_id text, of_source text) RETURNS json
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT json_build_object('source', t.source, 'transaction_id', t.transaction_id, 'status', t.status, 'kind', t.kind,
		'payment_id', t.payment_id, 'source_account', t.source_account, 'destination_account', t.destination_account,
		'amount', t.amount::text, 'currency', t.currency, 'created_at', payhook.console_time(t.created_at),
		'occurred_at', payhook.console_time(t.occurred_at), 'processed_at', payhook.console_time(t.processed_at),
		'failed_at', (SELECT payhook.console_time(d.died_at) FROM payhook.dead_jobs d
			WHERE d.transaction_id = t.transaction_id AND d.source = t.source), 'failure', t.failure)
	FROM payhook.transactions t WHERE t.transaction_id = of_id AND t.source = of_source
$$;

COMMENT ON FUNCTION payhook.console_item(text, text) IS 'A transaction as a row of the console''s list';

-- What a list of transactions is asked for, read from texts.
CREATE TYPE payhook.console_filter AS (
	source text,
	status text,
	kind text,
	account text,
	currency text,
	amount_min numeric,
	amount_max numeric,
	from_at timestamptz,
	to_at timestamptz,
	error text
);

COMMENT ON TYPE payhook.console_filter IS 'Which transactions the console is asked for; a null member asks for nothing';

CREATE FUNCTION payhook.console_read_filter(source text, status text, kind text, account text, currency text, amount_min text,
	amount_max text, from_at text, to_at text, error text) RETURNS payhook.console_filter
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	f payhook.console_filter;
BEGIN
	f.source := payhook.console_text(source, 'source');
	f.status := payhook.console_choice(status, 'status', '{PROCESSING,PROCESSED,FAILED}');
	f.kind := payhook.console_choice(kind, 'kind', '{pending,authorised,captured,capture_failed,canceled,expired,failed,refunded,refund_failed,dispute_notice,disputed,dispute_won,dispute_lost,paid_out,other}');
	f.account := payhook.console_text(account, 'account');
	f.currency := upper(payhook.console_text(currency, 'currency'));
	f.amount_min := payhook.console_amount(amount_min, 'amount_min');
	f.amount_max := payhook.console_amount(amount_max, 'amount_max');
	f.from_at := payhook.console_moment(from_at, 'from');
	f.to_at := payhook.console_moment(to_at, 'to');
	f.error := lower(payhook.console_text(error, 'error'));
	IF f.to_at <= f.from_at THEN
		PERFORM payhook.console_wrong('to', format('to is %s, and from is %s: nothing is between them', payhook.console_time(f.to_at),
			payhook.console_time(f.from_at)));
	END IF;
	RETURN f;
END $$;

COMMENT ON FUNCTION payhook.console_read_filter(text, text, text, text, text, text, text, text, text, text) IS 'Reads a filter from texts, or raises PH422';

-- The keys of the transactions that a list shows, newest first, at most so many.  is_last: the last row that was examined,
-- whether it matches or not; the next part goes on from it.
--
-- Plan: the inner LIMIT stops after 75,000 rows whatever the filter is, and the outer one as soon as there are enough; the
-- rows come one by one from an index.  Of a dead job, source and error are compared first; one that passes costs a look into
-- transactions, ten times as much, so only 10,000 are examined where that decides.  The function is planned for each call, with the values of its parameters, so that filters
-- that are absent cost nothing.
CREATE FUNCTION payhook.console_find(f payhook.console_filter, key_at timestamptz, key_id text, key_source text, most int)
RETURNS TABLE (at timestamptz, id text, of_source text, is_match boolean, is_last boolean)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan
SET enable_seqscan = off
SET enable_bitmapscan = off
SET enable_sort = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET jit = off
AS $$
DECLARE
	examined int := 75000;
BEGIN
	IF f.status = 'FAILED' OR f.error IS NOT NULL THEN
		IF f.status <> 'FAILED' OR f.kind IS NOT NULL OR f.currency IS NOT NULL OR f.account IS NOT NULL
			OR f.amount_min IS NOT NULL OR f.amount_max IS NOT NULL THEN
			examined := 10000;
		END IF;
		RETURN QUERY SELECT e.died_at, e.transaction_id, e.source, e.matches, e.place = examined FROM (
			SELECT d.died_at, d.transaction_id, d.source, d.place, coalesce(
				(t.status = coalesce(f.status, 'FAILED')) AND (f.kind IS NULL OR t.kind = f.kind)
				AND (f.currency IS NULL OR t.currency = f.currency)
				AND (f.account IS NULL OR t.source_account = f.account OR t.destination_account = f.account)
				AND (f.amount_min IS NULL OR t.amount >= f.amount_min)
				AND (f.amount_max IS NULL OR t.amount <= f.amount_max), false) AS matches
			FROM (
				SELECT x.died_at, x.transaction_id, x.source, x.error, row_number() OVER (
					ORDER BY x.died_at DESC, x.transaction_id COLLATE "C" DESC, x.source COLLATE "C" DESC) AS place
				FROM payhook.dead_jobs x
				WHERE (f.from_at IS NULL OR x.died_at >= f.from_at) AND (f.to_at IS NULL OR x.died_at < f.to_at)
					AND (key_at IS NULL OR (x.died_at <= key_at AND (x.died_at, x.transaction_id COLLATE "C", x.source COLLATE "C")
						< (key_at, key_id COLLATE "C", key_source COLLATE "C")))
				ORDER BY x.died_at DESC, x.transaction_id COLLATE "C" DESC, x.source COLLATE "C" DESC LIMIT examined
			) d LEFT JOIN LATERAL (SELECT y.* FROM payhook.transactions y
				WHERE y.transaction_id = d.transaction_id AND y.source = d.source
					AND (f.source IS NULL OR d.source = f.source)
					AND (f.error IS NULL OR position(f.error IN lower(d.error)) > 0) LIMIT 1) t ON true
			OFFSET 0
		) e WHERE e.matches OR e.place = examined
		LIMIT most;
	ELSE
		RETURN QUERY SELECT e.created_at, e.transaction_id, e.source, e.matches, e.place = examined FROM (
			SELECT d.created_at, d.transaction_id, d.source, d.place, coalesce(
				(f.source IS NULL OR d.source = f.source) AND (f.status IS NULL OR d.status = f.status)
				AND (f.kind IS NULL OR d.kind = f.kind) AND (f.currency IS NULL OR d.currency = f.currency)
				AND (f.account IS NULL OR d.source_account = f.account OR d.destination_account = f.account)
				AND (f.amount_min IS NULL OR d.amount >= f.amount_min)
				AND (f.amount_max IS NULL OR d.amount <= f.amount_max), false) AS matches
			FROM (
				SELECT x.created_at, x.transaction_id, x.source, x.status, x.kind, x.currency, x.source_account,
					x.destination_account, x.amount, row_number() OVER (
						ORDER BY x.created_at DESC, x.transaction_id COLLATE "C" DESC, x.source COLLATE "C" DESC) AS place
				FROM payhook.transactions x
				WHERE x.created_at >= f.from_at AND x.created_at < f.to_at
					AND (key_at IS NULL OR (x.created_at <= key_at
						AND (x.created_at, x.transaction_id COLLATE "C", x.source COLLATE "C")
							< (key_at, key_id COLLATE "C", key_source COLLATE "C")))
				ORDER BY x.created_at DESC, x.transaction_id COLLATE "C" DESC, x.source COLLATE "C" DESC LIMIT examined
			) d OFFSET 0
		) e WHERE e.matches OR e.place = examined
		LIMIT most;
	END IF;
END $$;

COMMENT ON FUNCTION payhook.console_find(payhook.console_filter, timestamptz, text, text, int) IS 'The keys of the transactions that a list of the console shows; it examines at most 100,000 rows';

-- The same by an exact id of a transaction or a payment, whatever the time.
CREATE FUNCTION payhook.console_find_id(f payhook.console_filter, of_id text, of_payment text, key_at timestamptz, key_id text,
	key_source text, most int) RETURNS TABLE (at timestamptz, id text, of_source text, is_match boolean, is_last boolean)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan
SET enable_seqscan = off
SET jit = off
AS $$
BEGIN
	RETURN QUERY SELECT t.created_at, t.transaction_id, t.source, true, false FROM (
		SELECT x.* FROM payhook.transactions x WHERE x.transaction_id = of_id AND (of_payment IS NULL OR x.payment_id = of_payment)
		UNION ALL
		SELECT x.* FROM (SELECT y.* FROM payhook.transactions y WHERE y.payment_id = coalesce(of_payment, of_id) LIMIT 100000) x
		WHERE (of_id IS NULL OR (of_payment IS NULL AND x.transaction_id <> of_id))
	) t
	WHERE (f.source IS NULL OR t.source = f.source) AND (f.status IS NULL OR t.status = f.status)
		AND (f.kind IS NULL OR t.kind = f.kind) AND (f.currency IS NULL OR t.currency = f.currency)
		AND (f.account IS NULL OR t.source_account = f.account OR t.destination_account = f.account)
		AND (f.amount_min IS NULL OR t.amount >= f.amount_min) AND (f.amount_max IS NULL OR t.amount <= f.amount_max)
		AND (f.error IS NULL OR position(f.error IN lower(t.failure)) > 0)
		AND (key_at IS NULL OR (t.created_at, t.transaction_id COLLATE "C", t.source COLLATE "C")
			< (key_at, key_id COLLATE "C", key_source COLLATE "C"))
	ORDER BY t.created_at DESC, t.transaction_id COLLATE "C" DESC, t.source COLLATE "C" DESC LIMIT most;
END $$;

COMMENT ON FUNCTION payhook.console_find_id(payhook.console_filter, text, text, timestamptz, text, text, int) IS 'The same by an exact id of a transaction or a payment';

-- The range of a list by time: 24 hours if none is given, 31 days at most.
CREATE FUNCTION payhook.console_range(f payhook.console_filter) RETURNS payhook.console_filter
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	f.to_at := coalesce(f.to_at, greatest(now(), f.from_at) + interval '1 minute');
	f.from_at := coalesce(f.from_at, f.to_at - interval '24 hours 1 minute');
	IF f.to_at - f.from_at > interval '31 days 1 minute' THEN
		PERFORM payhook.console_wrong('from', format('from %s to %s is more than 31 days: narrow the range, or ask by id',
			payhook.console_time(f.from_at), payhook.console_time(f.to_at)));
	END IF;
	RETURN f;
END $$;

COMMENT ON FUNCTION payhook.console_range(payhook.console_filter) IS 'The filter with a range of time, or PH422';

-- An id or a payment is looked up by its key, dead jobs by the time of their end, everything else by the time of arrival.
CREATE FUNCTION payhook.console_transactions(id text, payment text, source text, of_status text, kind text, account text,
	currency text, amount_min text, amount_max text, from_at text, to_at text, error text, cursor text, max_rows text)
RETURNS TABLE (status int, body json)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	f payhook.console_filter;
	key text[];
	most int;
	hit record;
	data json[] := '{}';
	next text;
	is_by_key boolean;
	has_more boolean := false;
	is_cut boolean := false;
	parameter text;
	detail text;
BEGIN
	f := payhook.console_read_filter(source, of_status, kind, account, currency, amount_min, amount_max, from_at, to_at, error);
	most := coalesce(payhook.console_number(max_rows, 'limit', 1, 200), 50);
	key := payhook.console_key(cursor, 'transactions', 3);
	id := payhook.console_text(id, 'id');
	payment := payhook.console_text(payment, 'payment');
	is_by_key := id IS NOT NULL OR payment IS NOT NULL;
	IF NOT is_by_key AND f.error IS NULL AND f.status IS DISTINCT FROM 'FAILED' THEN
		f := payhook.console_range(f);
	END IF;
	FOR hit IN
		SELECT k.* FROM payhook.console_find_id(f, id, payment, payhook.console_from_us(key[1]), key[2], key[3], most + 1) k
		WHERE is_by_key
		UNION ALL
		SELECT k.* FROM payhook.console_find(f, payhook.console_from_us(key[1]), key[2], key[3], most + 1) k
		WHERE NOT is_by_key
	LOOP
		has_more := cardinality(data) = most;
		EXIT WHEN has_more;
		IF hit.is_match THEN
			data := data || payhook.console_item(hit.id, hit.of_source);
		END IF;
		is_cut := hit.is_last;
		next := payhook.console_cursor('transactions', payhook.console_us(hit.at), hit.id, hit.of_source);
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

COMMENT ON FUNCTION payhook.console_transactions(text, text, text, text, text, text, text, text, text, text, text, text, text, text) IS 'The console''s list of transactions: docs/console-api.md';
