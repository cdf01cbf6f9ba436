-- The console's overview, its lists of sources and workers, and the rights to all that 0030 to 0037 made.

-- Never below 0, as a moment may be by another server's clock.
CREATE FUNCTION payhook.console_age_ms(since timestamptz) RETURNS bigint
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT CASE WHEN since IS NOT NULL THEN greatest(payhook.console_ms(now() - since), 0) END $$;

COMMENT ON FUNCTION payhook.console_age_ms(timestamptz) IS 'Milliseconds since a moment; null for null';

CREATE FUNCTION payhook.console_sources_list() RETURNS json
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT coalesce(json_agg(json_build_object('source', s.source, 'first_seen_at', payhook.console_time(a.first_seen_at),
		'last_accepted_at', payhook.console_time(a.last_accepted_at), 'last_refused_at', payhook.console_time(a.last_refused_at),
		'accepted_per_minute', round(coalesce(r.accepted_5, 0) / 5.0, 1), 'accepted_hour', coalesce(r.accepted, 0),
		'processed_hour', coalesce(r.processed, 0), 'failed_hour', coalesce(r.failed, 0), 'refused_hour', coalesce(r.refused, 0),
		'silent_ms', payhook.console_age_ms(a.last_accepted_at),
		-- Its webhooks of the last day, spread evenly over the time until the last of them.
		'is_silent', coalesce(now() - a.last_accepted_at > greatest(interval '1 minute', 10 * (a.last_accepted_at - r.first_minute)
			/ nullif(r.accepted_day, 0)), false),
		'paused', (SELECT json_build_object('since', payhook.console_time(p.since), 'by', p.by_user, 'reason', p.reason)
			FROM payhook.source_pauses p WHERE p.source = s.source)) ORDER BY s.source COLLATE "C"), '[]')
	FROM (SELECT x.source FROM payhook.source_activity x UNION SELECT y.source FROM payhook.source_pauses y) s
	LEFT JOIN payhook.source_activity a ON a.source = s.source
	LEFT JOIN (SELECT x.source,
			sum(x.accepted) FILTER (WHERE x.minute >= date_trunc('minute', now()) - interval '5 minutes'
				AND x.minute < date_trunc('minute', now())) AS accepted_5,
			sum(x.accepted) FILTER (WHERE x.minute > now() - interval '1 hour') AS accepted,
			sum(x.processed) FILTER (WHERE x.minute > now() - interval '1 hour') AS processed,
			sum(x.failed) FILTER (WHERE x.minute > now() - interval '1 hour') AS failed,
			sum(x.refused) FILTER (WHERE x.minute > now() - interval '1 hour') AS refused,
			sum(x.accepted) AS accepted_day, min(x.minute) FILTER (WHERE x.accepted > 0) AS first_minute
		FROM payhook.rates x WHERE x.minute > now() - interval '24 hours' GROUP BY x.source) r ON r.source = s.source
$$;

COMMENT ON FUNCTION payhook.console_sources_list() IS 'The sources as the console shows them';

CREATE FUNCTION payhook.console_sources() RETURNS TABLE (status int, body json)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$ SELECT 200, json_build_object('data', payhook.console_sources_list()) $$;

COMMENT ON FUNCTION payhook.console_sources() IS 'The console''s list of sources: docs/console-api.md';

CREATE FUNCTION payhook.console_workers_list() RETURNS json
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT coalesce(json_agg(json_build_object('host', w.host, 'pid', w.pid, 'version', w.version, 'processor', w.processor,
		'started_at', payhook.console_time(w.started_at), 'beat_at', payhook.console_time(w.beat_at),
		'silent_ms', payhook.console_age_ms(w.beat_at), 'is_alive', w.beat_at > now() - interval '20 s',
		'in_flight', w.in_flight, 'circuit_open_since', payhook.console_time(w.circuit_open_since))
		ORDER BY w.host COLLATE "C", w.pid), '[]')
	FROM (SELECT x.* FROM payhook.workers x LIMIT 1000) w
