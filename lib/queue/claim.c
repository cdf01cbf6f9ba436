/* claim.c - the statement that takes jobs. */

#include "queue/claim.h"

/* Takes jobs that are ready and nobody has, oldest first, and commits: nothing stays locked during the call.
 *
 * SKIP LOCKED: what another worker is just taking is not waited for.  The CTE is materialized since a limited
 * sub-select inside IN may be run again for each row, and then locks more rows than its limit.  A row that another
 * worker took between our snapshot and our lock is checked again when it is locked, and left out.
 *
 * The update is HOT: no index names owner, claimed_at or attempt, and the table's pages have room for it.  An index on
 * any of them would end that.
 *
 * Its commit does not wait for the disk: a claim that a crash of the server undoes leaves the job as it was, ready and
 * under the same id.  set_config() with is_local ends with the transaction, so no session is changed.
 *
 * The picked are updated by their ids, as an array, and not by a join: one order of a join walks the whole index, dead
 * rows and all, and is what a planner prefers who was told that the table holds ten rows.
 *
 * While the workers are paused it returns nothing; both conditions that name no job are asked once, not for each row. */
#define TAKE                                                                     \
	"WITH picked AS MATERIALIZED ("                                          \
	"  SELECT id FROM payhook.jobs"                                          \
	"  WHERE id > $1::bigint AND owner IS NULL AND run_at IS NULL"           \
	"    AND NOT EXISTS (SELECT FROM payhook.pauses)"                        \
	"    AND (SELECT set_config('synchronous_commit', 'off', true)) = 'off'" \
	"  ORDER BY id LIMIT $2::int FOR UPDATE SKIP LOCKED"                     \
	")"
#define MARK                                                                                         \
	" UPDATE payhook.jobs j SET owner = $3::bigint, claimed_at = now(), attempt = j.attempt + 1" \
	"  WHERE j.id = ANY (ARRAY(SELECT id FROM picked))"                                          \
	"  RETURNING j.id, j.transaction_id, j.source, j.attempt, j.traceparent"

const struct statement CLAIM = {"claim", TAKE MARK};

/* The same with the transactions, for processors that tell them to somebody.  Read after the claim, by their primary key;
 * a job whose transaction is gone (somebody's hand) comes with nulls, since it is claimed all the same. */
const struct statement CLAIM_WHOLE = {"claim_whole", TAKE
	", claimed AS (" MARK
	") SELECT c.id, c.transaction_id, c.source, c.attempt, c.traceparent, t.source_account, t.destination_account, t.amount::text,"
	"  t.currency, to_char(t.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
	"  FROM claimed c LEFT JOIN payhook.transactions t"
	"    ON t.transaction_id = c.transaction_id AND t.source = c.source"};

void claim_params(struct db_params *p, int64_t after, int limit, int64_t owner)
{
	db_params_add_int8(p, after);
	db_params_add_int8(p, limit);
	db_params_add_int8(p, owner);
}

static const char *claim_text_or_null(const struct pg_result *r, int row, int column)
{
	return db_null(r, row, column) ? NULL : db_text(r, row, column);
}

void claim_read(const struct pg_result *r, int row, int64_t owner, bool whole, struct job *ret)
{
	*ret = (struct job){
		.id = db_int8(r, row, 0),
		.owner = owner,
		.transaction_id = db_text(r, row, 1),
		.source = db_text(r, row, 2),
		.attempt = (int)db_int8(r, row, 3),
		.traceparent = claim_text_or_null(r, row, 4),
	};
	if (!whole)
		return;
	ret->source_account = claim_text_or_null(r, row, 5);
	ret->destination_account = claim_text_or_null(r, row, 6);
	ret->amount = claim_text_or_null(r, row, 7);
	ret->currency = claim_text_or_null(r, row, 8);
	ret->created_at = claim_text_or_null(r, row, 9);
}
