-- Each cause of auth failures has a ring of its own: a flood of one cause, which anyone can send, overwrote the rows of all
-- others within a minute.
--
-- The table and its bound of 10,000 rows stay.  It has 16 rings of 625 slots.  A row's slot is still id % 10000; the function
-- chooses the id so that the slot is the next one of the cause's ring, and that a newer row has a higher id, also than any row
-- from before this migration.

CREATE SEQUENCE payhook.auth_failures_missing;
CREATE SEQUENCE payhook.auth_failures_malformed;
CREATE SEQUENCE payhook.auth_failures_unsupported;
CREATE SEQUENCE payhook.auth_failures_old;
CREATE SEQUENCE payhook.auth_failures_future;
CREATE SEQUENCE payhook.auth_failures_expired;
CREATE SEQUENCE payhook.auth_failures_wrong_url;
CREATE SEQUENCE payhook.auth_failures_wrong;
CREATE SEQUENCE payhook.auth_failures_failed;
CREATE SEQUENCE payhook.auth_failures_address;
CREATE SEQUENCE payhook.auth_failures_certificate;
CREATE SEQUENCE payhook.auth_failures_api_key;
CREATE SEQUENCE payhook.auth_failures_reused;
CREATE SEQUENCE payhook.auth_failures_other;

-- Adds auth failures, one for each element of the arrays; ages are microseconds since the failure.  Two calls meet in one row
-- only when one of them is overtaken by 625 others of its cause; then the newer row stays, whichever writes last.  A call with
-- more than 625 of one cause keeps the last ones.  Rows are written in the order of their slots, so two calls do not deadlock.
CREATE OR REPLACE FUNCTION payhook.add_auth_failures(sources text[], causes text[], details text[], skews_s bigint[],
	addresses text[], request_ids text[], ages_us bigint[]) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	INSERT INTO payhook.rejected_requests AS kept (id, source, cause, detail, skew_s, address, request_id, rejected_at)
	SELECT DISTINCT ON (f.slot) f.number * 10000 + f.slot, nullif(f.source, ''), f.cause, f.detail, nullif(f.skew_s, 0),
		nullif(f.address, ''), nullif(f.request_id, ''), now() - f.age_us * interval '1 microsecond'
	FROM (
		SELECT g.*, nextval('payhook.rejected_requests_id_seq') AS number, CASE g.cause
			WHEN 'missing' THEN 0 * 625 + nextval('payhook.auth_failures_missing') % 625
			WHEN 'malformed' THEN 1 * 625 + nextval('payhook.auth_failures_malformed') % 625
			WHEN 'unsupported' THEN 2 * 625 + nextval('payhook.auth_failures_unsupported') % 625
			WHEN 'old' THEN 3 * 625 + nextval('payhook.auth_failures_old') % 625
			WHEN 'future' THEN 4 * 625 + nextval('payhook.auth_failures_future') % 625
			WHEN 'expired' THEN 5 * 625 + nextval('payhook.auth_failures_expired') % 625
			WHEN 'wrong_url' THEN 6 * 625 + nextval('payhook.auth_failures_wrong_url') % 625
			WHEN 'wrong' THEN 7 * 625 + nextval('payhook.auth_failures_wrong') % 625
			WHEN 'failed' THEN 8 * 625 + nextval('payhook.auth_failures_failed') % 625
			WHEN 'address' THEN 9 * 625 + nextval('payhook.auth_failures_address') % 625
			WHEN 'certificate' THEN 10 * 625 + nextval('payhook.auth_failures_certificate') % 625
			WHEN 'api_key' THEN 11 * 625 + nextval('payhook.auth_failures_api_key') % 625
			WHEN 'reused' THEN 12 * 625 + nextval('payhook.auth_failures_reused') % 625
			ELSE 15 * 625 + nextval('payhook.auth_failures_other') % 625
		END AS slot
		FROM unnest(sources, causes, details, skews_s, addresses, request_ids, ages_us)
			AS g(source, cause, detail, skew_s, address, request_id, age_us)
	) f
	ORDER BY f.slot, f.number DESC
	ON CONFLICT (slot) DO UPDATE SET id = excluded.id, source = excluded.source, cause = excluded.cause,
		detail = excluded.detail, skew_s = excluded.skew_s, address = excluded.address,
		request_id = excluded.request_id, rejected_at = excluded.rejected_at
	WHERE kept.id < excluded.id;
END;

COMMENT ON FUNCTION payhook.add_auth_failures(text[], text[], text[], bigint[], text[], text[], bigint[]) IS 'Adds auth failures, each to the ring of its cause, of 625 rows; the responders call it';
COMMENT ON TABLE payhook.rejected_requests IS 'The last 625 auth failures of each cause, as rings of rows; holds no secret, signature or body; read it through the view auth_failures';
COMMENT ON COLUMN payhook.rejected_requests.id IS 'A number that counts on, times 10,000, plus the slot; the newest has the highest';
COMMENT ON COLUMN payhook.rejected_requests.slot IS 'Its place in the rings; the row of the same cause that comes 625 later takes it';
COMMENT ON COLUMN payhook.rejected_requests.cause IS 'missing, malformed, unsupported, old, future, expired, wrong_url, wrong, failed or reused (of a signature); address, certificate or api_key';
COMMENT ON VIEW payhook.auth_failures IS 'Requests without a valid signature, address, certificate or API key, each with its cause; newest first, the last 625 of each cause';