$$;

COMMENT ON FUNCTION payhook.console_workers_list() IS 'The workers as the console shows them';

CREATE FUNCTION payhook.console_workers() RETURNS TABLE (status int, body json)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$ SELECT 200, json_build_object('data', payhook.console_workers_list()) $$;

COMMENT ON FUNCTION payhook.console_workers() IS 'The console''s list of workers: docs/console-api.md';

-- As STATS of lib/queue/stats.c: every part walks an index and stops at 10,001 rows, whatever the statistics of the tables are.
-- 10,000 stands for 10,000 and more; capped names what is more.
CREATE FUNCTION payhook.console_queue() RETURNS json
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
SET enable_bitmapscan = off
SET enable_sort = off
SET jit = off
AS $$
	WITH newest AS MATERIALIZED (
		SELECT owner IS NULL AND run_at IS NULL AS ready, enqueued_at, run_at FROM payhook.jobs ORDER BY id DESC LIMIT 10001
	), waiting AS MATERIALIZED (
		SELECT enqueued_at FROM payhook.jobs WHERE run_at < 'infinity' ORDER BY run_at LIMIT 10001
	), first AS MATERIALIZED (
		SELECT enqueued_at FROM (SELECT enqueued_at, run_at FROM payhook.jobs ORDER BY id LIMIT 10001) j
		WHERE run_at IS DISTINCT FROM 'infinity' LIMIT 1
	), ages AS (
		SELECT enqueued_at FROM first UNION ALL SELECT enqueued_at FROM waiting UNION ALL SELECT enqueued_at FROM newest
		WHERE run_at IS DISTINCT FROM 'infinity'
	), seen (name, number) AS (
		VALUES ('ready', (SELECT count(*) FROM newest WHERE ready)), ('waiting', (SELECT count(*) FROM waiting)),
			('claimed', (SELECT coalesce(sum(w.in_flight), 0) FROM payhook.workers w)),
			('parked', (SELECT count(*) FROM (SELECT FROM payhook.parked_jobs LIMIT 10001) p)),
			('held', (SELECT count(*) FROM (SELECT FROM payhook.jobs WHERE run_at = 'infinity' LIMIT 10001) h)),
			('dead', (SELECT count(*) FROM (SELECT FROM payhook.dead_jobs LIMIT 10001) d))
	)
	SELECT (jsonb_object_agg(s.name, least(s.number, 10000)) || jsonb_build_object(
		'capped', coalesce(jsonb_agg(s.name) FILTER (WHERE s.number > 10000), '[]'),
		'oldest_age_ms', (SELECT payhook.console_age_ms(min(a.enqueued_at)) FROM ages a)))::json
	FROM seen s
$$;

COMMENT ON FUNCTION payhook.console_queue() IS 'The numbers of jobs by state as the console shows them';

CREATE FUNCTION payhook.console_minutes() RETURNS json
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT json_agg(json_build_object('minute', payhook.console_time(m.minute), 'accepted', coalesce(r.accepted, 0),
		'processed', coalesce(r.processed, 0), 'failed', coalesce(r.failed, 0), 'refused', coalesce(r.refused, 0)) ORDER BY m.minute)
	FROM generate_series(date_trunc('minute', now()) - interval '59 minutes', date_trunc('minute', now()), interval '1 minute') m(minute)
	LEFT JOIN (SELECT x.minute, sum(x.accepted) AS accepted, sum(x.processed) AS processed, sum(x.failed) AS failed,
			sum(x.refused) AS refused
		FROM payhook.rates x WHERE x.minute > now() - interval '1 hour' GROUP BY x.minute) r ON r.minute = m.minute
$$;

COMMENT ON FUNCTION payhook.console_minutes() IS 'The last hour by minutes as the console shows it';

