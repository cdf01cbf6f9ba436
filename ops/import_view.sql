-- The CREATE VIEW that "payhook import --view" prints: what the import reads, guessed from the columns of an old table that it
-- cannot take as it is.  An operator checks and edits it, and creates it; nothing is created here.
--
-- Variables: table, as the operator wrote it; currencies ('INR:2,JPY:0').  It runs in the database of the old service, which
-- may be an old PostgreSQL, and reads of the rows only which statuses there are.  What the server answers goes into the next
-- statement as a quoted value or name only.

SET search_path = pg_catalog; -- names are printed with their schema

-- For each relation the column that most resembles each of the import's; of the relations the one that is named, or else the
-- one with the most of them.  Names are compared by their letters and digits.
WITH asked AS (
	SELECT coalesce(nullif(array_to_string(p[1:cardinality(p) - 1], '.'), ''), 'public') AS schema, p[cardinality(p)] AS name
	FROM parse_ident(:'table') AS p
), roles (role, categories, names) AS (
	VALUES ('transaction_id', 'SNU', '{transactionid,txnid,transactionref,transactionreference,externalid,paymentid,eventid,
		webhookid,reference,ref,uuid,id}'::text[]),
		('source_account', 'SNU', '{sourceaccount,sourceaccountid,source,sourceid,fromaccount,fromaccountid,sender,senderaccount,
		senderid,payer,payerid,debtor,debitaccount}'),
		('destination_account', 'SNU', '{destinationaccount,destinationaccountid,destination,destinationid,toaccount,toaccountid,
		receiver,receiverid,recipient,recipientid,beneficiary,payee,payeeid,creditor,creditaccount}'),
		('amount', 'SN', '{amount,value,total,totalamount,amountcents,amountincents,amountminor,amountminorunits,amountpaise,
		amountpence,minoramount,minorunits,valuecents,totalcents,cents}'),
		('currency', 'SNE', '{currency,currencycode,currencyid,ccy,isocurrency}'),
		('status', 'SNEB', '{status,state,statusid,transactionstatus,paymentstatus,isprocessed,processed,isdone,done}'),
		('created_at', 'D', '{createdat,created,createdon,datecreated,creationdate,receivedat,received,insertedat,timestamp,time,
		date}'),
		('processed_at', 'D', '{processedat,processed,processedon,completedat,completed,finishedat,settledat,updatedat,updated,
		modifiedat,modified}')
), guesses AS (
	SELECT DISTINCT ON (c.oid, r.role) n.nspname AS schema, c.relname AS name, r.role, a.attname
	FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
	JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
	JOIN pg_type t ON t.oid = a.atttypid
	CROSS JOIN LATERAL (SELECT lower(regexp_replace(a.attname, '[^A-Za-z0-9]', '', 'g')) AS plain) p
	JOIN roles r ON p.plain = ANY (r.names) AND strpos(r.categories, t.typcategory::text) > 0
	WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname <> 'payhook' AND n.nspname NOT LIKE 'pg\_%'
		AND n.nspname <> 'information_schema' AND c.relname <> 'payhook_import' AND has_table_privilege(c.oid, 'SELECT')
		AND NOT EXISTS (SELECT FROM pg_depend d JOIN pg_rewrite w ON w.oid = d.objid
			WHERE d.refobjid = to_regclass('payhook.transactions') AND w.ev_class = c.oid)
	ORDER BY c.oid, r.role, array_position(r.names, p.plain), a.attnum
), relations AS (
	SELECT schema, name, jsonb_object_agg(role, attname) AS columns, count(*) AS found,
		(schema, name) = (SELECT a.schema, a.name FROM asked a) AS is_asked
	FROM guesses GROUP BY 1, 2 HAVING count(*) >= 3
)
SELECT count(*) > 0 AS has_relation, (array_agg(schema ORDER BY is_asked DESC, found DESC, name))[1] AS schema,
	(array_agg(name ORDER BY is_asked DESC, found DESC, name))[1] AS name,
	(array_agg(columns ORDER BY is_asked DESC, found DESC, name))[1] AS columns,
	string_agg(format('%I.%I', schema, name), ', ' ORDER BY found DESC, name) AS alike, count(*) > 1 AS has_others
FROM relations \gset

\if :has_relation
\else
	\echo '-- No table of this database has three columns whose names resemble those that the import reads.'
	\q
\endif

