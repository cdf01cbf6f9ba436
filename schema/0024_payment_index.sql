-- Outside a transaction.
--
-- The events of a payment by their key.  Nothing waits while it is built, however large the table is; a build that was broken off
-- has left an index that is not valid.

SELECT EXISTS (SELECT FROM pg_index WHERE indexrelid = to_regclass('payhook.transactions_payment') AND NOT indisvalid) AS is_left \gset
\if :is_left
	DROP INDEX CONCURRENTLY payhook.transactions_payment;
\endif

CREATE INDEX CONCURRENTLY IF NOT EXISTS transactions_payment ON payhook.transactions (payment_id, source) WHERE payment_id IS NOT NULL;

DO $$ BEGIN
	IF NOT (SELECT indisvalid FROM pg_index WHERE indexrelid = 'payhook.transactions_payment'::regclass) THEN
		RAISE EXCEPTION 'the index transactions_payment is not valid yet';
	END IF;
END $$;
