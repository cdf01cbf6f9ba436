-- What operators did is on record: each act writes its row in its own transaction, so there is no act without a row and no row
-- without its act.  No role may write the table; functions do, with the rights of the owner.

-- As in 0010, for the console: a program that calls functions and reads no table.
DO $$ BEGIN
	IF to_regrole('payhook_console') IS NULL THEN
		CREATE ROLE payhook_console NOLOGIN;
	END IF;
EXCEPTION
	WHEN insufficient_privilege OR duplicate_object OR unique_violation THEN NULL;
END $$;

-- Only in effect for a login of this very name; the program sets it on its connections too.
DO $$ BEGIN
	IF to_regrole('payhook_console') IS NOT NULL THEN
		ALTER ROLE payhook_console SET statement_timeout = '2s';
	END IF;
EXCEPTION
	WHEN insufficient_privilege OR undefined_object THEN NULL;
END $$;

CREATE TABLE payhook.operator_actions (
	action_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	acted_at timestamptz NOT NULL DEFAULT now(),
	actor text NOT NULL CONSTRAINT operator_actions_actor_length CHECK (char_length(actor) BETWEEN 1 AND 255),
	via text NOT NULL CONSTRAINT operator_actions_via_known CHECK (via IN ('console', 'psql')),
	action text NOT NULL CONSTRAINT operator_actions_action_form CHECK (action ~ '^[a-z_]{1,32}$'),
	source text CONSTRAINT operator_actions_source_length CHECK (char_length(source) <= 255),
	transaction_id text CONSTRAINT operator_actions_transaction_id_length CHECK (char_length(transaction_id) <= 255),
	operation_id bigint,
	reason text CONSTRAINT operator_actions_reason_length CHECK (char_length(reason) <= 500),
	request_id text CONSTRAINT operator_actions_request_id_length CHECK (char_length(request_id) <= 64),
	outcome text NOT NULL CONSTRAINT operator_actions_outcome_known CHECK (outcome IN ('done', 'nothing', 'refused')),
	detail text NOT NULL CONSTRAINT operator_actions_detail_length CHECK (char_length(detail) <= 2000)
);

CREATE INDEX operator_actions_transaction ON payhook.operator_actions (transaction_id) WHERE transaction_id IS NOT NULL;

COMMENT ON TABLE payhook.operator_actions IS 'What operators did, and what was refused to them; written in the transaction of the act, never changed';
COMMENT ON COLUMN payhook.operator_actions.action_id IS 'The newest has the highest';
COMMENT ON COLUMN payhook.operator_actions.acted_at IS 'When';
COMMENT ON COLUMN payhook.operator_actions.actor IS 'The name of the API key or of the signed-in user; in psql the database user';
COMMENT ON COLUMN payhook.operator_actions.via IS 'console or psql';
COMMENT ON COLUMN payhook.operator_actions.action IS 'retry, retry_processed, retry_all, skip, pause, resume, start_operation, cancel_operation, payload or conflict_body';
COMMENT ON COLUMN payhook.operator_actions.source IS 'With transaction_id: the transaction; alone: the source; null: neither';
COMMENT ON COLUMN payhook.operator_actions.transaction_id IS 'With source: the transaction; null: none';
COMMENT ON COLUMN payhook.operator_actions.operation_id IS 'The operation that was started or canceled';
COMMENT ON COLUMN payhook.operator_actions.reason IS 'As the operator gave it';
COMMENT ON COLUMN payhook.operator_actions.request_id IS 'The id of the request, as in the logs';
COMMENT ON COLUMN payhook.operator_actions.outcome IS 'done, nothing (there was nothing to do) or refused (the right was missing)';
COMMENT ON COLUMN payhook.operator_actions.detail IS 'What happened';

-- The owner's rights do not help either.
CREATE FUNCTION payhook.keep_operator_actions() RETURNS trigger
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RAISE EXCEPTION 'operator_actions is a record: its rows are not changed, nor deleted'
		USING ERRCODE = 'insufficient_privilege';
END $$;