-- What an operator has to know, the gravest first.
CREATE FUNCTION payhook.console_problems(queue json) RETURNS TABLE (code text, detail text)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT * FROM (
		SELECT 'no_worker', 'no worker has sent a heartbeat within 20 s: start one'
		WHERE NOT EXISTS (SELECT FROM payhook.workers w WHERE w.beat_at > now() - interval '20 s')
		UNION ALL
		SELECT 'paused', format('all jobs are paused since %s by %s', payhook.console_time(p.since), p.by_user) FROM payhook.pauses p
		UNION ALL
		(SELECT 'source_paused', format('the jobs of source %s are paused since %s by %s', p.source, payhook.console_time(p.since), p.by_user)
		FROM payhook.source_pauses p ORDER BY p.source COLLATE "C" LIMIT 100)
		UNION ALL
		(SELECT 'circuit_open', format('the processor fails for the worker on %s, process %s, since %s: it tries one job at a time', w.host,
			w.pid, payhook.console_time(w.circuit_open_since))
		FROM payhook.workers w WHERE w.circuit_open_since IS NOT NULL ORDER BY w.host, w.pid LIMIT 100)
		UNION ALL
		(SELECT 'worker_silent', format('the worker on %s, process %s, has sent no heartbeat since %s', w.host, w.pid,
			payhook.console_time(w.beat_at))
		FROM payhook.workers w WHERE w.beat_at <= now() - interval '20 s' ORDER BY w.host, w.pid LIMIT 100)
		UNION ALL
		SELECT 'queue_old', format('the oldest job has waited for %s s', (queue ->> 'oldest_age_ms')::bigint / 1000)
		WHERE (queue ->> 'oldest_age_ms')::bigint > 60000
		UNION ALL
		SELECT 'held', format('%s FAILED transactions hold the later ones of their payments: retry or skip them', queue ->> 'held')
		WHERE (queue ->> 'held')::bigint > 0
		UNION ALL
		(SELECT 'unreadable', format('webhooks of source %s cannot be mapped and are kept: mend its mapping, then payhook remap', s.source)
		FROM payhook.unreadable_sources s
		WHERE EXISTS (SELECT FROM payhook.unreadable_webhooks u WHERE u.source = s.source) ORDER BY s.source COLLATE "C" LIMIT 100)
		UNION ALL
		SELECT 'dead_jobs', format('%s transactions are FAILED', queue ->> 'dead') WHERE (queue ->> 'dead')::bigint > 0
	) p(code, detail)
$$;

COMMENT ON FUNCTION payhook.console_problems(json) IS 'What the overview points out';

CREATE FUNCTION payhook.console_overview_now() RETURNS json
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	queue json := payhook.console_queue();
	problems json;
	is_down boolean;
BEGIN
	SELECT coalesce(json_agg(json_build_object('code', p.code, 'detail', p.detail)), '[]'), coalesce(bool_or(p.code = 'no_worker'), false)
	INTO problems, is_down FROM payhook.console_problems(queue) p;
	RETURN json_build_object('at', payhook.console_time(clock_timestamp()),
		'health', CASE WHEN is_down THEN 'down' WHEN json_array_length(problems) > 0 THEN 'attention' ELSE 'ok' END,
		'problems', problems, 'queue', queue, 'minutes', payhook.console_minutes(), 'sources', payhook.console_sources_list(),
		'workers', payhook.console_workers_list(),
		'paused', (SELECT json_build_object('since', payhook.console_time(p.since), 'by', p.by_user, 'reason', p.reason) FROM payhook.pauses p),
		'operations_running', (SELECT count(*) FROM payhook.operations o WHERE o.state = 'running'),
		'schema_version', (SELECT max(m.version) FROM payhook.migrations m));
END $$;

COMMENT ON FUNCTION payhook.console_overview_now() IS 'The overview, computed at this moment';

