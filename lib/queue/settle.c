/* settle.c - the statement that settles a batch of jobs with any mix of outcomes.
 *
 * One idea holds it together: the jobs that are still this worker's are locked first, and everything that is written
 * follows from them.  So a job is settled once, and a stale settlement changes nothing.  Forming batches and sending a
 * batch again after a lost answer are the work of settle_batch.c and queue.c. */

#include "queue/settle.h"

#include "base/base.h"

/* Settles jobs in one durable commit: each gets the outcome of its call, and its attempt is recorded.
 *
 *	processed  the job is deleted, the transaction is PROCESSED
 *	failed     the job is deleted and recorded in dead_jobs, the transaction is FAILED
 *	retried    a new row without an owner waits until run_at; heartbeat.c then enqueues it
 *	probed     the same, and the attempt does not count
 *	postponed  the same, for a cause on our side
 *	unknown    a new row is ready at once, and the attempt counts
 *	exhausted  as failed; the claim that found the attempts used up is not an attempt
 *
 * A job without its transaction is recorded in dead_jobs too: nothing else shows that a webhook was accepted.
 *
 * Lanes: a job that waits keeps its lane and number.  A failed or exhausted one is held, a new row with run_at
 * infinity, unless its source lets the payment go on; so the lane is not free.  The index on lanes is checked at each
 * insert, which therefore begins when all deletions are done: that is what the count of them is for.  The next of a
 * lane is activated later (queue.c): the snapshot of this statement does not show what was parked meanwhile.
 *
 * Fence: id, owner and identity must match.  Two jobs of a batch may have one id (inflight.h); at most one of them is
 * that of the row, so results are returned by the place in the batch.  A worker that was declared dead names an id that
 * is gone, since every release assigns a fresh one, and changes nothing.  There is one exception.  If a crash of the
 * server undid a claim, the job has its old id, no owner, and the attempt before ours; the call was made, so the job may
 * be settled as long as it is ready.
 *
 * Locks: jobs that pass the fence are locked, so no release or rescue can free them before the commit.  They are locked
 * in the order of their ids, so two settlements cannot deadlock.  A rescue skips locked jobs, so it cannot deadlock
 * with a settlement either.
 *
 * A lost answer: the same statement is sent again.  If the first one took effect, its jobs are gone (a job that waits
 * for a retry is a new row with a new id), and the second changes nothing.
 *
 * Standby: a commit that writes nothing waits for no synchronous standby.  What the first one did may be on this server
 * alone, if its wait was cancelled; so one that finds no job writes a message, which is in the log behind that.
 * Whether there is a synchronous standby is decided here, as in INGEST_STORE.
 *
 * Commit: it waits for the disk, because it assigns ids and because a settlement that a crash undoes would be followed
 * by a second call.
 *
 * Plan: the jobs are looked up one by one, in a sub-select that FOR UPDATE keeps from becoming a join, and deleted by
 * an array of ids, for the reason given in claim.c. */
