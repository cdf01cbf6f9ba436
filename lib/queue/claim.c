/* claim.c - the statement that takes jobs.
 *
 * A claim changes the owner of a row and commits: nothing stays locked during the call, and a worker that dies needs no
 * transaction to be rolled back.  Its rows keep its owner until another worker frees them (heartbeat.c).  Which jobs a
 * worker may still settle is decided by settle.c. */

#include "queue/claim.h"

#include <string.h>

#include "base/encode.h"

/* Takes ready jobs, which have neither owner nor run_at, lowest ids first, and commits at once.
 *
 * Locks: SKIP LOCKED passes over rows that another worker is taking at this moment, so claims never wait for each
 * other.  A row that another worker took between our snapshot and our lock is checked again when it is locked, and left
 * out.  The CTE is materialized, because a limited sub-select inside IN may be run again for each row, and then locks
 * more rows than its limit.
 *
 * Commit: it does not wait for the disk.  A crash of the server may undo a claim; the job is then ready again under the
 * same id, and settle.c still accepts the settlement of a call that was made.  set_config() with is_local ends with the
 * transaction, so the session's own setting stays.  A claim with a job of a lane does wait: if it were undone, another
 * worker would call for that payment beside the first.
 *
 * A lost answer: the rows may have our owner while no process knows of them.  queue.c releases them before it claims
 * again.
 *
 * Plan: the update is HOT, because no index names owner, claimed_at or attempt and the pages of the table have room for
 * a second version of each row.  With an index on any of these columns, the update could not be HOT.  The picked rows
 * are updated by an array of ids and not by a join, because one order of that join walks the whole index, dead rows
 * included; a planner with statistics of ten rows prefers that order.
 *
 * While the workers are paused (payhook.pauses) it takes no job, and none of a source that is paused by itself: it walks
 * past those, and the cursor stays behind none of them, so that a resumed source is found by the next look from 0.  What
 * does not depend on a row, also the list of paused sources, is evaluated once for the statement. */
#define TAKE                                                                      \
	"WITH picked AS MATERIALIZED ("                                           \
	"  SELECT id, transaction_id, source, lane FROM payhook.jobs"             \
	"  WHERE id > $1::bigint AND owner IS NULL AND run_at IS NULL"            \
	"    AND NOT EXISTS (SELECT FROM payhook.pauses)"                         \
	"    AND source <> ALL (ARRAY(SELECT source FROM payhook.source_pauses))" \
	"  ORDER BY id LIMIT $2::int FOR UPDATE SKIP LOCKED"                      \
	")"
#define MARK                                                                                         \
	" UPDATE payhook.jobs j SET owner = $3::bigint, claimed_at = now(), attempt = j.attempt + 1" \
	"  WHERE j.id = ANY (ARRAY("
#define MARKED                                                                            \
	")) AND (SELECT CASE WHEN count(lane) > 0 THEN true"                              \
	"    ELSE set_config('synchronous_commit', 'off', true) = 'off' END FROM picked)" \
	"  RETURNING j.id, j.transaction_id, j.source, j.attempt, j.traceparent, j.lane"
#define PICKED "SELECT id FROM picked"

const struct statement CLAIM = {"claim", TAKE MARK PICKED MARKED};

/* The same claim, and the transaction of each job, looked up by its primary key.  The transaction is not locked: after
 * its insert only its status changes, which is not read here.  If a transaction was deleted by hand, its job is claimed
 * all the same and returned with nulls. */
#define CREATED_AT "to_char(t.created_at AT TIME ZONE 'UTC', " DB_TIME_FORMAT ")"
#define OCCURRED_AT "to_char(t.occurred_at AT TIME ZONE 'UTC', " DB_TIME_FORMAT ")"
#define WHOLE                                                                                   \
	"c.id, c.transaction_id, c.source, c.attempt, c.traceparent, c.lane, t.source_account," \
	"  t.destination_account, t.amount::text, t.currency, " CREATED_AT ", t.kind, t.payment_id, " OCCURRED_AT