-- For all that look together it is computed once a second.  A row for a moment: it need not survive a crash, nor be on a standby.
CREATE UNLOGGED TABLE payhook.overview_cache (
	is_only boolean PRIMARY KEY DEFAULT true,
	computed_at timestamptz NOT NULL,
	body json NOT NULL,
	CONSTRAINT overview_cache_is_only CHECK (is_only)
) WITH (fillfactor = 10, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 200);

COMMENT ON TABLE payhook.overview_cache IS 'The console''s overview of this second; one row, none after a crash of the server';
COMMENT ON COLUMN payhook.overview_cache.is_only IS 'Always true, so that there is one row';
COMMENT ON COLUMN payhook.overview_cache.computed_at IS 'When';
COMMENT ON COLUMN payhook.overview_cache.body IS 'The answer';

-- One caller renews the row, those beside it get the last one, of at most a few seconds before.
CREATE FUNCTION payhook.console_overview() RETURNS TABLE (status int, body json)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	cached payhook.overview_cache;
BEGIN
	status := 200;
	SELECT c.* INTO cached FROM payhook.overview_cache c;
	IF cached.computed_at BETWEEN clock_timestamp() - interval '1 s' AND clock_timestamp() THEN
		body := cached.body;
		RETURN NEXT;
		RETURN;
	END IF;
	PERFORM FROM payhook.overview_cache c FOR UPDATE SKIP LOCKED;
	IF NOT FOUND AND cached.computed_at BETWEEN clock_timestamp() - interval '10 s' AND clock_timestamp() THEN
		body := cached.body;
		RETURN NEXT;
		RETURN;
	END IF;
	body := payhook.console_overview_now();
	INSERT INTO payhook.overview_cache AS c (computed_at, body) VALUES (clock_timestamp(), console_overview.body)
	ON CONFLICT (is_only) DO UPDATE SET computed_at = excluded.computed_at, body = excluded.body;
	RETURN NEXT;
END $$;

COMMENT ON FUNCTION payhook.console_overview() IS 'The console''s overview, computed at most once a second: docs/console-api.md';

-- ---- rights ----

-- The rights to what belongs to the console; grant_rights() calls it, after it has taken all others away.
CREATE FUNCTION payhook.grant_console_rights() RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	role text;
BEGIN
	IF to_regrole('payhook_app') IS NOT NULL THEN
		GRANT EXECUTE ON FUNCTION payhook.add_rates(text[], bigint[], bigint[], bigint[], bigint[]) TO payhook_app;
	END IF;

	IF to_regrole('payhook_worker') IS NOT NULL THEN
		GRANT INSERT (processor) ON payhook.workers TO payhook_worker;
		GRANT SELECT ON payhook.source_pauses TO payhook_worker;
		GRANT EXECUTE ON FUNCTION payhook.add_rates(text[], bigint[], bigint[], bigint[], bigint[]), payhook.run_operations()
			TO payhook_worker;
	END IF;

	IF to_regrole('payhook_operator') IS NOT NULL THEN
		GRANT EXECUTE ON FUNCTION payhook.pause(text), payhook.resume(text) TO payhook_operator;
	END IF;

	IF to_regrole('payhook_console') IS NOT NULL THEN
		REVOKE ALL ON ALL TABLES IN SCHEMA payhook FROM payhook_console;
		GRANT USAGE ON SCHEMA payhook TO payhook_console;
		GRANT EXECUTE ON FUNCTION payhook.console_refused(text, text, text, text, text, text, text) TO payhook_console;
	END IF;

	FOREACH role IN ARRAY '{payhook_operator,payhook_console}'::text[] LOOP
		CONTINUE WHEN to_regrole(role) IS NULL;
		PERFORM payhook.grant_console_functions(role = 'payhook_console');
	END LOOP;
END $$;

COMMENT ON FUNCTION payhook.grant_console_rights() IS 'What grant_rights() grants for the console';

