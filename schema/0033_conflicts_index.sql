-- Outside a transaction.
--
-- The newest conflicts, for the console.  By first_seen and not by last_seen, which every further webhook changes: its update
-- stays HOT.
--
-- What a broken build has left is dropped as in 0024.

SELECT EXISTS (SELECT FROM pg_index WHERE indexrelid = to_regclass('payhook.transaction_conflicts_newest') AND NOT indisvalid)
	AS is_left \gset
\if :is_left
	BEGIN;
	LOCK TABLE payhook.transaction_conflicts IN SHARE UPDATE EXCLUSIVE MODE;
	SET LOCAL lock_timeout = '200ms';
	DO $$ BEGIN
		IF EXISTS (SELECT FROM pg_index WHERE indexrelid = to_regclass('payhook.transaction_conflicts_newest') AND NOT indisvalid) THEN
			DROP INDEX payhook.transaction_conflicts_newest;
		END IF;
	END $$;
	COMMIT;
\endif

CREATE INDEX CONCURRENTLY IF NOT EXISTS transaction_conflicts_newest ON payhook.transaction_conflicts (first_seen);

DO $$ BEGIN
	IF NOT (SELECT indisvalid FROM pg_index WHERE indexrelid = 'payhook.transaction_conflicts_newest'::regclass) THEN
		RAISE EXCEPTION 'the index transaction_conflicts_newest is not valid yet';
	END IF;
END $$;
