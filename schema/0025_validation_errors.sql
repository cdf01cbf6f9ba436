-- Why webhooks are refused: 400, 413, 415 and 422.  A row has pointers and codes, and nothing of the body.
--
-- Each source has two rings of 100 rows, one of them for requests with a signature verified before: anyone can send the
-- others, and they must not push out what a provider needs to be looked into.

CREATE TABLE payhook.invalid_webhooks (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	failed_at timestamptz NOT NULL,
	source text NOT NULL CHECK (octet_length(source) <= 64),
	is_verified boolean NOT NULL,
	status int NOT NULL,
	problems text NOT NULL CHECK (octet_length(problems) <= 511),
	address text CHECK (octet_length(address) <= 64),
	request_id text CHECK (octet_length(request_id) <= 32)
);

CREATE INDEX invalid_webhooks_ring ON payhook.invalid_webhooks (source, is_verified, id);

COMMENT ON TABLE payhook.invalid_webhooks IS 'The last 100 validation errors of each source, and apart from them the last 100 without a verified signature; read it through the view validation_errors';
COMMENT ON COLUMN payhook.invalid_webhooks.id IS 'Ascending: the newest has the highest';
COMMENT ON COLUMN payhook.invalid_webhooks.failed_at IS 'When the request failed';
COMMENT ON COLUMN payhook.invalid_webhooks.source IS 'The source to which it was sent';
COMMENT ON COLUMN payhook.invalid_webhooks.is_verified IS 'Whether its signature had been verified; false: anyone may have sent it';
COMMENT ON COLUMN payhook.invalid_webhooks.status IS 'The status of the answer: 400, 413, 415 or 422';
COMMENT ON COLUMN payhook.invalid_webhooks.problems IS 'JSON pointers of members, each with a code; no values';
COMMENT ON COLUMN payhook.invalid_webhooks.address IS 'The client''s address; null: unknown';
COMMENT ON COLUMN payhook.invalid_webhooks.request_id IS 'The id of the request, as in the logs; null: nginx gave none';

CREATE VIEW payhook.validation_errors AS
SELECT failed_at, source, is_verified, status, problems, address, request_id
FROM payhook.invalid_webhooks
ORDER BY id DESC;

COMMENT ON VIEW payhook.validation_errors IS 'Webhooks that were answered 400, 413, 415 or 422, with pointers and codes; newest first, the last 100 of each source, and apart from them the last 100 without a verified signature';

-- Adds validation errors, one for each element of the arrays, and deletes what the rings have no room for.  Two calls at once
-- do not wait for each other: what one of them deletes the other leaves out.
CREATE FUNCTION payhook.add_validation_errors(sources text[], verified bigint[], statuses bigint[], problems text[],
	addresses text[], request_ids text[], ages_us bigint[]) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	INSERT INTO payhook.invalid_webhooks (failed_at, source, is_verified, status, problems, address, request_id)
	SELECT now() - g.age_us * interval '1 microsecond', g.source, g.is_verified <> 0, g.status, g.problem,
		nullif(g.address, ''), nullif(g.request_id, '')
	FROM unnest(sources, verified, statuses, problems, addresses, request_ids, ages_us) WITH ORDINALITY
		AS g(source, is_verified, status, problem, address, request_id, age_us, place)
	ORDER BY g.place;

	DELETE FROM payhook.invalid_webhooks w WHERE w.id IN (
		SELECT o.id FROM (SELECT DISTINCT g.source, g.is_verified <> 0 AS is_verified FROM unnest(sources, verified)
			AS g(source, is_verified)) r
		CROSS JOIN LATERAL (
			SELECT l.id FROM payhook.invalid_webhooks l WHERE l.source = r.source AND l.is_verified = r.is_verified
			ORDER BY l.id DESC OFFSET 99 LIMIT 1) last
		JOIN payhook.invalid_webhooks o ON o.source = r.source AND o.is_verified = r.is_verified AND o.id < last.id
		FOR UPDATE OF o SKIP LOCKED);
END $$;

COMMENT ON FUNCTION payhook.add_validation_errors(text[], bigint[], bigint[], text[], text[], text[], bigint[]) IS 'Adds validation errors to the rings of their sources; the responders call it';
