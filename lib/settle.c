/* settle.c - the statement that ends what a claim began. */

#include "settle.h"

#include "base.h"

/* Settles jobs in one durable commit: each gets what came of its call, and its attempt goes on record.
 *
 *	processed  the job is gone, the transaction PROCESSED
 *	failed     the job is gone, a dead job remembers it, the transaction FAILED
 *	retried    the job waits, nobody's, until its time; the watch then gives it a fresh id
 *	probed     the same, and the attempt does not count
 *
 * The fence is the match of id, owner and identity.  Whoever was taken for dead meanwhile names an id that is gone,
 * since every release assigns a fresh one, and changes nothing.  So does the same settlement sent twice: the job is gone,
 * or it waits under no owner.  One more may be settled: the job whose claim a crash of the server undid.  It has the same
 * id and no owner as well, but it is ready, and its attempt is the one before ours; nobody else has it, the call was made.
 *
 * Whatever is written follows from the rows that matched, so a stale result leaves no trace.  The given are sorted, since
 * two such settlements that meet take their rows in one order then. */
const struct statement SETTLE = {"settle",
	"WITH given AS MATERIALIZED ("
	"  SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::bigint[], $6::text[],"
	"    $7::bigint[], $8::bigint[], $9::text[])"
	"    AS g(id, owner, transaction_id, source, attempt, outcome, began_ms, delay_ms, error) ORDER BY id"
	"), ended AS ("
	"  DELETE FROM payhook.jobs j USING given g"
	"  WHERE g.outcome IN ('processed', 'failed') AND j.id = g.id"
	"    AND (j.owner = g.owner OR (j.owner IS NULL AND j.run_at IS NULL AND j.attempt = g.attempt - 1))"
	"    AND j.transaction_id = g.transaction_id AND j.source = g.source"
	"  RETURNING j.enqueued_at, g.*"
	"), waiting AS ("
	"  UPDATE payhook.jobs j SET owner = NULL, claimed_at = NULL, last_error = g.error,"
	"    run_at = now() + g.delay_ms * interval '1 ms',"
	"    attempt = CASE g.outcome WHEN 'probed' THEN greatest(g.attempt - 1, 0) ELSE g.attempt END"
	"  FROM given g"
	"  WHERE g.outcome IN ('retried', 'probed') AND j.id = g.id"
	"    AND (j.owner = g.owner OR (j.owner IS NULL AND j.run_at IS NULL AND j.attempt = g.attempt - 1))"
	"    AND j.transaction_id = g.transaction_id AND j.source = g.source"
	"  RETURNING g.*"
	"), marked AS ("
	"  UPDATE payhook.transactions t SET"
	"    status = CASE e.outcome WHEN 'processed' THEN 'PROCESSED' ELSE 'FAILED' END,"
	"    processed_at = CASE e.outcome WHEN 'processed' THEN now() END,"
	"    failure = CASE e.outcome WHEN 'failed' THEN e.error END"
	"  FROM ended e"
	"  WHERE t.transaction_id = e.transaction_id AND t.source = e.source AND t.status <> 'PROCESSED'"
	"  RETURNING e.*"
	"), buried AS ("
	"  INSERT INTO payhook.dead_jobs (transaction_id, source, attempts, error, enqueued_at)"
	"  SELECT transaction_id, source, attempt, error, enqueued_at FROM marked WHERE outcome = 'failed'"
	"  ON CONFLICT DO NOTHING" /* one is there already: somebody's hand; the settlement is not held up by it */
	"), settled AS ("
	"  SELECT id, owner, transaction_id, source, attempt, outcome, began_ms, error FROM ended"
	"  UNION ALL"
	"  SELECT id, owner, transaction_id, source, attempt, outcome, began_ms, error FROM waiting"
	"), recorded AS ("
	"  INSERT INTO payhook.job_attempts"
	"    (transaction_id, source, attempt, started_at, finished_at, outcome, error, worker)"
	"  SELECT transaction_id, source, attempt, now() - began_ms * interval '1 ms', now(), outcome,"
	"    nullif(error, ''), owner FROM settled"
	") SELECT id FROM settled"};

static const char *outcome(enum end end)
{
	switch (end) {
	case END_PROCESSED:
		return "processed";
	case END_RETRIED:
		return "retried";
	case END_FAILED:
		return "failed";
	case END_PROBED:
		return "probed";
	}
	return "";
}

/* How long ago a call began, and how long from now another is due: so only the server's clock counts. */
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
		db_array_add_text(&arrays[5], outcome(j->end));
		db_array_add_int8(&arrays[6], now_ms - j->began_ms);
		db_array_add_int8(&arrays[7], j->delay_ms);
		db_array_add_text(&arrays[8], j->error ? j->error : "");
	}
	for (int i = 0; i < SETTLE_ARRAYS; i++)
		db_params_add_array(p, &arrays[i]);
}
