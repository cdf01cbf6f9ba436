/* release.c - the statement with which a worker frees jobs that are its own in the database and not in its memory.
 *
 * queue.c decides when it is sent. */

#include "queue/release.h"

/* The release: frees the jobs that have our owner and are not among the given keys, each an id, a source and a
 * transaction_id.  The id alone is not enough: see inflight.h.  These are jobs of a claim whose answer was lost, jobs
 * that the worker declined, and jobs that it dropped.  The attempt does not count: either no call was made, or the
 * worker cancelled it because it stops.
 *
 * The jobs keep their lanes and get fresh ids, so a settlement that still comes under an old id changes nothing.  The
 * commit waits for the disk, as in every statement that assigns ids: a crash could otherwise issue the same id again.
 *
 * Locks: the update waits for a row that another transaction has locked, then checks the owner again; a job that a
 * rescue has freed meanwhile is left alone.  A settlement of ours that the server still runs names only ids in flight,
 * so the two never meet.
 *
 * A lost answer: sent again, it frees the rest.  A claim that the server commits after this statement is caught by the
 * second release, QUEUE_AGAIN_MS later.
 *
 * Plan: there is no index on owner, so it walks the whole primary key, dead rows included.  It is sent rarely: after a
 * lost claim, on a new connection, after a declined job, and when the worker stops.  The given keys are hashed, because
 * the plan is made for this call. */
const struct statement RELEASE = {"release",
	"WITH lost AS MATERIALIZED ("
	"  SELECT id FROM payhook.jobs WHERE owner = $1::bigint"
	"    AND id || ' ' || source || ' ' || transaction_id <> ALL ($2::text[]) LIMIT $3::int"
	"), freed AS ("
	"  UPDATE payhook.jobs j SET id = DEFAULT, owner = NULL, claimed_at = NULL, attempt = greatest(j.attempt - 1, 0)"
	"  WHERE j.id = ANY (ARRAY(SELECT id FROM lost)) AND j.owner = $1::bigint RETURNING 1"
	") SELECT count(*) FROM freed"};
