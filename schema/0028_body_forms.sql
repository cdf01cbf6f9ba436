-- Bodies that are no JSON text: a webhook may come in gzip, or as a form, and is kept as it came.

-- A body in gzip is shown as its hexadecimal digits: it is no text, and one such row would make the view fail for all.
CREATE OR REPLACE VIEW payhook.conflicts AS
SELECT c.transaction_id, c.source, c.ordinal, c.count, c.unkept, c.first_seen, c.last_seen, c.request_id,
	t.amount AS stored_amount, t.currency AS stored_currency, t.status,
	CASE substring(c.body FROM 1 FOR 2) WHEN '\x1f8b' THEN '\x' || encode(c.body, 'hex') ELSE convert_from(c.body, 'UTF8') END AS body
FROM payhook.transaction_conflicts c LEFT JOIN payhook.transactions t USING (transaction_id, source)
ORDER BY c.last_seen DESC;

-- Whether a body names an account: as a string or a number of exactly this value, anywhere in it, or as the value of a form's
-- field, or anywhere in JSON that is the value of one.  In JSON every character may be written as an escape, so a body with a
-- backslash is parsed even if it lacks the bytes; in a form likewise one with a percent sign or a plus.  A body that jsonb cannot
-- hold names it if it has the bytes.  What is in gzip is not looked into; forget()
-- counts those bodies.
CREATE OR REPLACE FUNCTION payhook.body_names(body bytea, account text) RETURNS boolean
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	wanted CONSTANT bytea := convert_to(account, 'UTF8');
	has_bytes boolean := position(wanted IN body) > 0;
	has_escape boolean := position('\x5c'::bytea IN body) > 0;
	content text;
	field text;
	decoded bytea;
BEGIN
	IF NOT has_bytes AND NOT has_escape AND position('\x25'::bytea IN body) = 0 AND position('\x2b'::bytea IN body) = 0 THEN
		RETURN false;
	END IF;
	BEGIN
		content := convert_from(body, 'UTF8');
		IF content ~ '^[ \t\r\n]*[[{]' THEN
			RETURN (has_bytes OR has_escape) AND jsonb_path_exists(content::jsonb, '$.** ? (@ == $text || @ == $number)',
				jsonb_build_object('text', account, 'number',
				CASE WHEN account ~ '^(0|-?[1-9][0-9]*)$' THEN to_jsonb(account::numeric) ELSE to_jsonb(account) END));
		END IF;
		IF content !~ '^[^&=]*=' THEN
			RETURN has_bytes;
		END IF;
		FOR field IN SELECT translate(substring(f FROM position('=' IN f) + 1), '+', ' ')
			FROM regexp_split_to_table(content, '&') f WHERE position('=' IN f) > 0
		LOOP
			SELECT string_agg(CASE WHEN p.place = 1 THEN convert_to(p.piece, 'UTF8')
				ELSE decode(left(p.piece, 2), 'hex') || convert_to(substring(p.piece FROM 3), 'UTF8') END, ''::bytea ORDER BY p.place)
			INTO decoded FROM regexp_split_to_table(field, '%') WITH ORDINALITY AS p(piece, place);
			IF decoded = wanted OR (substring(ltrim(decoded, '\x20090a0d') FROM 1 FOR 1) IN ('\x7b', '\x5b')
				AND payhook.body_names(decoded, account)) THEN
				RETURN true;
			END IF;
		END LOOP;
		RETURN false;
	EXCEPTION
		WHEN data_exception OR program_limit_exceeded THEN
			RETURN has_bytes;
	END;
END $$;

COMMENT ON FUNCTION payhook.body_names(bytea, text) IS 'Whether a body, JSON or a form, has a string or a number of exactly this value; forget() uses it';

-- As in 0026, but that the receipt counts the bodies in gzip that are left: PostgreSQL cannot decode them, so whether they name the
-- account is not known.
CREATE OR REPLACE FUNCTION payhook.forget(account text, erase boolean DEFAULT false) RETURNS SETOF text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	placeholder CONSTANT text := '(erased)'; -- also in the statement that stores, which takes it for any account
	gzip CONSTANT bytea := '\x1f8b'; -- its first two bytes (RFC 1952)
	key text := gen_random_uuid();
	ids text[];
	sources text[];
	transactions bigint;
	in_progress bigint;
	dead bigint;
	conflicts bigint;
	payloads bigint;
	payloads_needed bigint;
	unreadable bigint;
	in_gzip bigint;
	more bigint;