COMMENT ON FUNCTION payhook.keep_operator_actions() IS 'The trigger that refuses to change or delete rows of operator_actions';

CREATE TRIGGER operator_actions_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON payhook.operator_actions
FOR EACH STATEMENT EXECUTE FUNCTION payhook.keep_operator_actions();

COMMENT ON TRIGGER operator_actions_kept ON payhook.operator_actions IS 'Refuses to change or delete a row';

-- Only the console may name an actor, which has seen the key, and the owner; an operator in psql acts as the database user.
CREATE FUNCTION payhook.may_name_actor() RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT pg_has_role(session_user, (SELECT n.nspowner FROM pg_namespace n WHERE n.nspname = 'payhook'), 'MEMBER')
		OR EXISTS (SELECT FROM pg_roles r WHERE r.rolname = 'payhook_console' AND pg_has_role(session_user, r.oid, 'MEMBER'))
$$;

COMMENT ON FUNCTION payhook.may_name_actor() IS 'Whether the database user may put an act on record in the name of somebody else';

-- The actor of an act: the one that is given, if the caller may name one, else the database user.
CREATE FUNCTION payhook.actor_of(actor text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE WHEN coalesce(actor, '') <> '' AND payhook.may_name_actor() THEN left(actor, 255) ELSE session_user END
$$;

COMMENT ON FUNCTION payhook.actor_of(text) IS 'The actor that goes on record: the given one if the caller may name one, else the database user';

-- Adds a row and returns its action_id.  An act without an actor, as one in psql, is that of the database user.  Texts are cut at
-- their bounds, since a record must not fail for its length.
CREATE FUNCTION payhook.record_action(action text, source text, transaction_id text, operation_id bigint, reason text, actor text,
	request_id text, outcome text, detail text) RETURNS bigint
LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
	INSERT INTO payhook.operator_actions (actor, via, action, source, transaction_id, operation_id, reason, request_id, outcome,
		detail)
	VALUES (payhook.actor_of(record_action.actor),
		CASE WHEN coalesce(record_action.actor, '') <> '' AND payhook.may_name_actor() THEN 'console' ELSE 'psql' END,
		record_action.action, nullif(left(record_action.source, 255), ''), nullif(left(record_action.transaction_id, 255), ''),
		record_action.operation_id, nullif(left(record_action.reason, 500), ''), nullif(left(record_action.request_id, 64), ''),
		record_action.outcome, left(record_action.detail, 2000))
	RETURNING action_id
$$;

COMMENT ON FUNCTION payhook.record_action(text, text, text, bigint, text, text, text, text, text) IS 'Adds a row to operator_actions; the functions of acts call it';

-- Pausing one source.  While it has a row, claims leave its jobs where they are.
CREATE TABLE payhook.source_pauses (
	source text PRIMARY KEY CONSTRAINT source_pauses_source_length CHECK (octet_length(source) BETWEEN 1 AND 255),
	since timestamptz NOT NULL DEFAULT now(),
	by_user text NOT NULL DEFAULT session_user,
	reason text
);

COMMENT ON TABLE payhook.source_pauses IS 'One row for each source of which no worker claims a job; accepting goes on';
COMMENT ON COLUMN payhook.source_pauses.source IS 'The source';
COMMENT ON COLUMN payhook.source_pauses.since IS 'When it was paused first';
COMMENT ON COLUMN payhook.source_pauses.by_user IS 'The operator: the name of a key or a database user';
COMMENT ON COLUMN payhook.source_pauses.reason IS 'As the operator gave it; null: none';

ALTER TABLE payhook.pauses ADD COLUMN reason text;

COMMENT ON COLUMN payhook.pauses.reason IS 'As the operator gave it; null: none';

-- Each returns whether it changed something, and a text for the operator.  source null: all sources.
CREATE FUNCTION payhook.set_pause(source text, actor text, reason text) RETURNS TABLE (is_done boolean, detail text)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	paused_since timestamptz;
BEGIN
	IF set_pause.source IS NULL THEN
		INSERT INTO payhook.pauses (by_user, reason) VALUES (payhook.actor_of(set_pause.actor), set_pause.reason)
		ON CONFLICT DO NOTHING;
		is_done := FOUND;
		SELECT p.since INTO paused_since FROM payhook.pauses p;
		detail := format('paused since %s: workers finish what they have and claim no more; webhooks are accepted', paused_since);
	ELSE
		INSERT INTO payhook.source_pauses (source, by_user, reason)
		VALUES (set_pause.source, payhook.actor_of(set_pause.actor), set_pause.reason) ON CONFLICT DO NOTHING;
		is_done := FOUND;
		SELECT p.since INTO paused_since FROM payhook.source_pauses p WHERE p.source = set_pause.source;
		detail := format('source %s is paused since %s: workers claim none of its jobs; its webhooks are accepted',
			set_pause.source, paused_since);
	END IF;
	RETURN NEXT;
END $$;

COMMENT ON FUNCTION payhook.set_pause(text, text, text) IS 'What the functions that pause share';

CREATE FUNCTION payhook.end_pause(source text) RETURNS TABLE (is_done boolean, detail text)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	paused_since timestamptz;
BEGIN
	IF end_pause.source IS NULL THEN
		DELETE FROM payhook.pauses p RETURNING p.since INTO paused_since;
		is_done := FOUND;
		detail := CASE WHEN is_done THEN format('working again; paused since %s', paused_since) ELSE 'not paused' END;
	ELSE
		DELETE FROM payhook.source_pauses p WHERE p.source = end_pause.source RETURNING p.since INTO paused_since;
		is_done := FOUND;
		detail := CASE WHEN is_done THEN format('source %s works again; paused since %s', end_pause.source, paused_since)
			ELSE format('source %s is not paused', end_pause.source) END;
	END IF;
	PERFORM pg_notify('jobs', '');
	RETURN NEXT;
END $$;

COMMENT ON FUNCTION payhook.end_pause(text) IS 'What the functions that resume share';

-- As before, and on record.
CREATE OR REPLACE FUNCTION payhook.pause() RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	done record;
BEGIN
	SELECT * INTO done FROM payhook.set_pause(NULL, NULL, NULL);
	PERFORM payhook.record_action('pause', NULL, NULL, NULL, NULL, NULL, NULL,
		CASE WHEN done.is_done THEN 'done' ELSE 'nothing' END, done.detail);
	RETURN done.detail;
END $$;

CREATE OR REPLACE FUNCTION payhook.resume() RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	done record;
BEGIN
	SELECT * INTO done FROM payhook.end_pause(NULL);
	PERFORM payhook.record_action('resume', NULL, NULL, NULL, NULL, NULL, NULL,
		CASE WHEN done.is_done THEN 'done' ELSE 'nothing' END, done.detail);
	RETURN done.detail;
END $$;

CREATE FUNCTION payhook.pause(source text) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	done record;
BEGIN
	IF coalesce(pause.source, '') = '' THEN
		RAISE EXCEPTION 'which source? pause() pauses all' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	SELECT * INTO done FROM payhook.set_pause(pause.source, NULL, NULL);
	PERFORM payhook.record_action('pause', pause.source, NULL, NULL, NULL, NULL, NULL,
		CASE WHEN done.is_done THEN 'done' ELSE 'nothing' END, done.detail);
	RETURN done.detail;
END $$;

CREATE FUNCTION payhook.resume(source text) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	done record;
BEGIN
	IF coalesce(resume.source, '') = '' THEN
		RAISE EXCEPTION 'which source? resume() resumes all' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	SELECT * INTO done FROM payhook.end_pause(resume.source);
	PERFORM payhook.record_action('resume', resume.source, NULL, NULL, NULL, NULL, NULL,
		CASE WHEN done.is_done THEN 'done' ELSE 'nothing' END, done.detail);
	RETURN done.detail;
END $$;

COMMENT ON FUNCTION payhook.pause(text) IS 'No worker claims a job of this source until resume(source); its webhooks are accepted all the same';
COMMENT ON FUNCTION payhook.resume(text) IS 'Ends the pause of one source';

-- retry(), retry_all() and skip() on record.  What they do stays in functions of their own, which the console calls too.

CREATE OR REPLACE FUNCTION payhook.retry(transaction_id text, source text DEFAULT 'transactions') RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	is_done boolean := payhook.retry_dead('-infinity', '%', coalesce(retry.transaction_id, ''), coalesce(retry.source, '')) > 0;
	detail text := CASE WHEN is_done THEN format('%s of source %s is PROCESSING again', retry.transaction_id, retry.source)
		ELSE format('nothing done: %s of source %s has no dead job', retry.transaction_id, retry.source) END;
BEGIN
	PERFORM payhook.record_action('retry', retry.source, retry.transaction_id, NULL, NULL, NULL, NULL,
		CASE WHEN is_done THEN 'done' ELSE 'nothing' END, detail);
	IF is_done THEN
		-- The notification goes out with the commit; a job is worth the moment it takes, this is not the accept path.
		PERFORM pg_notify('jobs', '');
	END IF;
	RETURN detail;
END $$;

CREATE OR REPLACE FUNCTION payhook.retry_all(since timestamptz DEFAULT '-infinity', error_like text DEFAULT '%') RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	retried bigint := payhook.retry_dead(retry_all.since, retry_all.error_like, NULL, NULL);
	detail text := format('%s transactions are PROCESSING again', retried);
BEGIN
	PERFORM payhook.record_action('retry_all', NULL, NULL, NULL, NULL, NULL, NULL,
		CASE WHEN retried > 0 THEN 'done' ELSE 'nothing' END,
		format('%s; since %s, error like %s', detail, retry_all.since, retry_all.error_like));
	PERFORM pg_notify('jobs', '');
	RETURN detail;
END $$;

-- The body of skip() in 0021, with its locks in that order; returns whether a held job was given up.
CREATE FUNCTION payhook.skip_held(transaction_id text, source text) RETURNS boolean
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	held_lane bigint;
	next payhook.parked_jobs;
BEGIN
	SELECT j.lane INTO held_lane FROM payhook.jobs j
	WHERE j.run_at = 'infinity' AND j.transaction_id = skip_held.transaction_id AND j.source = skip_held.source;
	SELECT p.* INTO next FROM payhook.parked_jobs p WHERE p.lane = held_lane ORDER BY p.lane_no LIMIT 1 FOR UPDATE;
	DELETE FROM payhook.jobs j
	WHERE j.run_at = 'infinity' AND j.transaction_id = skip_held.transaction_id AND j.source = skip_held.source;
	IF NOT FOUND THEN
		RETURN false;
	END IF;
	IF next.lane IS NOT NULL THEN
		INSERT INTO payhook.jobs (source, transaction_id, enqueued_at, traceparent, lane, lane_no, continues)
		VALUES (next.source, next.transaction_id, next.enqueued_at, next.traceparent, next.lane, next.lane_no, next.continues);
		DELETE FROM payhook.parked_jobs p WHERE p.lane = next.lane AND p.lane_no = next.lane_no;
		PERFORM pg_notify('jobs', '');
	END IF;
	RETURN true;
END $$;

COMMENT ON FUNCTION payhook.skip_held(text, text) IS 'What skip() and the console share: gives a held job up and moves the next of its lane into jobs';

CREATE OR REPLACE FUNCTION payhook.skip(transaction_id text, source text DEFAULT 'transactions') RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	is_done boolean := payhook.skip_held(skip.transaction_id, skip.source);
	detail text := CASE WHEN is_done THEN format('%s of source %s stays FAILED, and its payment goes on', skip.transaction_id,
		skip.source) ELSE format('nothing done: %s of source %s holds no other', skip.transaction_id, skip.source) END;
BEGIN
	PERFORM payhook.record_action('skip', skip.source, skip.transaction_id, NULL, NULL, NULL, NULL,
		CASE WHEN is_done THEN 'done' ELSE 'nothing' END, detail);
	RETURN detail;
END $$;
