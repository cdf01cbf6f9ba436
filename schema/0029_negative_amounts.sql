-- Amounts below zero, of sources that keep the sign of an amount.
--
-- The programs of a version before go on: responders store no such amount, and read it, as workers do, as the text that it is.  A
-- worker of a version before calls the processor with the digits as they are, so the level of the workers is the same as before.

-- The rules are those of 0020, but that the sums count an amount without its sign: the kind of an event says in which direction
-- money moves, so a refund of -0.01 is 0.01 refunded, and the amounts -0.01 and 0.01 of one part are one amount.
CREATE OR REPLACE FUNCTION payhook.payment_state(events payhook.payment_event[])
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
			max(abs(e.amount)) FILTER (WHERE e.kind = 'authorised') AS authorised,
			coalesce(bool_or(e.kind = 'authorised'), false) AS is_authorised,
			coalesce(bool_or(e.kind IN ('canceled', 'expired')), false) AS is_canceled,
			coalesce(bool_or(e.kind = 'failed'), false) AS is_failed,
			coalesce(bool_or(e.kind = 'pending'), false) AS is_pending
		FROM unnest(events) e
	), word AS (
		SELECT e.kind, abs(e.amount) AS amount, coalesce(e.is_total, false) AS is_total, r.thing,
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

COMMENT ON COLUMN payhook.transactions.amount IS 'In units of the currency, with the digits that came in, and with the sign if the source keeps it; null: not said';

-- Last, as it locks the table.  NOT VALID: the rows that are there fulfil the old check, and so this one, and are not read under
-- the lock; every new row is checked.
ALTER TABLE payhook.transactions
	DROP CONSTRAINT transactions_amount_exact,
	ADD CONSTRAINT transactions_amount_exact CHECK (amount > -1e18 AND amount < 1e18 AND scale(amount) <= 8) NOT VALID;