const struct statement SETTLE = {"settle",
	"WITH given AS MATERIALIZED ("
	"  SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::bigint[], $6::text[],"
	"    $7::bigint[], $8::bigint[], $9::text[]) WITH ORDINALITY"
	"    AS g(id, owner, transaction_id, source, attempt, outcome, began_ms, delay_ms, error, place) ORDER BY id"
	"), ours AS MATERIALIZED ("
	"  SELECT g.*, found.* FROM given g CROSS JOIN LATERAL ("
	"    SELECT j.enqueued_at, j.traceparent, j.lane, j.lane_no, j.continues FROM payhook.jobs j"
	"    WHERE j.id = g.id AND j.transaction_id = g.transaction_id AND j.source = g.source"
	"      AND (j.owner = g.owner OR (j.owner IS NULL AND j.run_at IS NULL AND j.attempt = g.attempt - 1))"
	"    FOR UPDATE"
	"  ) AS found"
	"), gone AS ("
	"  DELETE FROM payhook.jobs WHERE id = ANY (ARRAY(SELECT id FROM ours)) RETURNING 1"
	"), marked AS ("
	"  UPDATE payhook.transactions t SET"
	"    status = CASE o.outcome WHEN 'processed' THEN 'PROCESSED' ELSE 'FAILED' END,"
	"    processed_at = CASE o.outcome WHEN 'processed' THEN now() END,"
	"    failure = CASE WHEN o.outcome <> 'processed' THEN o.error END"
	"  FROM ours o"
	"  WHERE o.outcome IN ('processed', 'failed', 'exhausted')"
	"    AND t.transaction_id = o.transaction_id AND t.source = o.source AND t.status <> 'PROCESSED'"
	"  RETURNING o.*"
	"), waiting AS ("
	"  INSERT INTO payhook.jobs (source, transaction_id, attempt, enqueued_at, run_at, last_error, traceparent,"
	"    lane, lane_no, continues)"
	"  SELECT source, transaction_id,"
	"    CASE WHEN outcome IN ('probed', 'postponed') THEN greatest(attempt - 1, 0) ELSE attempt END, enqueued_at,"
	"    CASE WHEN outcome IN ('failed', 'exhausted') THEN 'infinity'"
	"      WHEN outcome <> 'unknown' THEN now() + delay_ms * interval '1 ms' END, error, traceparent,"
	"    lane, lane_no, continues"
	"  FROM (SELECT * FROM ours WHERE outcome IN ('retried', 'probed', 'postponed', 'unknown')"
	"    UNION ALL SELECT * FROM marked"
	"    WHERE outcome IN ('failed', 'exhausted') AND lane IS NOT NULL AND continues IS NOT TRUE) AS w"
	"  WHERE (SELECT count(*) FROM gone) > 0"
	"), buried AS ("
	"  INSERT INTO payhook.dead_jobs"
	"    (transaction_id, source, attempts, error, enqueued_at, traceparent, lane, lane_no)"
	"  SELECT d.transaction_id, d.source, CASE d.outcome WHEN 'failed' THEN d.attempt ELSE d.attempt - 1 END, d.error,"
	"    d.enqueued_at, d.traceparent, d.lane, d.lane_no"
	"  FROM (SELECT * FROM marked UNION ALL SELECT * FROM ours o WHERE NOT EXISTS (SELECT FROM payhook.transactions t"
	"    WHERE t.transaction_id = o.transaction_id AND t.source = o.source OFFSET 0)) AS d"
	"  WHERE d.outcome IN ('failed', 'exhausted')"
	"  ON CONFLICT DO NOTHING" /* a row left by hand does not hold up the settlement */
	"), recorded AS ("
	"  INSERT INTO payhook.job_attempts"
	"    (transaction_id, source, attempt, started_at, finished_at, outcome, error, worker)"
	"  SELECT transaction_id, source, attempt, now() - began_ms * interval '1 ms', now(), outcome,"
	"    nullif(error, ''), owner FROM ours WHERE outcome <> 'exhausted'"
	") SELECT place - 1, greatest(extract(epoch FROM now() - enqueued_at) * 1000000, 0)::bigint FROM ours"
	"  UNION ALL SELECT NULL, NULL WHERE CASE"
	"    WHEN current_setting('synchronous_standby_names') <> '' AND NOT EXISTS (SELECT FROM ours)"
	"    THEN pg_logical_emit_message(true, 'payhook', 'settled') IS NULL END"};

static const char *settle_outcome(enum job_outcome outcome)
{
	switch (outcome) {
	case JOB_PROCESSED:
		return "processed";
	case JOB_RETRIED:
		return "retried";
	case JOB_FAILED:
		return "failed";
	case JOB_PROBED:
		return "probed";
	case JOB_POSTPONED:
		return "postponed";
	case JOB_UNKNOWN:
		return "unknown";
	case JOB_EXHAUSTED:
		return "exhausted";
	}
	return "";
}

/* Times are sent relative to now: how long ago the call began, and how long until the next one is due.  So only the
 * server's clock counts, and workers on machines with different clocks agree. */
void settle_params(
	struct db_params *p, struct db_array arrays[SETTLE_ARRAYS], struct job *const *batch, int count, int64_t now_ms)
{
	static const enum db_type TYPES[SETTLE_ARRAYS] = {
		DB_INT8, DB_INT8, DB_TEXT, DB_TEXT, DB_INT8, DB_TEXT, DB_INT8, DB_INT8, DB_TEXT};
	for (int i = 0; i < SETTLE_ARRAYS; i++)
		db_array_start(&arrays[i], TYPES[i]);
	for (int i = 0; i < count; i++) {
		const struct job *j = batch[i];
		db_array_add_int8(&arrays[0], j->id);
		db_array_add_int8(&arrays[1], j->owner);
		db_array_add_text(&arrays[2], j->transaction_id);
		db_array_add_text(&arrays[3], j->source);
		db_array_add_int8(&arrays[4], j->attempt);
		db_array_add_text(&arrays[5], settle_outcome(j->outcome));
		db_array_add_int8(&arrays[6], now_ms - j->began_ms);
		db_array_add_int8(&arrays[7], j->delay_ms);
		db_array_add_text(&arrays[8], j->error ? j->error : "");
	}
	for (int i = 0; i < SETTLE_ARRAYS; i++)
		db_params_add_array(p, &arrays[i]);
}
