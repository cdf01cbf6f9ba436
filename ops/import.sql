-- One batch of "payhook import": rows of the old service's table on standard input, in the order of \copy below.
--
-- Variables: currencies ('INR:2,JPY:0'), origin (the old table's name, for people), amount_type (of the old amounts: numeric,
-- double precision or real).  Prints a line of counts (read,
-- imported, enqueued, settled, there already, refused, held), then a line for each refused row.  One transaction: a
-- batch is done or it is not, and the same again finds it done.

\set ON_ERROR_STOP on
\pset format unaligned
\pset fieldsep '\t'
\pset tuples_only on
SET datestyle = ISO;
SET extra_float_digits = 1; -- a double as text is the shortest decimal that reads back as it
SET client_min_messages = warning;

CREATE TEMP TABLE came (
	number int GENERATED ALWAYS AS IDENTITY,
	transaction_id text,
	source_account text,
	destination_account text,
	amount :amount_type,
	currency text,
	status text,
	created_at timestamptz,
	processed_at timestamptz
);
\copy came (transaction_id, source_account, destination_account, amount, currency, status, created_at, processed_at) from pstdin

-- The rules of a webhook's members, as lib/txn/txn.c and lib/txn/txn_json.c have them.
CREATE FUNCTION pg_temp.text_flaw(name text, value text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
	SELECT name || CASE
		WHEN coalesce(value, '') = '' THEN ' is empty'
		WHEN octet_length(value) > 255 THEN ' is longer than 255 bytes'
		WHEN value ~ '[\u0001-\u001f\u007f-\u009f]' THEN ' holds a control character'
	END
$$;

-- What is mended, since its meaning is plain: the case of currency and status, and zeros that the column's scale has put
-- behind an amount (1500.00 JPY).  Everything else is refused with every reason.
--
-- A double is exact if one amount of the currency, and no other, reads as it: then it is the amount that the old service
-- received.  The shortest decimal that reads back is such an amount if it has no more decimals than the currency.  It is
-- the only one if the amounts beside it, one minor unit more and less, read as other doubles.
CREATE TEMP TABLE given AS
WITH known AS (
	SELECT split_part(c, ':', 1) AS code, split_part(c, ':', 2)::int AS decimals,
		('1e-' || split_part(c, ':', 2))::numeric AS unit
	FROM unnest(string_to_array(:'currencies', ',')) AS c
), decimal AS (
	SELECT *, amount::text::numeric AS value FROM came
), mended AS (
	SELECT number, transaction_id, source_account, destination_account, upper(currency COLLATE "C") AS currency,
		upper(status COLLATE "C") AS status, created_at, processed_at, value AS amount, known.decimals,
		CASE WHEN scale(trim_scale(value)) <= decimals THEN round(value, least(scale(value), decimals)) END AS exact,
		CAST(value + unit AS :amount_type) <> amount AND CAST(value - unit AS :amount_type) <> amount AS is_only
	FROM decimal LEFT JOIN known ON known.code = upper(decimal.currency COLLATE "C")
)
SELECT number, transaction_id, source_account, destination_account, exact AS amount, currency, status, created_at,
	processed_at,
	nullif(concat_ws(', ',
		pg_temp.text_flaw('transaction_id', transaction_id),
		pg_temp.text_flaw('source_account', source_account),
		pg_temp.text_flaw('destination_account', destination_account),
		CASE
			WHEN amount IS NULL THEN 'amount is empty'
			WHEN amount = 'NaN' THEN 'amount is no number'
			WHEN amount < 0 THEN 'amount is negative'
			WHEN amount >= 1e18 THEN 'amount has more than 18 integer digits'
			WHEN decimals IS NOT NULL AND exact IS NULL THEN 'amount has more decimals than ' || currency
			WHEN NOT is_only THEN format('amount is not exact: another one of %s is the same %s', currency, :'amount_type')
		END,
		CASE WHEN decimals IS NULL THEN 'currency ' || coalesce(quote_literal(left(currency, 12)), 'null') || ' is unknown' END,
		CASE
			WHEN status = 'PROCESSED' AND processed_at IS NULL THEN 'PROCESSED without processed_at'
			WHEN status = 'PROCESSING' AND processed_at IS NOT NULL THEN 'PROCESSING with processed_at'
			WHEN status IN ('PROCESSED', 'PROCESSING', 'FAILED') THEN NULL
			ELSE 'status ' || coalesce(quote_literal(left(status, 20)), 'null') || ' is unknown'
		END,
		CASE WHEN NOT coalesce(isfinite(created_at), false) THEN 'created_at is no time' END,
		CASE WHEN NOT isfinite(processed_at) THEN 'processed_at is no time' END), '') AS flaw
FROM mended;
ANALYZE given;

CREATE TEMP TABLE stored (number int, status text);

BEGIN;

-- While no worker claims, whatever payhook still has to do can be taken back.  resume() waits for this batch.
DO $$ BEGIN
	PERFORM FROM payhook.pauses FOR SHARE;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'the workers are not paused: what the old service has processed could be processed again meanwhile'
			USING HINT = 'payhook psql -c ''select pause()'', import, then payhook psql -c ''select resume()''';
	END IF;
END $$;

-- What is new, in the responders' order, so that a batch of theirs and this one wait for each other and never in a
-- circle.  Jobs in the order in which the old service received them.  A FAILED one can be brought back by retry().
WITH flawless AS (
	SELECT * FROM given WHERE flaw IS NULL ORDER BY transaction_id COLLATE "C", number
), new AS (
	INSERT INTO payhook.transactions
		(transaction_id, source_account, destination_account, amount, currency, status, created_at, processed_at, failure)
	SELECT transaction_id, source_account, destination_account, amount, currency, status, created_at,
		CASE status WHEN 'PROCESSED' THEN processed_at END,
		CASE status WHEN 'FAILED' THEN concat('FAILED in ', :'origin', ' at ' || processed_at) END
	FROM flawless
	ON CONFLICT DO NOTHING RETURNING transaction_id, status, created_at, failure
), queued AS (
	INSERT INTO payhook.jobs (transaction_id)
	SELECT transaction_id FROM new WHERE status = 'PROCESSING' ORDER BY created_at
), dead AS (
	INSERT INTO payhook.dead_jobs (transaction_id, source, attempts, error, enqueued_at)
	SELECT transaction_id, 'transactions', 0, failure, created_at FROM new WHERE status = 'FAILED'
	ON CONFLICT DO NOTHING
)
INSERT INTO stored
SELECT DISTINCT ON (new.transaction_id) f.number, new.status
FROM new JOIN flawless f ON f.transaction_id = new.transaction_id ORDER BY new.transaction_id, f.number;

-- The rest meets a row of payhook's, or is refused, or both.  Of each what should be done:
--   settle  the old service has processed what payhook has yet to process, or has given up;
--   hold    payhook has yet to process what is refused here: a person decides;
--   none    nothing.
CREATE TEMP TABLE met AS
SELECT g.number, g.transaction_id, g.created_at, g.processed_at, t.status AS ours, mismatch.reason,
	CASE
		WHEN mismatch.reason IS NOT NULL AND t.status = 'PROCESSING' THEN 'hold'
		WHEN mismatch.reason IS NULL AND g.status = 'PROCESSED' AND t.status <> 'PROCESSED' THEN 'settle'
		ELSE 'none'
	END AS deed
FROM given g
LEFT JOIN LATERAL (
	SELECT * FROM payhook.transactions s
	WHERE s.transaction_id = g.transaction_id AND s.source = 'transactions' LIMIT 1
) t ON true
CROSS JOIN LATERAL (
	SELECT CASE
		WHEN g.flaw IS NOT NULL THEN g.flaw
		WHEN t.transaction_id IS NULL THEN 'payhook has just deleted it; import again'
		ELSE 'payhook has it with another ' || nullif(concat_ws(', ',
			-- What payhook.forget() has erased is the same as any account; null is none.
			CASE WHEN coalesce(t.source_account, '') NOT IN (g.source_account, '(erased)') THEN 'source_account' END,
			CASE WHEN coalesce(t.destination_account, '') NOT IN (g.destination_account, '(erased)')
				THEN 'destination_account' END,
			CASE WHEN t.amount IS DISTINCT FROM g.amount THEN 'amount' END,
			CASE WHEN t.currency IS DISTINCT FROM g.currency THEN 'currency' END), '')
	END AS reason
) mismatch
WHERE g.number NOT IN (SELECT number FROM stored);
ANALYZE met;

-- A job is taken away before its transaction is touched, in the order of a settlement.  One that a worker has is left:
-- its call is under way, or was, and cannot be taken back.  The few that are wanted are a table of their own, so that the
-- walk through jobs, which has no index for this, probes a hash of them, and is spared where none is wanted.
CREATE TEMP TABLE wanted AS
SELECT DISTINCT transaction_id FROM met WHERE deed <> 'none' AND ours = 'PROCESSING';
CREATE TEMP TABLE free AS
SELECT j.id, j.transaction_id, j.attempt, j.enqueued_at, j.traceparent FROM payhook.jobs j JOIN wanted USING (transaction_id)
WHERE j.source = 'transactions' AND j.owner IS NULL
ORDER BY j.id FOR UPDATE OF j;
DELETE FROM payhook.jobs WHERE id IN (SELECT id FROM free);

CREATE TEMP TABLE raised (transaction_id text);
WITH gone AS (
	DELETE FROM payhook.dead_jobs d USING met m
	WHERE m.deed = 'settle' AND m.ours = 'FAILED' AND d.transaction_id = m.transaction_id AND d.source = 'transactions'
	RETURNING d.transaction_id
)
INSERT INTO raised SELECT transaction_id FROM gone;

UPDATE payhook.transactions t
SET status = 'PROCESSED', processed_at = m.processed_at, created_at = m.created_at, failure = NULL
FROM met m
WHERE m.deed = 'settle' AND t.transaction_id = m.transaction_id AND t.source = 'transactions'
	AND m.transaction_id IN (SELECT transaction_id FROM free UNION ALL SELECT transaction_id FROM raised);

WITH held AS (
	UPDATE payhook.transactions t SET status = 'FAILED', failure = concat('import from ', :'origin', ': ', m.reason)
	FROM met m JOIN free f USING (transaction_id)
	WHERE m.deed = 'hold' AND t.transaction_id = m.transaction_id AND t.source = 'transactions' AND t.status = 'PROCESSING'
	RETURNING t.transaction_id, t.failure, f.attempt, f.enqueued_at, f.traceparent
)
INSERT INTO payhook.dead_jobs (transaction_id, source, attempts, error, enqueued_at, traceparent)
SELECT transaction_id, 'transactions', attempt, failure, enqueued_at, traceparent FROM held ON CONFLICT DO NOTHING;

CREATE TEMP TABLE fate AS
SELECT m.number, m.transaction_id, m.deed, taken.it AS taken,
	coalesce(m.reason, CASE WHEN m.deed = 'settle' AND NOT taken.it THEN
		'PROCESSED there, but payhook has no free job of it: a worker has it just now; import again' END)
	|| CASE WHEN m.deed = 'hold' AND NOT taken.it THEN '; a worker has it just now: import again' ELSE '' END AS reason
FROM met m
CROSS JOIN LATERAL (SELECT m.transaction_id IN (SELECT transaction_id FROM free UNION ALL SELECT transaction_id FROM raised) AS it) taken;

COMMIT;

SELECT 'counts', (SELECT count(*) FROM given), (SELECT count(*) FROM stored),
	(SELECT count(*) FROM stored WHERE status = 'PROCESSING'),
	count(*) FILTER (WHERE deed = 'settle' AND taken), count(*) FILTER (WHERE deed <> 'settle' AND reason IS NULL),
	count(*) FILTER (WHERE reason IS NOT NULL), count(*) FILTER (WHERE deed = 'hold' AND taken)
FROM fate;
SELECT 'refused', regexp_replace(coalesce(nullif(transaction_id, ''), '(none)'), '[\u0001-\u001f\u007f-\u009f]', '?', 'g'),
	CASE WHEN deed = 'hold' AND taken THEN 'held' ELSE '-' END,
	regexp_replace(reason, '[\u0001-\u001f\u007f-\u009f]', '?', 'g')
FROM fate WHERE reason IS NOT NULL ORDER BY number;
