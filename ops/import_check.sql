-- What "payhook import" has to know of the old table before it reads it, in a line: the type of the amounts, the column with
-- the time of creation or nothing, and everything that prevents reading the table.  Additional columns are allowed.
--
-- Variables: table, as the operator wrote it.  It runs in the database of the old service, which may be an old PostgreSQL.

SET search_path = pg_catalog; -- names are printed with their schema

SELECT coalesce(nullif(array_to_string(p[1:cardinality(p) - 1], '.'), ''), 'public') AS schema, p[cardinality(p)] AS name
FROM parse_ident(:'table') AS p \gset

WITH wanted (name, types) AS (
	VALUES ('transaction_id', '{character varying,text,character,bigint,integer,smallint}'::text[]),
		('source_account', '{character varying,text,character,bigint,integer,smallint}'),
		('destination_account', '{character varying,text,character,bigint,integer,smallint}'),
		('amount', '{numeric,bigint,integer,smallint,double precision,real}'),
		('currency', '{character varying,text,character}'), ('status', '{character varying,text,character}'),
		('processed_at', '{timestamp with time zone}')
), created (name, place) AS (
	VALUES ('created_at', 1), ('created', 2), ('created_on', 3), ('date_created', 4), ('received_at', 5), ('inserted_at', 6)
), found AS (
	SELECT column_name::text AS name, data_type::text AS type FROM information_schema.columns
	WHERE table_schema = :'schema' AND table_name = :'name'
), keys AS (
	SELECT a.attname::text AS name, k.confrelid::regclass::text AS target
	FROM pg_constraint k JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey)
	WHERE k.contype = 'f' AND k.conrelid = to_regclass(format('%I.%I', :'schema', :'name'))
), time AS (
	SELECT name, type FROM found JOIN created USING (name) ORDER BY place LIMIT 1
), trouble (place, text) AS (
	SELECT 1, CASE
		WHEN f.name IS NULL THEN 'it has no column ' || w.name
		WHEN f.type <> ALL (w.types) THEN format('its column %s is %s, and should be %s', w.name, f.type, w.types[1])
		WHEN w.name LIKE '%account' AND f.type ~ 'int' AND k.name IS NOT NULL
			THEN format('its column %s is a key of %s, not an account', w.name, k.target)
	END
	FROM wanted w LEFT JOIN found f USING (name) LEFT JOIN keys k USING (name)
	UNION ALL
	SELECT 2, format('its column %s is %s, and should be timestamp with time zone', name, type)
	FROM time WHERE type <> 'timestamp with time zone'
)
SELECT (SELECT type FROM found WHERE name = 'amount'), (SELECT name FROM time), CASE
	WHEN EXISTS (
		SELECT FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid
		WHERE d.refobjid = to_regclass('payhook.transactions')
			AND r.ev_class = to_regclass(format('%I.%I', :'schema', :'name')))
	THEN 'this is payhook''s own view of its transactions; name the database of the old service with --from'
	WHEN NOT EXISTS (SELECT FROM found)
	THEN format('there is no table %I.%I, or no right to read it', :'schema', :'name')
	ELSE (SELECT string_agg(text, '; ' ORDER BY place) FROM trouble)
END;
