-- Bodies that are no JSON text: a webhook may come in gzip, or as a form, and is kept as it came.

-- A body in gzip is shown as its hexadecimal digits: it is no text, and one such row would make the view fail for all.
CREATE OR REPLACE VIEW payhook.conflicts AS
SELECT c.transaction_id, c.source, c.ordinal, c.count, c.unkept, c.first_seen, c.last_seen, c.request_id,
	t.amount AS stored_amount, t.currency AS stored_currency, t.status,
	CASE substring(c.body FROM 1 FOR 2) WHEN '\x1f8b' THEN '\x' || encode(c.body, 'hex') ELSE convert_from(c.body, 'UTF8') END AS body
FROM payhook.transaction_conflicts c LEFT JOIN payhook.transactions t USING (transaction_id, source)
ORDER BY c.last_seen DESC;

-- Whether a body names an account: as a string or a number of exactly this value, anywhere in it, or as the value of a form's
-- field, or anywhere in JSON that is the value of one.  In JSON every character may be written as an escape, so a body with a
-- backslash is parsed even if it lacks the bytes; in a form likewise one with a percent sign or a plus.  A body that jsonb cannot
-- hold names it if it has the bytes.  What is in gzip is not looked into.
CREATE OR REPLACE FUNCTION payhook.body_names(body bytea, account text) RETURNS boolean
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	wanted CONSTANT bytea := convert_to(account, 'UTF8');
	has_bytes boolean := position(wanted IN body) > 0;
	has_escape boolean := position('\x5c'::bytea IN body) > 0;
	content text;
	field text;
	decoded bytea;
BEGIN
	IF NOT has_bytes AND NOT has_escape AND position('\x25'::bytea IN body) = 0 AND position('\x2b'::bytea IN body) = 0 THEN
		RETURN false;
	END IF;
	BEGIN
		content := convert_from(body, 'UTF8');
		IF content ~ '^[ \t\r\n]*[[{]' THEN
			RETURN (has_bytes OR has_escape) AND jsonb_path_exists(content::jsonb, '$.** ? (@ == $text || @ == $number)',
				jsonb_build_object('text', account, 'number',
				CASE WHEN account ~ '^(0|-?[1-9][0-9]*)$' THEN to_jsonb(account::numeric) ELSE to_jsonb(account) END));
		END IF;
		IF content !~ '^[^&=]*=' THEN
			RETURN has_bytes;
		END IF;
		FOR field IN SELECT translate(substring(f FROM position('=' IN f) + 1), '+', ' ')
			FROM regexp_split_to_table(content, '&') f WHERE position('=' IN f) > 0
		LOOP
			SELECT string_agg(CASE WHEN p.place = 1 THEN convert_to(p.piece, 'UTF8')
				ELSE decode(left(p.piece, 2), 'hex') || convert_to(substring(p.piece FROM 3), 'UTF8') END, ''::bytea ORDER BY p.place)
			INTO decoded FROM regexp_split_to_table(field, '%') WITH ORDINALITY AS p(piece, place);
			IF decoded = wanted OR (substring(decoded FROM 1 FOR 1) IN ('\x7b', '\x5b') AND payhook.body_names(decoded, account)) THEN
				RETURN true;
			END IF;
		END LOOP;
		RETURN false;
	EXCEPTION
		WHEN data_exception OR program_limit_exceeded THEN
			RETURN has_bytes;
	END;
END $$;

COMMENT ON FUNCTION payhook.body_names(bytea, text) IS 'Whether a body, JSON or a form, has a string or a number of exactly this value; forget() uses it';
