-- Webhooks that are signed right and cannot be mapped, of the sources with "unreadable": "keep": each body once, until
-- "payhook remap" has made transactions of it.  They are not in payloads, since its days are dropped.
--
-- Whoever adds or deletes rows of a source locks its row of unreadable_sources before: so 10,000 is exact, and a body that comes
-- again while it is deleted is kept anew.

CREATE TABLE payhook.unreadable_sources (
	source text PRIMARY KEY CHECK (octet_length(source) <= 64)
);

COMMENT ON TABLE payhook.unreadable_sources IS 'One row for each source that has kept a webhook that it could not read; locked while unreadable_webhooks changes';
COMMENT ON COLUMN payhook.unreadable_sources.source IS 'The name of the source';

CREATE TABLE payhook.unreadable_webhooks (
	unreadable_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	source text NOT NULL CHECK (octet_length(source) <= 64),
	body_sha256 bytea NOT NULL CHECK (octet_length(body_sha256) = 32),
	received_at timestamptz NOT NULL DEFAULT now(),
	last_at timestamptz NOT NULL DEFAULT now(),
	count bigint NOT NULL DEFAULT 1,
	request_id uuid,
	traceparent text,
	content_type text NOT NULL,
	headers jsonb NOT NULL CHECK (jsonb_typeof(headers) = 'object'),
	body bytea NOT NULL,
	reason text NOT NULL CHECK (octet_length(reason) <= 511),
	CONSTRAINT unreadable_webhooks_body UNIQUE (source, body_sha256)
);

COMMENT ON TABLE payhook.unreadable_webhooks IS 'Verified webhooks that could not be mapped, each body of a source once, 10,000 of a source; kept until "payhook remap" has stored what is in them';
COMMENT ON COLUMN payhook.unreadable_webhooks.unreadable_id IS 'Its number, for drop_unreadable()';
COMMENT ON COLUMN payhook.unreadable_webhooks.source IS 'The source that received it';
COMMENT ON COLUMN payhook.unreadable_webhooks.body_sha256 IS 'SHA-256 of the body';
COMMENT ON COLUMN payhook.unreadable_webhooks.received_at IS 'When it came first';
COMMENT ON COLUMN payhook.unreadable_webhooks.last_at IS 'When this body came last';
COMMENT ON COLUMN payhook.unreadable_webhooks.count IS 'How many requests had this body';
COMMENT ON COLUMN payhook.unreadable_webhooks.request_id IS 'The id of the first of them, as in the logs; null: nginx gave none';
COMMENT ON COLUMN payhook.unreadable_webhooks.traceparent IS 'The traceparent of the first of them; null: none';
COMMENT ON COLUMN payhook.unreadable_webhooks.content_type IS 'The header Content-Type';
COMMENT ON COLUMN payhook.unreadable_webhooks.headers IS 'Headers that the signature scheme reads and ids of the provider''s; no credential';
COMMENT ON COLUMN payhook.unreadable_webhooks.body IS 'The body of the request, byte for byte';
COMMENT ON COLUMN payhook.unreadable_webhooks.reason IS 'JSON pointers of members, each with a code; no values';

CREATE VIEW payhook.unreadable AS
SELECT unreadable_id, source, received_at, last_at, count, reason, octet_length(body) AS bytes, request_id
FROM payhook.unreadable_webhooks
ORDER BY unreadable_id DESC;

COMMENT ON VIEW payhook.unreadable IS 'Webhooks that were acknowledged, cannot be mapped and wait for "payhook remap", with the reason; newest first';

-- Keeps webhooks, one for each element of the arrays.  Returns a row for each: its place, from 1, and whether its body is kept
-- now; not, if the source has 10,000 others.  A body that is there already is counted, and needs no room.
--
-- A function, because it reads, and the responders may not.  Concurrency: the locks are taken in the order of the sources, and
-- what follows them sees what the holder before has committed.
CREATE FUNCTION payhook.keep_unreadable(sources text[], request_ids text[], content_types text[], headers text[], bodies bytea[],
	traceparents text[], reasons text[]) RETURNS TABLE (place bigint, is_kept boolean)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
	INSERT INTO payhook.unreadable_sources (source)
	SELECT DISTINCT s.source FROM unnest(sources) AS s(source) ORDER BY 1 ON CONFLICT DO NOTHING;
	PERFORM FROM payhook.unreadable_sources s WHERE s.source = ANY (sources) ORDER BY s.source FOR UPDATE;
	RETURN QUERY
	WITH given AS MATERIALIZED (
		SELECT g.*, sha256(g.body) AS hash
		FROM unnest(sources, request_ids, content_types, headers, bodies, traceparents, reasons) WITH ORDINALITY
			AS g(source, request_id, content_type, headers, body, traceparent, reason, place)
	), bodies AS MATERIALIZED (
		SELECT g.source, g.hash, min(g.place) AS place, count(*) AS count,
			EXISTS (SELECT FROM payhook.unreadable_webhooks u WHERE u.source = g.source AND u.body_sha256 = g.hash) AS is_known
		FROM given g GROUP BY g.source, g.hash
	), room AS MATERIALIZED (
		SELECT b.source, b.hash, b.place, b.count, b.is_known, b.is_known OR 10000 >= row_number() OVER (
			PARTITION BY b.source, b.is_known ORDER BY b.place)
			+ (SELECT count(*) FROM payhook.unreadable_webhooks u WHERE u.source = b.source) AS is_kept
		FROM bodies b
	), known AS (
		UPDATE payhook.unreadable_webhooks u SET count = u.count + r.count, last_at = now()
		FROM room r WHERE r.is_known AND u.source = r.source AND u.body_sha256 = r.hash
	), added AS (
		INSERT INTO payhook.unreadable_webhooks (source, body_sha256, count, request_id, traceparent, content_type, headers, body,
			reason)
		SELECT g.source, g.hash, r.count, nullif(g.request_id, '')::uuid, nullif(g.traceparent, ''), g.content_type,
			g.headers::jsonb, g.body, g.reason
		FROM room r JOIN given g ON g.place = r.place WHERE r.is_kept AND NOT r.is_known
	)
	SELECT g.place, r.is_kept FROM given g JOIN room r ON r.source = g.source AND r.hash = g.hash ORDER BY g.place;
