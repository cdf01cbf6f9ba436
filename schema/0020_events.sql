-- Several events of one payment.  A row of transactions is one event about money; the new columns are null for payhook's own
-- body, and wherever the mapping of a source has no such member.

-- NOT VALID: the rows that are there have null, which fulfils them, and are not read under the lock; every new row is checked.
ALTER TABLE payhook.transactions
	ADD COLUMN payment_id text,
	ADD COLUMN kind text,
	ADD COLUMN part text,
	ADD COLUMN is_total boolean,
	ADD COLUMN occurred_at timestamptz,
	ADD CONSTRAINT transactions_payment_id_length CHECK (octet_length(payment_id) BETWEEN 1 AND 255) NOT VALID,
	ADD CONSTRAINT transactions_kind_known CHECK (kind IN ('pending', 'authorised', 'captured', 'capture_failed', 'canceled',
		'expired', 'failed', 'refunded', 'refund_failed', 'dispute_notice', 'disputed', 'dispute_won', 'dispute_lost', 'paid_out',
		'other')) NOT VALID,
	ADD CONSTRAINT transactions_part_length CHECK (octet_length(part) BETWEEN 1 AND 255) NOT VALID,
	ALTER COLUMN source_account DROP NOT NULL,
	ALTER COLUMN destination_account DROP NOT NULL,
	ALTER COLUMN amount DROP NOT NULL,
	ALTER COLUMN currency DROP NOT NULL;

-- A small sample, as 0012 has it for the other columns.
ALTER TABLE payhook.transactions
	ALTER COLUMN payment_id SET STATISTICS 10,
	ALTER COLUMN kind SET STATISTICS 10,
	ALTER COLUMN part SET STATISTICS 10,
	ALTER COLUMN is_total SET STATISTICS 10,
	ALTER COLUMN occurred_at SET STATISTICS 10;

COMMENT ON COLUMN payhook.transactions.payment_id IS 'With source: the payment that the event is about; null: none';
COMMENT ON COLUMN payhook.transactions.kind IS 'What happened: authorised, captured, refunded, ...; null: not said';
COMMENT ON COLUMN payhook.transactions.part IS 'The capture, refund or dispute that the amount is about; null: transaction_id stands for it';
COMMENT ON COLUMN payhook.transactions.is_total IS 'True: the amount is the sum so far of its kind; null and false: of this event alone';
COMMENT ON COLUMN payhook.transactions.occurred_at IS 'When it happened, by the provider''s clock; null: not said';
COMMENT ON COLUMN payhook.transactions.source_account IS 'Where the money comes from, as sent; null: not said';
COMMENT ON COLUMN payhook.transactions.destination_account IS 'Where the money goes, as sent; null: not said';
COMMENT ON COLUMN payhook.transactions.amount IS 'In units of the currency, with the digits that came in; null: not said';
COMMENT ON COLUMN payhook.transactions.currency IS 'ISO 4217, or one of EXTRA_CURRENCIES; upper case; null: not said';

-- What a payment's events amount to depends on the set of its events alone: not on the order of arrival, nor on that of the rows.
-- The members are those of transactions.
CREATE TYPE payhook.payment_event AS (
	transaction_id text,
	kind text,
	part text,
	is_total boolean,
	amount numeric,
	currency text,
	occurred_at timestamptz
);

COMMENT ON TYPE payhook.payment_event IS 'An event of a payment, for payhook.payment_state(); the columns are those of transactions';

