-- Outside a transaction.
--
-- The events of a payment by their key.  Nothing waits while it is built, however large the table is.  A build that was broken off
-- has left an index that is not valid.  The first lock, for which no webhook waits, is given when nobody builds the index: one that
-- is not valid then is left over, and one that another starter has finished meanwhile is kept.

SELECT EXISTS (SELECT FROM pg_index WHERE indexrelid = to_regclass('payhook.transactions_payment') AND NOT indisvalid) AS is_left \gset
\if :is_left
	BEGIN;
	LOCK TABLE payhook.transactions IN SHARE UPDATE EXCLUSIVE MODE;
	SET LOCAL lock_timeout = '200ms';
	DO $$ BEGIN
		IF EXISTS (SELECT FROM pg_index WHERE indexrelid = to_regclass('payhook.transactions_payment') AND NOT indisvalid) THEN
			DROP INDEX payhook.transactions_payment;
		END IF;
	END $$;
	COMMIT;
\endif

CREATE INDEX CONCURRENTLY IF NOT EXISTS transactions_payment ON payhook.transactions (payment_id, source) WHERE payment_id IS NOT NULL;

DO $$ BEGIN
	IF NOT (SELECT indisvalid FROM pg_index WHERE indexrelid = 'payhook.transactions_payment'::regclass) THEN
		RAISE EXCEPTION 'the index transactions_payment is not valid yet';
	END IF;
END $$;
