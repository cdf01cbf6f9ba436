-- A dead job that some session holds locked, such as a psql left in a transaction, kept the operation of it first in the order, where it
-- failed again and again: none of the other operations had its turn.  Its batch waits for the lock now, and the others go on.  The rest
-- is the function of 0036.
CREATE OR REPLACE FUNCTION payhook.run_operations() RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '1s'
AS $$
DECLARE
	o payhook.operations;
	upto int;
	ids text[];
	sources text[];
	done bigint;
BEGIN
	SELECT x.* INTO o FROM payhook.operations x WHERE x.state = 'running' ORDER BY x.stepped_at, x.operation_id LIMIT 1
	FOR UPDATE SKIP LOCKED;
	IF NOT FOUND THEN
		DELETE FROM payhook.operation_members m WHERE (m.operation_id, m.ordinal) IN (
			SELECT y.operation_id, y.ordinal FROM payhook.operation_members y JOIN payhook.operations x USING (operation_id)
			WHERE x.finished_at < now() - interval '30 days' ORDER BY y.operation_id, y.ordinal LIMIT 1000);
		RETURN (SELECT 250 FROM payhook.operations x WHERE x.state = 'running' LIMIT 1);
	END IF;
	-- clock_timestamp(), since the row may have been locked by the batch before.
	upto := least(o.total, o.handled + floor(o.rate * least(greatest(extract(epoch FROM clock_timestamp() - o.stepped_at), 0), 1))::int);
	IF upto = o.handled AND o.handled < o.total THEN
		RETURN 250;
	END IF;
	SELECT coalesce(array_agg(m.transaction_id), '{}'), coalesce(array_agg(m.source), '{}') INTO ids, sources
	FROM payhook.operation_members m WHERE m.operation_id = o.operation_id AND m.ordinal > o.handled AND m.ordinal <= upto;
	BEGIN
		done := payhook.retry_members(ids, sources);
	EXCEPTION WHEN lock_not_available THEN
		RAISE WARNING 'payhook: operation % waits for a lock that another session holds: see pg_blocking_pids()', o.operation_id;
		UPDATE payhook.operations x SET stepped_at = clock_timestamp() WHERE x.operation_id = o.operation_id;
		RETURN 250;
	END;
	UPDATE payhook.operations x SET handled = upto, retried = x.retried + done, stepped_at = clock_timestamp(),
		state = CASE WHEN upto = x.total THEN 'done' ELSE 'running' END,
		finished_at = CASE WHEN upto = x.total THEN clock_timestamp() END
	WHERE x.operation_id = o.operation_id;
	IF done > 0 THEN
		PERFORM pg_notify('jobs', '');
	END IF;
	RETURN 250;
END $$;
