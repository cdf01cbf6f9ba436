-- Outside a transaction.
--
-- The newest transactions, a part at a time, for the console: by the BRIN index of 0001 the newest 50 of 5 million of one day took
-- 711 ms.  A batch of webhooks has one time, so the index has one entry with a list for it, at its right end.  It does not name
-- what a settlement changes, so that stays HOT.

SELECT EXISTS (SELECT FROM pg_index WHERE indexrelid = to_regclass('payhook.transactions_newest') AND NOT indisvalid) AS is_left \gset
\if :is_left
	DROP INDEX CONCURRENTLY payhook.transactions_newest;
\endif

CREATE INDEX CONCURRENTLY IF NOT EXISTS transactions_newest ON payhook.transactions USING btree (created_at);

DO $$ BEGIN
	IF NOT (SELECT indisvalid FROM pg_index WHERE indexrelid = 'payhook.transactions_newest'::regclass) THEN
		RAISE EXCEPTION 'the index transactions_newest is not valid yet';
	END IF;
END $$;
