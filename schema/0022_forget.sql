-- Erases the data of one account, which is a person's.  What is needed to recognise a webhook that is sent again stays: ids,
-- sources, amounts, currencies, states and times.  The name of the account is replaced, in each transaction that has ended.

-- Whether a body names an account: as a string or a number of exactly this value, anywhere in it.  In JSON every character may be
-- written as an escape, so a body with a backslash is parsed even if it lacks the bytes.  A body that jsonb cannot hold names it
-- if it has the bytes.
CREATE FUNCTION payhook.body_names(body bytea, account text) RETURNS boolean
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	has_bytes boolean := position(convert_to(account, 'UTF8') IN body) > 0;
BEGIN
	IF NOT has_bytes AND position('\x5c'::bytea IN body) = 0 THEN
		RETURN false;
	END IF;
	BEGIN
		RETURN jsonb_path_exists(convert_from(body, 'UTF8')::jsonb, '$.** ? (@ == $text || @ == $number)', jsonb_build_object(
			'text', account, 'number',
			CASE WHEN account ~ '^(0|-?[1-9][0-9]*)$' THEN to_jsonb(account::numeric) ELSE to_jsonb(account) END));
	EXCEPTION
		WHEN data_exception OR program_limit_exceeded THEN
			RETURN has_bytes;
	END;
END $$;

COMMENT ON FUNCTION payhook.body_names(bytea, text) IS 'Whether a body has a string or a number of exactly this value; forget() uses it';

-- Returns a receipt, a line a row.  Without "erase" it changes nothing and returns what it would do.
--
-- The receipt is kept for years, and must not be the person's data again.  An account is short, so anybody can find it by its
-- hash, with a salt too if that is beside it.  The hash of the receipt has a random key, which is returned in a line of its own
-- and stored nowhere: a person that has it and the account can verify the receipt, and others learn nothing by it.
--
-- A transaction in progress is left as it is, since its call needs the accounts: one that is PROCESSING, or that has a job still.
-- A FAILED one loses its dead job: retry() would send the placeholder.  A conflict's row stays, as its place among the sixteen is
-- taken; its hash is replaced too, since the account could be guessed by it.  A payload is deleted as a whole, as retention does;
-- one that a call may need is left.
--
-- Concurrency: the set of transactions is locked and then kept in arrays.  Locks are taken in the order of retry() and import,
-- dead jobs before transactions, then in that of retention, conflicts after them; conflicts in the order of the responders'
-- batches.  What is settled or received meanwhile is left to the next call.  Nobody else may call what it calls.
CREATE FUNCTION payhook.forget(account text, erase boolean DEFAULT false) RETURNS SETOF text
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
