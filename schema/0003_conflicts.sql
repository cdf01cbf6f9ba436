-- Payloads that came under an id which already stands for something else.  The first write wins and is never
-- changed; these are kept for people to look into.

CREATE TABLE payhook.transaction_conflicts (
	transaction_id text NOT NULL,
	source text NOT NULL,
	ordinal smallint NOT NULL,
	body_sha256 bytea NOT NULL,
	body bytea NOT NULL,
	request_id text NOT NULL,
	first_seen timestamptz NOT NULL DEFAULT now(),
	last_seen timestamptz NOT NULL DEFAULT now(),
	count bigint NOT NULL DEFAULT 1,
	unkept bigint NOT NULL DEFAULT 0,
	PRIMARY KEY (transaction_id, source, ordinal),
	CONSTRAINT transaction_conflicts_body_once UNIQUE (transaction_id, source, body_sha256),
	-- Sixteen at most for one id, so that nobody can fill the disk.
	CONSTRAINT transaction_conflicts_bounded CHECK (ordinal BETWEEN 1 AND 16),
	CONSTRAINT transaction_conflicts_unkept_on_last CHECK (unkept = 0 OR ordinal = 16)
);

COMMENT ON TABLE payhook.transaction_conflicts IS 'Other payloads that came under the id of a stored transaction; at most 16 for one id';
COMMENT ON COLUMN payhook.transaction_conflicts.transaction_id IS 'With source: the transaction that was there first';
COMMENT ON COLUMN payhook.transaction_conflicts.source IS 'With transaction_id: the transaction that was there first';
COMMENT ON COLUMN payhook.transaction_conflicts.ordinal IS '1 for the first other payload under this id, up to 16';
COMMENT ON COLUMN payhook.transaction_conflicts.body_sha256 IS 'SHA-256 of body: the same bytes again only raise count';
COMMENT ON COLUMN payhook.transaction_conflicts.body IS 'The request body, byte for byte';
COMMENT ON COLUMN payhook.transaction_conflicts.request_id IS 'The request that brought it first';
COMMENT ON COLUMN payhook.transaction_conflicts.first_seen IS 'When it came first';
COMMENT ON COLUMN payhook.transaction_conflicts.last_seen IS 'When it came last';
COMMENT ON COLUMN payhook.transaction_conflicts.count IS 'How often these bytes came';
COMMENT ON COLUMN payhook.transaction_conflicts.unkept IS 'On the sixteenth row: how many requests brought yet other bytes, which were counted but not kept';
