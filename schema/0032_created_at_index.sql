-- Outside a transaction.
--
-- The newest transactions, a part at a time, for the console: by the BRIN index of 0001 the newest 50 of 5 million of one day took
-- 711 ms.  A batch of webhooks has one time, so the index has one entry with a list for it, at its right end.  It does not name
-- what a settlement changes, so that stays HOT.
--
-- What a broken build has left is dropped as in 0024.

SELECT EXISTS (SELECT FROM pg_index WHERE indexrelid = to_regclass('payhook.transactions_newest') AND NOT indisvalid) AS is_left \gset
\if :is_left
	BEGIN;
	LOCK TABLE payhook.transactions IN SHARE UPDATE EXCLUSIVE MODE;
	SET LOCAL lock_timeout = '200ms';
	DO $$ BEGIN
		IF EXISTS (SELECT FROM pg_index WHERE indexrelid = to_regclass('payhook.transactions_newest') AND NOT indisvalid) THEN
			DROP INDEX payhook.transactions_newest;
		END IF;
	END $$;
	COMMIT;
\endif

CREATE INDEX CONCURRENTLY IF NOT EXISTS transactions_newest ON payhook.transactions USING btree (created_at);

DO $$ BEGIN
	IF NOT (SELECT indisvalid FROM pg_index WHERE indexrelid = 'payhook.transactions_newest'::regclass) THEN
		RAISE EXCEPTION 'the index transactions_newest is not valid yet';
	END IF;
END $$;