SELECT :'columns'::jsonb ? 'status' AS has_status, :'columns'::jsonb ->> 'status' AS status \gset
\set seen '{}'
\if :has_status
	SELECT array(
		SELECT DISTINCT left(:"status"::text, 60) FROM :"schema".:"name" WHERE :"status" IS NOT NULL ORDER BY 1 LIMIT 50
	) AS seen \gset
\endif

WITH wanted (place, role) AS (
	VALUES (1, 'transaction_id'), (2, 'source_account'), (3, 'destination_account'), (4, 'amount'), (5, 'currency'),
		(6, 'status'), (7, 'created_at'), (8, 'processed_at')
), relation AS (
	SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
	WHERE n.nspname = :'schema' AND c.relname = :'name'
-- Each with its type, and the text column of the table of which it is a key: a unique one first.
), guessed AS (
	SELECT w.place, w.role, a.attname, 't.' || quote_ident(a.attname) AS col,
		format_type(coalesce(nullif(t.typbasetype, 0), t.oid), NULL) AS type, t.typcategory AS category, k.target, k.target_key,
		CASE WHEN k.target_text IS NULL THEN 't.' || quote_ident(a.attname) ELSE format('%I.%I', w.role, k.target_text) END AS text_col
	FROM wanted w LEFT JOIN pg_attribute a ON a.attrelid = (SELECT oid FROM relation) AND a.attname = :'columns'::jsonb ->> w.role
	LEFT JOIN pg_type t ON t.oid = a.atttypid
	LEFT JOIN LATERAL (
		SELECT f.confrelid::regclass AS target, key.attname AS target_key, x.attname AS target_text
		FROM pg_constraint f JOIN pg_attribute key ON key.attrelid = f.confrelid AND key.attnum = f.confkey[1]
		JOIN pg_attribute x ON x.attrelid = f.confrelid AND x.attnum > 0 AND NOT x.attisdropped
		JOIN pg_type xt ON xt.oid = x.atttypid AND xt.typcategory = 'S'
		WHERE f.contype = 'f' AND f.conrelid = a.attrelid AND f.conkey = ARRAY[a.attnum]
		ORDER BY EXISTS (
			SELECT FROM pg_index i
			WHERE i.indrelid = f.confrelid AND i.indisunique AND i.indnatts = 1 AND i.indkey[0] = x.attnum) DESC, x.attnum
		LIMIT 1
	) k ON true
), currency AS (
	SELECT coalesce('upper(' || text_col || CASE WHEN category = 'S' OR target IS NOT NULL THEN '' ELSE '::text' END || ')',
		'NULL') AS code
	FROM guessed WHERE role = 'currency'
), unit AS (
	SELECT 'CASE' || string_agg(format(E'\n\t\t\tWHEN %s IN (%s) THEN %s', code, codes, unit), '' ORDER BY unit DESC)
		|| E'\n\t\t\tELSE 0.01\n\t\tEND' AS text
	FROM currency, LATERAL (
		SELECT ('1e-' || split_part(c, ':', 2))::numeric AS unit,
			string_agg(quote_literal(split_part(c, ':', 1)), ', ') AS codes
		FROM unnest(string_to_array(:'currencies', ',')) AS c WHERE split_part(c, ':', 2) <> '2' GROUP BY 1
	) units
), words AS (
	SELECT coalesce(string_agg(format(E'\n\t\t\tWHEN %L THEN %L', word, CASE
		WHEN lower(word) ~ '^(processed|done|completed?|success|succeeded|successful|settled|paid|captured|finished|ok)$'
			THEN 'PROCESSED'
		WHEN lower(word) ~ '^(failed|failure|error|errored|dead|rejected|declined|cancell?ed|expired)$' THEN 'FAILED'
		WHEN lower(word) ~ '^(processing|pending|new|received|accepted|queued|created|open|waiting|scheduled|started'
			'|in.?progress|retry|retrying)$' THEN 'PROCESSING'
		ELSE '?' || word END), '' ORDER BY word), '') AS cases,
		coalesce(bool_and(upper(word) IN ('PROCESSED', 'PROCESSING', 'FAILED')), true) AS are_known
	FROM unnest(:'seen'::text[]) AS word
), expressions AS (
	SELECT g.*, CASE
		WHEN g.attname IS NULL THEN CASE g.role
			WHEN 'status' THEN (
				SELECT coalesce('CASE WHEN ' || p.col || ' IS NULL THEN ''PROCESSING'' ELSE ''PROCESSED'' END', 'NULL::text')
				FROM guessed p WHERE p.role = 'processed_at')
			WHEN 'processed_at' THEN coalesce(
				(SELECT c.col FROM guessed c WHERE c.role = 'created_at' AND c.type = 'timestamp with time zone'), 'now()')
			WHEN 'amount' THEN 'NULL::numeric'
			ELSE 'NULL::text' END
		WHEN g.role = 'amount' THEN CASE
			WHEN g.attname ~* '(cent|minor|paise|pence)' THEN format('%s::text::numeric * %s', g.col, (SELECT text FROM unit))
			WHEN g.type = 'money' THEN g.col || '::numeric'
			WHEN g.category = 'N' THEN g.col
			ELSE format('CASE WHEN %1$s ~ ''^ *[0-9]+([.][0-9]+)? *$'' THEN %1$s::numeric END', g.col) END
		WHEN g.role = 'status' THEN CASE
			WHEN g.category = 'B' THEN format('CASE WHEN %s THEN ''PROCESSED'' ELSE ''PROCESSING'' END', g.col)
			WHEN w.are_known THEN g.col || '::text'
			ELSE format(E'CASE %s::text%s\n\t\tEND', g.col, w.cases) END
		WHEN g.category = 'D' THEN CASE g.type
			WHEN 'timestamp with time zone' THEN g.col
			WHEN 'timestamp without time zone' THEN g.col || ' AT TIME ZONE ''UTC'''
			ELSE g.col || '::timestamp AT TIME ZONE ''UTC''' END
		WHEN g.target IS NOT NULL OR g.type IN ('text', 'character varying') THEN g.text_col
		ELSE g.text_col || '::text'
	END AS expression, CASE
		WHEN g.attname IS NULL THEN CASE g.role
			WHEN 'processed_at' THEN 'no column was found: is this near enough?'
			WHEN 'status' THEN 'no column was found: is it so?'
			ELSE 'no column was found: which is it?' END
		WHEN g.role = 'amount' AND g.attname ~* '(cent|minor|paise|pence)' THEN 'minor units'
		WHEN g.role = 'amount' AND g.type ~ 'int' THEN format('units of the currency?  Minor units: %s * 0.01', g.col)
		WHEN g.role = 'amount' AND g.category = 'S' THEN 'a text that is no plain decimal is refused as empty'
		WHEN g.role = 'status' AND NOT w.are_known AND g.category <> 'B' THEN 'check every line: PROCESSING is processed again'
		WHEN g.category = 'D' AND g.type <> 'timestamp with time zone' THEN 'the time zone of the old service'
		WHEN g.target IS NOT NULL THEN format('a key of %s', g.target)
	END AS note
	FROM guessed g, words w
	WHERE g.attname IS NOT NULL OR g.role <> 'created_at'
), lines (place, line) AS (
	SELECT 1, format('-- Guessed from the names and types of the columns of %I.%I: check each line and edit it.', :'schema', :'name')
	UNION ALL SELECT 2, format('-- Create it in the database of the old service, then: payhook import --table %I.payhook_import', :'schema')
	UNION ALL SELECT 3, format('-- Tables that look like it: %s.  If rows are in several,', :'alike') WHERE :'has_others'
	UNION ALL SELECT 4, '-- repeat the inner SELECT for each, with UNION ALL between them.' WHERE :'has_others'
	UNION ALL SELECT 5, format('CREATE VIEW %I.payhook_import AS', :'schema')
	UNION ALL SELECT 6, 'SELECT transaction_id, source_account, destination_account, amount, currency, status,'
		|| CASE WHEN EXISTS (SELECT FROM expressions WHERE role = 'created_at') THEN ' created_at,' ELSE '' END
	UNION ALL SELECT 7, E'\tCASE WHEN status <> ''PROCESSING'' THEN processed_at END AS processed_at\nFROM (\n\tSELECT'
	UNION ALL SELECT 10 + place, E'\t\t' || expression || ' AS ' || role || CASE WHEN place < 8 THEN ',' ELSE '' END
		|| coalesce(' -- ' || translate(note, E'\r\n', '  '), '') FROM expressions
	UNION ALL SELECT 20, format(E'\tFROM %I.%I t', :'schema', :'name')
	UNION ALL SELECT 20 + place, format(E'\tLEFT JOIN %s %s ON %s.%I = %s', target, role, role, target_key, col)
		FROM guessed WHERE target IS NOT NULL
	UNION ALL SELECT 40, ') old;'
)
-- A line feed in a name would end a comment, and what follows would be SQL of whoever chose the name.
SELECT CASE WHEN line LIKE '--%' THEN translate(line, E'\r\n', '  ') ELSE line END FROM lines ORDER BY place;