-- The functions behind the routes.
CREATE FUNCTION payhook.grant_console_functions(to_console boolean) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF to_console THEN
		GRANT EXECUTE ON FUNCTION
			payhook.console_overview(), payhook.console_sources(), payhook.console_workers(),
			payhook.console_transactions(text, text, text, text, text, text, text, text, text, text, text, text, text, text),
			payhook.console_transaction(text, text), payhook.console_payload(text, text, text, text),
			payhook.console_conflict_body(text, text, text, text, text), payhook.console_payment(text, text),
			payhook.console_conflicts(text, text, text, text), payhook.console_auth_failures(text, text, text, text),
			payhook.console_actions(text, text, text, text, text, text), payhook.console_operations(text, text),
			payhook.console_operation(text), payhook.console_retry(text, text, text, text, text, text),
			payhook.console_skip(text, text, text, text, text),
			payhook.console_start_operation(text, text, text, text, text, text, text),
			payhook.console_cancel_operation(text, text, text, text), payhook.console_pause(text, text, text, text),
			payhook.console_resume(text, text, text, text) TO payhook_console;
	ELSE
		GRANT EXECUTE ON FUNCTION
			payhook.console_overview(), payhook.console_sources(), payhook.console_workers(),
			payhook.console_transactions(text, text, text, text, text, text, text, text, text, text, text, text, text, text),
			payhook.console_transaction(text, text), payhook.console_payload(text, text, text, text),
			payhook.console_conflict_body(text, text, text, text, text), payhook.console_payment(text, text),
			payhook.console_conflicts(text, text, text, text), payhook.console_auth_failures(text, text, text, text),
			payhook.console_actions(text, text, text, text, text, text), payhook.console_operations(text, text),
			payhook.console_operation(text), payhook.console_retry(text, text, text, text, text, text),
			payhook.console_skip(text, text, text, text, text),
			payhook.console_start_operation(text, text, text, text, text, text, text),
			payhook.console_cancel_operation(text, text, text, text), payhook.console_pause(text, text, text, text),
			payhook.console_resume(text, text, text, text) TO payhook_operator;
	END IF;
END $$;

COMMENT ON FUNCTION payhook.grant_console_functions(boolean) IS 'Grants the functions behind the console''s routes to payhook_console (true) or payhook_operator';

