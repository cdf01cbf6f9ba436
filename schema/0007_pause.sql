-- Pausing: while the row is there, no claim returns a job.  Accepting goes on.

CREATE TABLE payhook.pauses (
	paused boolean PRIMARY KEY DEFAULT true,
	since timestamptz NOT NULL DEFAULT now(),
	by_user text NOT NULL DEFAULT session_user,
	CONSTRAINT pauses_one_row CHECK (paused)
);

COMMENT ON TABLE payhook.pauses IS 'One row while the workers are paused, none while they work';
COMMENT ON COLUMN payhook.pauses.paused IS 'Always true: there can be one row only';
COMMENT ON COLUMN payhook.pauses.since IS 'When pause() was called first';
COMMENT ON COLUMN payhook.pauses.by_user IS 'The database user who called it';

CREATE FUNCTION payhook.pause() RETURNS text
LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
	INSERT INTO payhook.pauses DEFAULT VALUES ON CONFLICT DO NOTHING;
	SELECT format('paused since %s: workers finish what they have and claim no more; webhooks are accepted', since)
	FROM payhook.pauses;
$$;

CREATE FUNCTION payhook.resume() RETURNS text
LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
	WITH gone AS (DELETE FROM payhook.pauses RETURNING since)
	SELECT CASE WHEN count(*) = 0 THEN 'not paused'
		ELSE format('working again; paused since %s', min(since)) END || left(pg_notify('jobs', '')::text, 0)
	FROM gone;
$$;

COMMENT ON FUNCTION payhook.pause() IS 'No worker claims a job until resume(); webhooks are accepted all the same';
COMMENT ON FUNCTION payhook.resume() IS 'Ends a pause';