-- Order: of two events the newer is the one with the later occurred_at; one without is older than any with.  Ties go by the rank
-- below, in which a kind comes after those that it corrects, and then by transaction_id, byte for byte.
--
-- Parts: each capture, refund, dispute and payout is a part.  Its newest word counts, and its newest amount.  So a capture with a
-- later capture_failed is none, and a dispute is as its newest word has it.  A dispute_notice moves no money and is no word.
--
-- Sums: of the parts with one word the sum of their amounts, or the largest total of them, whichever is greater.  Null: not
-- known, as an amount is missing and there is no total; zero: there is no such part.  Of authorisations each is a total; null if
-- there is none.  With two currencies all are null.  Each has as many decimals as the amount with the most of them.
--
-- State: a comparison with what is not known does not hold, except that a capture is whole unless it is known to be less than
-- the authorisation; a part without an amount is more than nothing.
--
-- Plan: no SET, so that the function is inlined into its caller; the names in a body of this form were resolved when it was made.
CREATE FUNCTION payhook.payment_state(events payhook.payment_event[])
RETURNS TABLE (currency text, state text, sums jsonb, anomalies text[])
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	WITH ranked (kind, rank, thing) AS (
		VALUES ('captured', 1, 'capture'), ('capture_failed', 2, 'capture'),
			('refunded', 1, 'refund'), ('refund_failed', 2, 'refund'),
			('disputed', 1, 'dispute'), ('dispute_won', 2, 'dispute'), ('dispute_lost', 3, 'dispute'),
			('paid_out', 1, 'payout')
	), fact AS (
		SELECT min(e.currency COLLATE "C") FILTER (WHERE e.amount IS NOT NULL) AS currency,
			coalesce(min(e.currency COLLATE "C") FILTER (WHERE e.amount IS NOT NULL)
				<> max(e.currency COLLATE "C") FILTER (WHERE e.amount IS NOT NULL), false) AS is_mixed,
			max(scale(e.amount)) AS decimals,
			max(e.amount) FILTER (WHERE e.kind = 'authorised') AS authorised,
			coalesce(bool_or(e.kind = 'authorised'), false) AS is_authorised,
			coalesce(bool_or(e.kind IN ('canceled', 'expired')), false) AS is_canceled,
			coalesce(bool_or(e.kind = 'failed'), false) AS is_failed,
			coalesce(bool_or(e.kind = 'pending'), false) AS is_pending
		FROM unnest(events) e
	), word AS (
		SELECT e.kind, e.amount, coalesce(e.is_total, false) AS is_total, r.thing,
			coalesce(e.part, e.transaction_id) COLLATE "C" AS part, first_value(e.kind) OVER newest AS newest,
			row_number() OVER newest AS age
		FROM unnest(events) e JOIN ranked r ON r.kind = e.kind
		WINDOW newest AS (PARTITION BY r.thing, coalesce(e.part, e.transaction_id) COLLATE "C"
			ORDER BY e.occurred_at DESC NULLS LAST, r.rank DESC, e.transaction_id COLLATE "C" DESC)
	), part AS (
		SELECT min(newest) AS kind, max(amount) FILTER (WHERE is_total AND kind = newest) AS total,
			(array_agg(amount ORDER BY age) FILTER (WHERE NOT is_total AND amount IS NOT NULL))[1] AS amount,
			min(amount) FILTER (WHERE NOT is_total AND kind = newest)
				< max(amount) FILTER (WHERE NOT is_total AND kind = newest) AS has_two_amounts
		FROM word GROUP BY thing, part
	), kind AS (
		SELECT kind, bool_or(has_two_amounts) AS has_two_amounts,
			greatest(max(total), CASE WHEN bool_and(coalesce(amount, total) IS NOT NULL) THEN sum(amount) END) AS amount
		FROM part GROUP BY kind
	), sum AS (
		SELECT coalesce(bool_or(has_two_amounts), false) AS has_two_amounts,
			coalesce(bool_or(kind = 'captured'), false) AS has_capture,
			coalesce(bool_or(kind = 'disputed'), false) AS is_disputed,
			coalesce(bool_or(kind = 'captured' AND coalesce(amount > 0, true)), false) AS is_captured,
			coalesce(bool_or(kind = 'refunded' AND coalesce(amount > 0, true)), false) AS is_refunded,
			coalesce(bool_or(kind = 'dispute_lost' AND coalesce(amount > 0, true)), false) AS is_lost,
			CASE WHEN bool_or(kind = 'captured') THEN max(amount) FILTER (WHERE kind = 'captured') ELSE 0 END AS captured,
			CASE WHEN bool_or(kind = 'refunded') THEN max(amount) FILTER (WHERE kind = 'refunded') ELSE 0 END AS refunded,
			CASE WHEN bool_or(kind = 'disputed') THEN max(amount) FILTER (WHERE kind = 'disputed') ELSE 0 END AS disputed,
			CASE WHEN bool_or(kind = 'dispute_lost') THEN max(amount) FILTER (WHERE kind = 'dispute_lost') ELSE 0 END AS lost,
			CASE WHEN bool_or(kind = 'paid_out') THEN max(amount) FILTER (WHERE kind = 'paid_out') ELSE 0 END AS paid_out
		FROM kind
	)
	SELECT CASE WHEN NOT f.is_mixed THEN f.currency END,
		CASE
			WHEN f.is_mixed THEN 'mixed'
			WHEN s.is_disputed THEN 'disputed'
			WHEN s.is_lost AND coalesce(s.lost, 0) + coalesce(s.refunded, 0) >= s.captured THEN 'charged_back'
			WHEN s.is_refunded AND s.captured > 0 AND coalesce(s.lost, 0) + coalesce(s.refunded, 0) >= s.captured THEN 'refunded'
			WHEN s.is_refunded OR s.is_lost THEN 'partly_refunded'
			WHEN s.is_captured AND coalesce(s.captured >= f.authorised, true) THEN 'captured'
			WHEN s.is_captured THEN 'partly_captured'
			WHEN f.is_canceled THEN 'canceled'
			WHEN f.is_authorised THEN 'authorised'
			WHEN f.is_failed THEN 'failed'
			WHEN f.is_pending THEN 'pending'
			ELSE 'unknown'
		END,
		(SELECT jsonb_object_agg(a.name, CASE WHEN NOT f.is_mixed THEN round(a.amount, coalesce(f.decimals, 0))::text END)
			FROM (VALUES ('authorised', f.authorised), ('captured', s.captured), ('refunded', s.refunded),
				('disputed', s.disputed), ('lost', s.lost), ('paid_out', s.paid_out)) AS a (name, amount)),
		array_remove(ARRAY[
			CASE WHEN f.is_mixed THEN 'two_currencies' END,
			CASE WHEN NOT f.is_mixed AND s.has_capture AND s.refunded > s.captured THEN 'refunded_above_captured' END,
			CASE WHEN NOT f.is_mixed AND s.captured > f.authorised THEN 'captured_above_authorised' END,
			CASE WHEN s.is_refunded AND NOT s.has_capture THEN 'refunded_without_capture' END,
			CASE WHEN s.is_captured AND f.is_canceled THEN 'captured_and_canceled' END,
			CASE WHEN s.has_two_amounts THEN 'part_with_two_amounts' END], NULL)
	FROM fact f, sum s;
