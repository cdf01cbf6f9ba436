-- Several events of one payment.  A row of transactions is one event about money; the new columns are null for payhook's own
-- body, and wherever the mapping of a source has no such member.

ALTER TABLE payhook.transactions
	ADD COLUMN payment_id text
		CONSTRAINT transactions_payment_id_length CHECK (octet_length(payment_id) BETWEEN 1 AND 255),
	ADD COLUMN kind text
		CONSTRAINT transactions_kind_known CHECK (kind IN ('pending', 'authorised', 'captured', 'capture_failed', 'canceled',
			'expired', 'failed', 'refunded', 'refund_failed', 'dispute_notice', 'disputed', 'dispute_won', 'dispute_lost',
			'paid_out', 'other')),
	ADD COLUMN part text
		CONSTRAINT transactions_part_length CHECK (octet_length(part) BETWEEN 1 AND 255),
	ADD COLUMN is_total boolean,
	ADD COLUMN occurred_at timestamptz,
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

-- The events of a payment.
CREATE INDEX transactions_payment ON payhook.transactions (payment_id, source) WHERE payment_id IS NOT NULL;

COMMENT ON COLUMN payhook.transactions.payment_id IS 'With source: the payment that the event is about; null: none';
COMMENT ON COLUMN payhook.transactions.kind IS 'What happened: authorised, captured, refunded, ...; null: not said';
COMMENT ON COLUMN payhook.transactions.part IS 'The capture, refund or dispute that the amount is about; null: transaction_id stands for it';
COMMENT ON COLUMN payhook.transactions.is_total IS 'True: the amount is the sum so far of its kind; null and false: of this event alone';
COMMENT ON COLUMN payhook.transactions.occurred_at IS 'When it happened, by the provider''s clock; null: not said';
COMMENT ON COLUMN payhook.transactions.source_account IS 'Where the money comes from, as sent; null: not said';
COMMENT ON COLUMN payhook.transactions.destination_account IS 'Where the money goes, as sent; null: not said';
COMMENT ON COLUMN payhook.transactions.amount IS 'In units of the currency, with the digits that came in; null: not said';
COMMENT ON COLUMN payhook.transactions.currency IS 'ISO 4217, or one of EXTRA_CURRENCIES; upper case; null: not said';