#define OF_TRANSACTION \
	"  LEFT JOIN payhook.transactions t ON t.transaction_id = c.transaction_id AND t.source = c.source"

const struct statement CLAIM_WHOLE = {
	"claim_whole", TAKE ", claimed AS (" MARK PICKED MARKED ") SELECT " WHOLE " FROM claimed c" OF_TRANSACTION};

/* The same, and the request that brought each transaction, found by its key in the partition of its day.
 *
 * The bodies of a claim are bounded in bytes, since a thousand of them may be a gigabyte: picked jobs behind the bound
 * are not marked, and are ready again with this commit.  octet_length() does not fetch the body that it measures.  The
 * requests are then looked up a second time, for the marked jobs alone: carried along, they would be joined to the
 * marked jobs in a loop over both. */
#define OF_REQUEST "  LEFT JOIN payhook.payloads p ON p.payload_id = t.payload_id AND p.received_at = t.payload_at"

const struct statement CLAIM_ORIGINAL = {"claim_original",
	TAKE ", sized AS MATERIALIZED ("
	     "  SELECT c.id, coalesce(sum(octet_length(p.body)) OVER ("
	     "    ORDER BY c.id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS before"
	     "  FROM picked c" OF_TRANSACTION OF_REQUEST "), claimed AS (" MARK
	     "SELECT id FROM sized WHERE before < $4::bigint" MARKED ") SELECT " WHOLE
	     ", p.content_type, p.headers::text, encode(p.body, 'hex')"
	     "  FROM claimed c" OF_TRANSACTION OF_REQUEST};

/* Columns of CLAIM_ORIGINAL behind those of CLAIM_WHOLE. */
enum { CONTENT_TYPE = 14, HEADERS, BODY };

const struct statement *claim_statement(enum claim_form form, int64_t bodies, struct db_params *p)
{
	switch (form) {
	case CLAIM_IDENTITY:
		return &CLAIM;
	case CLAIM_TRANSACTION:
		return &CLAIM_WHOLE;
	case CLAIM_REQUEST:
		db_params_add_int8(p, bodies);
		return &CLAIM_ORIGINAL;
	}
	return NULL;
}

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
		.has_lane = !db_null(r, row, 5),
		.lane = db_int8(r, row, 5),
	};
	if (!whole)
		return;
	ret->source_account = claim_text_or_null(r, row, 6);
	ret->destination_account = claim_text_or_null(r, row, 7);
	ret->amount = claim_text_or_null(r, row, 8);
	ret->currency = claim_text_or_null(r, row, 9);
	ret->created_at = claim_text_or_null(r, row, 10);
	ret->kind = claim_text_or_null(r, row, 11);
	ret->payment_id = claim_text_or_null(r, row, 12);
	ret->occurred_at = claim_text_or_null(r, row, 13);
}

int64_t claim_bodies(size_t in_flight)
{
	int64_t room = CLAIM_IN_FLIGHT_MAX - (int64_t)in_flight;
	return room < CLAIM_BODIES_MAX ? room : CLAIM_BODIES_MAX;
}

static size_t claim_body_len(const struct pg_result *r, int row)
{
	return strlen(db_text(r, row, BODY)) / 2;
}

bool claim_is_full(const struct pg_result *r, int64_t bodies)
{
	for (int row = 0; row < db_rows(r); row++)
		bodies -= (int64_t)claim_body_len(r, row);
	return bodies <= 0;
}

bool claim_read_request(const struct pg_result *r, int row, struct buf *body, struct job *ret)
{
	if (db_null(r, row, BODY))
		return true;
	size_t len = claim_body_len(r, row);
	buf_reset(body, len);
	char *room = buf_room(body, len);
	if (!room || !encode_read(ENCODING_HEX, db_text(r, row, BODY), 2 * len, (unsigned char *)room, len, &len))
		return false;
	buf_grown(body, len);
	ret->content_type = db_text(r, row, CONTENT_TYPE);
	ret->headers = db_text(r, row, HEADERS);
	ret->body = body->data;
	ret->body_len = len;
	return true;
}