BEGIN
	IF coalesce(account, '') = '' OR octet_length(account) > 255 OR account ~ '[\u0001-\u001f\u007f-\u009f]' OR account = placeholder THEN
		RAISE EXCEPTION 'an account has 1 to 255 bytes and no control characters, and is not %', placeholder
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
	erase := coalesce(erase, false);

	WITH hit AS MATERIALIZED (
		SELECT d.transaction_id, d.source FROM payhook.dead_jobs d JOIN payhook.transactions t USING (transaction_id, source)
		WHERE account IN (t.source_account, t.destination_account) AND t.status <> 'PROCESSING'
			AND NOT EXISTS (SELECT FROM payhook.jobs j WHERE j.transaction_id = t.transaction_id AND j.source = t.source)
	), gone AS (
		DELETE FROM payhook.dead_jobs d USING hit h
		WHERE erase AND d.transaction_id = h.transaction_id AND d.source = h.source RETURNING 1
	)
	SELECT CASE WHEN erase THEN (SELECT count(*) FROM gone) ELSE (SELECT count(*) FROM hit) END INTO dead;

	SELECT coalesce(array_agg(k.transaction_id), '{}'), coalesce(array_agg(k.source), '{}') INTO ids, sources FROM (
		SELECT t.transaction_id, t.source FROM payhook.transactions t
		WHERE account IN (t.source_account, t.destination_account) AND t.status <> 'PROCESSING'
			AND NOT EXISTS (SELECT FROM payhook.jobs j WHERE j.transaction_id = t.transaction_id AND j.source = t.source)
			AND NOT (erase AND EXISTS (
				SELECT FROM payhook.dead_jobs d WHERE d.transaction_id = t.transaction_id AND d.source = t.source))
		FOR UPDATE OF t) k;
	transactions := cardinality(ids);

	SELECT count(*) INTO in_progress FROM payhook.transactions t
	WHERE account IN (t.source_account, t.destination_account)
		AND (t.transaction_id, t.source) NOT IN (SELECT * FROM unnest(ids, sources));

	WITH done AS MATERIALIZED (
		SELECT * FROM unnest(ids, sources) AS k(transaction_id, source)
	), needed AS MATERIALIZED (
		SELECT t.payload_id FROM payhook.transactions t
		WHERE t.payload_id IS NOT NULL AND (t.transaction_id, t.source) NOT IN (SELECT * FROM done)
			AND (t.status = 'PROCESSING' OR (t.transaction_id, t.source) IN (SELECT transaction_id, source FROM payhook.dead_jobs))
	), named AS MATERIALIZED (
		SELECT t.payload_id FROM payhook.transactions t JOIN done USING (transaction_id, source)
		WHERE t.payload_id IS NOT NULL
	), hit AS MATERIALIZED (
		SELECT p.payload_id, p.received_at, p.payload_id IN (SELECT payload_id FROM needed) AS is_needed
		FROM payhook.payloads p
		WHERE p.payload_id IN (SELECT payload_id FROM named) OR payhook.body_names(p.body, account)
	), gone AS (
		DELETE FROM payhook.payloads p USING hit h
		WHERE erase AND NOT h.is_needed AND p.payload_id = h.payload_id AND p.received_at = h.received_at
	)
	SELECT count(*) FILTER (WHERE NOT is_needed), count(*) FILTER (WHERE is_needed),
		(SELECT count(*) FROM payhook.payloads p
			WHERE substring(p.body FROM 1 FOR 2) = gzip AND p.payload_id NOT IN (SELECT h.payload_id FROM hit h))
	INTO payloads, payloads_needed, in_gzip FROM hit;

	WITH hit AS MATERIALIZED (
		SELECT c.transaction_id, c.source, c.ordinal FROM payhook.transaction_conflicts c
		WHERE c.body <> '' AND ((c.transaction_id, c.source) IN (SELECT * FROM unnest(ids, sources))
			OR payhook.body_names(c.body, account))
		ORDER BY c.transaction_id COLLATE "C", c.source COLLATE "C", c.ordinal FOR UPDATE OF c
	), gone AS (
		UPDATE payhook.transaction_conflicts c SET body = '', body_sha256 = sha256(uuid_send(gen_random_uuid()))
		FROM hit h
		WHERE erase AND c.transaction_id = h.transaction_id AND c.source = h.source AND c.ordinal = h.ordinal
	)
	SELECT count(*), (SELECT count(*) FROM payhook.transaction_conflicts c WHERE substring(c.body FROM 1 FOR 2) = gzip
			AND (c.transaction_id, c.source, c.ordinal) NOT IN (SELECT h.transaction_id, h.source, h.ordinal FROM hit h))
	INTO conflicts, more FROM hit;
	in_gzip := in_gzip + more;

	IF erase THEN
		PERFORM FROM payhook.unreadable_sources s ORDER BY s.source FOR UPDATE;
	END IF;
	WITH hit AS MATERIALIZED (
		SELECT u.unreadable_id FROM payhook.unreadable_webhooks u WHERE payhook.body_names(u.body, account)
	), gone AS (
		DELETE FROM payhook.unreadable_webhooks u USING hit h WHERE erase AND u.unreadable_id = h.unreadable_id
	)
	SELECT count(*), (SELECT count(*) FROM payhook.unreadable_webhooks u WHERE substring(u.body FROM 1 FOR 2) = gzip
			AND u.unreadable_id NOT IN (SELECT h.unreadable_id FROM hit h))
	INTO unreadable, more FROM hit;
	in_gzip := in_gzip + more;

	UPDATE payhook.transactions t
	SET source_account = CASE t.source_account WHEN account THEN placeholder ELSE t.source_account END,
		destination_account = CASE t.destination_account WHEN account THEN placeholder ELSE t.destination_account END
	FROM unnest(ids, sources) AS k(id, of_source)
	WHERE erase AND t.transaction_id = k.id AND t.source = k.of_source;

	RETURN NEXT CASE WHEN erase THEN 'payhook: receipt of an erasure' ELSE 'payhook: nothing is erased yet; this is what would be' END;
	RETURN NEXT format('time      %s, by %s',
		to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), session_user);
	IF erase THEN
		RETURN NEXT 'account   SHA-256 of the key and the account: ' || encode(sha256(convert_to(key || account, 'UTF8')), 'hex');
	END IF;
	RETURN NEXT format('erased    %s transactions: the account is %s', transactions, placeholder);
	RETURN NEXT format('erased    %s dead jobs of them: retry() brings none back', dead);
	RETURN NEXT format('erased    %s bodies of conflicts', conflicts);
	RETURN NEXT format('erased    %s payloads', payloads);
	RETURN NEXT format('erased    %s webhooks that could not be read', unreadable);
	RETURN NEXT format('left      %s transactions in progress%s', in_progress,
		CASE WHEN in_progress > 0 THEN ': forget again when they have ended' ELSE '' END);
	RETURN NEXT format('left      %s payloads that a call may need%s', payloads_needed,
		CASE WHEN payloads_needed > 0 THEN ': forget again when their transactions have ended' ELSE '' END);
	RETURN NEXT format('left      %s bodies in gzip of no transaction of the account%s', in_gzip,
		CASE WHEN in_gzip > 0 THEN ': not looked into, so look for it there' ELSE '' END);
	RETURN NEXT 'left      ids, amounts, currencies, states and times: webhooks that are sent again are recognised by them';
	RETURN NEXT 'left      backups, WAL archives and logs of the database server: until they expire';
	IF to_regclass('public.transactions_transaction') IS NOT NULL AND payhook.compatibility_view() IS NULL THEN
		RETURN NEXT 'left      public.transactions_transaction, which is not payhook''s';
	END IF;
	IF erase THEN
		RETURN NEXT 'key ' || key;
	END IF;
END $$;