END;

COMMENT ON FUNCTION payhook.payment_state(payhook.payment_event[]) IS 'Currency, state, sums and anomalies of a payment, from the set of its events; the order of the array does not matter';

-- By source and payment_id it reads the events of that payment only, by the index of 0024.
CREATE VIEW payhook.payments AS
SELECT p.source, p.payment_id, s.state, s.currency, s.sums, s.anomalies, p.events, p.first_at, p.last_at
FROM (
	SELECT source, payment_id, count(*) AS events, min(coalesce(occurred_at, created_at)) AS first_at,
		max(coalesce(occurred_at, created_at)) AS last_at,
		array_agg((transaction_id, kind, part, is_total, amount, currency, occurred_at)::payhook.payment_event) AS list
	FROM payhook.transactions WHERE payment_id IS NOT NULL GROUP BY source, payment_id
) p CROSS JOIN LATERAL payhook.payment_state(p.list) s;

COMMENT ON VIEW payhook.payments IS 'Payments that several transactions may be about: state, sums (texts) and anomalies, events, and the times of the first and the last; ask by source and payment_id';

COMMENT ON VIEW payhook.failures IS 'Dead jobs, with the reason; their transactions are FAILED, newest first; payhook.retry(transaction_id) brings one back.  Without an amount: the event has none, or the transaction was deleted';

-- A worker of a version before names no level.
ALTER TABLE payhook.workers ADD COLUMN level int NOT NULL DEFAULT 0;

COMMENT ON COLUMN payhook.workers.level IS 'What it understands; 1: transactions without an amount, 0: it is older';

-- The workers below a level that live: a worker that has been silent for 20 s is taken for dead.  SECURITY DEFINER, since
-- responders may not read the table.
CREATE FUNCTION payhook.older_workers(wanted int) RETURNS TABLE (host text, version text)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT w.host, w.version FROM payhook.workers w WHERE w.level < older_workers.wanted AND w.beat_at > now() - interval '20 s'
	ORDER BY w.host, w.version
$$;

COMMENT ON FUNCTION payhook.older_workers(int) IS 'Host and version of the workers that live and understand less than this level';