-- As in 0027, and the console's.
CREATE OR REPLACE FUNCTION payhook.grant_rights() RETURNS text
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	REVOKE ALL ON ALL FUNCTIONS IN SCHEMA payhook FROM PUBLIC;

	IF to_regrole('payhook_app') IS NOT NULL THEN
		REVOKE ALL ON ALL TABLES IN SCHEMA payhook FROM payhook_app;
		GRANT USAGE ON SCHEMA payhook TO payhook_app;
		GRANT SELECT, INSERT (transaction_id, source, source_account, destination_account, amount, currency, payment_id, kind, part,
			is_total, occurred_at, payload_id, payload_at) ON payhook.transactions TO payhook_app;
		GRANT SELECT ON payhook.payments TO payhook_app;
		GRANT INSERT (source, transaction_id, traceparent) ON payhook.jobs TO payhook_app;
		GRANT INSERT (lane, lane_no, source, transaction_id, traceparent, continues) ON payhook.parked_jobs TO payhook_app;
		GRANT INSERT ON payhook.payloads TO payhook_app;
		GRANT USAGE ON SEQUENCE payhook.payload_ids, payhook.lane_numbers TO payhook_app;
		GRANT SELECT (transaction_id, source, ordinal, body_sha256, count, unkept),
			INSERT (transaction_id, source, ordinal, body_sha256, body, request_id), UPDATE (count, last_seen, unkept)
			ON payhook.transaction_conflicts TO payhook_app;
		GRANT EXECUTE ON FUNCTION
			payhook.add_auth_failures(text[], text[], text[], bigint[], text[], text[], bigint[]),
			payhook.add_rejections(text[], text[], text[], bigint[], text[], text[], bigint[]),
			payhook.add_validation_errors(text[], bigint[], bigint[], text[], text[], text[], bigint[]),
			payhook.keep_unreadable(text[], text[], text[], text[], bytea[], text[], text[]),
			payhook.remember_transmissions(text[], text[], bytea[]),
			payhook.lane_of(text, text), payhook.activate(bigint[]), payhook.payloads_day(date),
			payhook.payment_state(payhook.payment_event[]), payhook.older_workers(int)
			TO payhook_app;
	END IF;

	IF to_regrole('payhook_worker') IS NOT NULL THEN
		REVOKE ALL ON ALL TABLES IN SCHEMA payhook FROM payhook_worker;
		GRANT USAGE ON SCHEMA payhook TO payhook_worker;
		GRANT SELECT, DELETE, UPDATE (id, attempt, run_at, owner, claimed_at),
			INSERT (source, transaction_id, attempt, enqueued_at, run_at, last_error, traceparent, lane, lane_no, continues)
			ON payhook.jobs TO payhook_worker;
		GRANT SELECT, DELETE, UPDATE (status, processed_at, failure) ON payhook.transactions TO payhook_worker;
		GRANT SELECT (transaction_id, source), DELETE ON payhook.transaction_conflicts TO payhook_worker;
		GRANT SELECT, DELETE, INSERT (owner, host, pid, version, level), UPDATE (beat_at, in_flight, circuit_open_since)
			ON payhook.workers TO payhook_worker;
		GRANT SELECT (transaction_id, source, died_at),
			INSERT (transaction_id, source, attempts, error, enqueued_at, traceparent, lane, lane_no)
			ON payhook.dead_jobs TO payhook_worker;
		GRANT INSERT (transaction_id, source, attempt, started_at, finished_at, outcome, error, worker)
			ON payhook.job_attempts TO payhook_worker;
		GRANT SELECT ON payhook.parked_jobs, payhook.payloads TO payhook_worker;
		GRANT SELECT ON SEQUENCE payhook.lane_numbers TO payhook_worker;
		GRANT SELECT ON payhook.pauses TO payhook_worker;
		GRANT SELECT, UPDATE (at) ON payhook.retention_clock TO payhook_worker;
		GRANT EXECUTE ON FUNCTION payhook.keep_attempts(int), payhook.keep_partitions(int, int), payhook.activate(bigint[]) TO payhook_worker;
	END IF;

	IF to_regrole('payhook_operator') IS NOT NULL THEN
		REVOKE ALL ON ALL TABLES IN SCHEMA payhook FROM payhook_operator;
		GRANT USAGE ON SCHEMA payhook TO payhook_operator;
		GRANT SELECT ON ALL TABLES IN SCHEMA payhook TO payhook_operator;
		GRANT EXECUTE ON FUNCTION payhook.retry(text, text), payhook.retry_all(timestamptz, text), payhook.skip(text, text),
			payhook.pause(), payhook.resume(), payhook.forget(text, boolean), payhook.drop_unreadable(bigint),
			payhook.payment_state(payhook.payment_event[]) TO payhook_operator;
		IF payhook.compatibility_view() IS NOT NULL THEN
			GRANT SELECT ON public.transactions_transaction TO payhook_operator;
		END IF;
	END IF;

	PERFORM payhook.grant_console_rights();

	RETURN coalesce('rights given to ' || nullif(concat_ws(', ', to_regrole('payhook_app'), to_regrole('payhook_worker'),
		to_regrole('payhook_operator'), to_regrole('payhook_console')), ''), 'none of the roles exists');
END $$;

DO $$ BEGIN PERFORM payhook.grant_rights(); END $$;

COMMENT ON FUNCTION payhook.grant_rights() IS 'Gives payhook_app, payhook_worker, payhook_operator and payhook_console, as far as they exist, the rights that their statements need';
