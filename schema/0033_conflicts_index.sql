-- Outside a transaction.
--
-- The newest conflicts, for the console.  By first_seen and not by last_seen, which every further webhook changes: its update
-- stays HOT.

SELECT EXISTS (SELECT FROM pg_index WHERE indexrelid = to_regclass('payhook.transaction_conflicts_newest') AND NOT indisvalid)
	AS is_left \gset
\if :is_left
	DROP INDEX CONCURRENTLY payhook.transaction_conflicts_newest;
\endif

CREATE INDEX CONCURRENTLY IF NOT EXISTS transaction_conflicts_newest ON payhook.transaction_conflicts (first_seen);

DO $$ BEGIN
	IF NOT (SELECT indisvalid FROM pg_index WHERE indexrelid = 'payhook.transaction_conflicts_newest'::regclass) THEN
		RAISE EXCEPTION 'the index transaction_conflicts_newest is not valid yet';
	END IF;
END $$;