END $$;

COMMENT ON FUNCTION payhook.keep_unreadable(text[], text[], text[], text[], bytea[], text[], text[]) IS 'Keeps webhooks that could not be mapped; the responders call it';

-- Deletes one, after its transactions were stored, or because nobody needs it.
CREATE FUNCTION payhook.drop_unreadable(id bigint) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM FROM payhook.unreadable_sources s
	WHERE s.source = (SELECT u.source FROM payhook.unreadable_webhooks u WHERE u.unreadable_id = id) FOR UPDATE;
	DELETE FROM payhook.unreadable_webhooks u WHERE u.unreadable_id = id;
	RETURN FOUND;
END $$;

COMMENT ON FUNCTION payhook.drop_unreadable(bigint) IS 'Deletes one webhook that could not be mapped, by its number in the view unreadable; returns whether there was one';

-- Returns a receipt, a line a row.  Without "erase" it changes nothing and returns what it would do.
--
-- The receipt is kept for years, and must not be the person's data again.  An account is short, so anybody can find it by its
-- hash, with a salt too if that is beside it.  The hash of the receipt has a random key, which is returned in a line of its own
-- and stored nowhere: a person that has it and the account can verify the receipt, and others learn nothing by it.
--
-- A transaction in progress is left as it is, since its call needs the accounts: one that is PROCESSING, or that has a job still.
-- A FAILED one loses its dead job: retry() would send the placeholder.  A conflict's row stays, as its place among the sixteen is
-- taken; its hash is replaced too, since the account could be guessed by it.  A payload is deleted as a whole, as retention does;
-- one that a call may need is left.  A webhook that could not be read is deleted as a whole too: nothing was made of it.
--
-- Concurrency: the set of transactions is locked and then kept in arrays.  Locks are taken in the order of retry() and import,
-- dead jobs before transactions, then in that of retention, conflicts after them; conflicts in the order of the responders'
-- batches.  What is settled or received meanwhile is left to the next call.  Nobody else may call what it calls.
CREATE OR REPLACE FUNCTION payhook.forget(account text, erase boolean DEFAULT false) RETURNS SETOF text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	placeholder CONSTANT text := '(erased)'; -- also in the statement that stores, which takes it for any account
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
	SELECT count(*) FILTER (WHERE NOT is_needed), count(*) FILTER (WHERE is_needed)
	INTO payloads, payloads_needed FROM hit;

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
	SELECT count(*) INTO conflicts FROM hit;

	IF erase THEN
		PERFORM FROM payhook.unreadable_sources s ORDER BY s.source FOR UPDATE;
	END IF;
	WITH hit AS MATERIALIZED (
		SELECT u.unreadable_id FROM payhook.unreadable_webhooks u WHERE payhook.body_names(u.body, account)
	), gone AS (
		DELETE FROM payhook.unreadable_webhooks u USING hit h WHERE erase AND u.unreadable_id = h.unreadable_id
	)
	SELECT count(*) INTO unreadable FROM hit;

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
	RETURN NEXT 'left      ids, amounts, currencies, states and times: webhooks that are sent again are recognised by them';
	RETURN NEXT 'left      backups, WAL archives and logs of the database server: until they expire';
	IF to_regclass('public.transactions_transaction') IS NOT NULL AND payhook.compatibility_view() IS NULL THEN
		RETURN NEXT 'left      public.transactions_transaction, which is not payhook''s';
	END IF;
	IF erase THEN
		RETURN NEXT 'key ' || key;
	END IF;
END $$;

COMMENT ON FUNCTION payhook.forget(text, boolean) IS 'Erases the data of one account and returns a receipt; without a true second parameter it changes nothing and returns what it would erase';
