-- Autovacuum takes a processor for a moment every 15 s of load, and webhooks wait for it.  Two causes are removed.
--
-- Samples: what 0012 did for transactions and jobs, for every other table and for the partitions of each day.  ANALYZE of a day's
-- payloads took 30,000 rows with their bodies, a quarter to half a second of a core.
--
-- Pauses: after 100 pages, about a millisecond, VACUUM pauses for two.  It took all of a core, for a tenth of a second or more; now it
-- takes a third, and has 15 s for it.

-- Samples of 3,000 rows, and of nothing that nobody compares, such as the bodies of requests.  A partitioned table has no pages, and
-- its partitions are altered with it.
CREATE FUNCTION payhook.set_gentle_autovacuum(name text) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	relation regclass := format('payhook.%I', name);
	col record;
BEGIN
	FOR col IN
		SELECT a.attname, CASE WHEN a.atttypid IN ('bytea'::regtype, 'json'::regtype, 'jsonb'::regtype) THEN 0 ELSE 10 END AS target
		FROM pg_attribute a
		WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped
	LOOP
		EXECUTE format('ALTER TABLE payhook.%I ALTER COLUMN %I SET STATISTICS %s', name, col.attname, col.target);
	END LOOP;
	IF (SELECT c.relkind FROM pg_class c WHERE c.oid = relation) = 'r' THEN
		EXECUTE format('ALTER TABLE payhook.%I SET (autovacuum_vacuum_cost_limit = 100, autovacuum_vacuum_cost_delay = 2)', name);
	END IF;
END $$;

COMMENT ON FUNCTION payhook.set_gentle_autovacuum(text) IS 'Lets ANALYZE take small samples of a table and none of its bodies, and VACUUM pause';

DO $$
DECLARE
	name text;
BEGIN
	FOR name IN
		SELECT c.relname FROM pg_class c
		WHERE c.relnamespace = 'payhook'::regnamespace AND c.relkind IN ('r', 'p')
		ORDER BY c.oid
	LOOP
		PERFORM payhook.set_gentle_autovacuum(name);
	END LOOP;
END $$;

-- As in 0019, and gentle to the processor, which LIKE does not copy.
CREATE OR REPLACE FUNCTION payhook.make_partitions(parent text) RETURNS int
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '20ms'
AS $$
DECLARE
	day date;
	name text;
	made int := 0;
BEGIN
	FOR day IN SELECT (now() AT TIME ZONE 'UTC')::date + n FROM generate_series(0, 7) n LOOP
		name := parent || to_char(day, '_YYYYMMDD');
		CONTINUE WHEN to_regclass('payhook.' || name) IS NOT NULL;
		BEGIN
			EXECUTE format('CREATE TABLE payhook.%I (LIKE payhook.%I INCLUDING ALL)', name, parent);
			PERFORM payhook.set_gentle_autovacuum(name);
			EXECUTE format('COMMENT ON TABLE payhook.%I IS %L', name, parent || ' of ' || day || ' (UTC)');
			EXECUTE format('ALTER TABLE payhook.%I ATTACH PARTITION payhook.%I FOR VALUES FROM (%L) TO (%L)',
				parent, name, day || ' 00:00:00+00', day + 1 || ' 00:00:00+00');
			made := made + 1;
		EXCEPTION
			WHEN duplicate_table OR unique_violation OR check_violation OR lock_not_available THEN NULL;
		END;
	END LOOP;
	RETURN made;
END $$;

DO $$ BEGIN PERFORM payhook.grant_rights(); END $$;
