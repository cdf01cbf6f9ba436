-- What processors told us, one row for each transaction.  The row is the truth; everything else is a hint.

DO $$ BEGIN
	IF current_setting('server_encoding') <> 'UTF8' THEN
		RAISE EXCEPTION 'payhook needs a database in UTF8, this one is in %', current_setting('server_encoding');
	END IF;
	-- So that people in psql write "queue", not "payhook.queue".  Our own statements name the schema.
	EXECUTE format('ALTER DATABASE %I SET search_path = payhook, public', current_database());
END $$;

CREATE TABLE payhook.transactions (
	transaction_id text NOT NULL,
	source text NOT NULL DEFAULT 'transactions',
	source_account text NOT NULL,
	destination_account text NOT NULL,
	amount numeric NOT NULL,
	currency text NOT NULL,
	status text NOT NULL DEFAULT 'PROCESSING',
	created_at timestamptz NOT NULL DEFAULT now(),
	processed_at timestamptz,
	failure text,
	CONSTRAINT transactions_pkey PRIMARY KEY (transaction_id, source),
	CONSTRAINT transactions_id_length CHECK (octet_length(transaction_id) BETWEEN 1 AND 255),
	CONSTRAINT transactions_accounts_length CHECK (
		octet_length(source_account) BETWEEN 1 AND 255 AND octet_length(destination_account) BETWEEN 1 AND 255),
	CONSTRAINT transactions_amount_exact CHECK (amount >= 0 AND amount < 1e18 AND scale(amount) <= 8),
	CONSTRAINT transactions_currency_length CHECK (octet_length(currency) BETWEEN 2 AND 10),
	CONSTRAINT transactions_status_known CHECK (status IN ('PROCESSING', 'PROCESSED', 'FAILED')),
	CONSTRAINT transactions_processed_has_time CHECK ((status = 'PROCESSED') = (processed_at IS NOT NULL)),
	CONSTRAINT transactions_failed_has_reason CHECK ((status = 'FAILED') = (failure IS NOT NULL))
)
-- Each row is updated once, when it is settled.  More than half a page left free lets that update stay on its page,
-- without touching an index: the settled row is 8 bytes longer.  For the same reason no index names status or
-- processed_at.
WITH (fillfactor = 47, autovacuum_vacuum_insert_scale_factor = 0.1, autovacuum_vacuum_scale_factor = 0.1);

-- Retention and reports go by day; rows arrive in that order, so a few bytes for every 128 pages are enough.
CREATE INDEX transactions_created_at ON payhook.transactions USING brin (created_at);

COMMENT ON TABLE payhook.transactions IS 'What processors told us, one row for each transaction; never changed but for its state';
COMMENT ON COLUMN payhook.transactions.transaction_id IS 'The processor''s id, byte for byte';
COMMENT ON COLUMN payhook.transactions.source IS 'Who sent it; together with transaction_id the identity';
COMMENT ON COLUMN payhook.transactions.source_account IS 'Where the money comes from, as sent';
COMMENT ON COLUMN payhook.transactions.destination_account IS 'Where the money goes, as sent';
COMMENT ON COLUMN payhook.transactions.amount IS 'In units of the currency, with the digits that came in';
COMMENT ON COLUMN payhook.transactions.currency IS 'ISO 4217, or one of EXTRA_CURRENCIES; upper case';
COMMENT ON COLUMN payhook.transactions.status IS 'PROCESSING until a worker settles it; then PROCESSED, or FAILED when attempts are exhausted';
COMMENT ON COLUMN payhook.transactions.created_at IS 'When it became durable';
COMMENT ON COLUMN payhook.transactions.processed_at IS 'When it was settled as PROCESSED; null before';
COMMENT ON COLUMN payhook.transactions.failure IS 'Why it is FAILED; null otherwise';
