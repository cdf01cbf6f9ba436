/* rescue.c - the statements that free the jobs of workers that were lost.
 *
 * A freed job gets a fresh id, so a settlement that its old worker still sends changes nothing.  Its attempt stays counted
 * and is recorded as unknown.  heartbeat.c decides when the statements are sent, peers.c for which workers. */

#include "queue/rescue.h"

/* The record of the calls that ended with their worker, in both statements that free its jobs.  Whether the processor was
 * called is unknown.  With the record the attempt counts: worker.c reads it when the job is claimed, so a job that kills
 * each worker that calls for it is dead after MAX_ATTEMPTS. */
#define RECORD                                                                                   \
	"  INSERT INTO payhook.job_attempts"                                                     \
	"    (transaction_id, source, attempt, started_at, finished_at, outcome, error, worker)" \
	"  SELECT transaction_id, source, attempt, least(claimed_at, now()), now(), 'unknown',"  \
	"    'the worker was lost before it had settled the job', owner FROM freed"

/* Declares a worker dead: deletes its row if its heartbeat is still the one that was observed, and frees its jobs.
 *
 * The deletion decides.  If a heartbeat commits first, the row has changed, so it is not deleted and no job is freed.
 * A heartbeat that comes later finds no row, and its worker takes another number.  If two observers try at once, only
 * one deletes the row.
 *
 * The attempts stay counted, because calls may have been made.  The jobs get fresh ids, so settlements that the dead
 * worker still sends change nothing; the commit waits for the disk, because a crash could issue the same ids again.
 *
 * Locks: SKIP LOCKED passes over jobs that a last settlement of the dead worker has locked, so a settlement and a
 * rescue cannot deadlock.  RESCUE_ORPHANS frees them later if they are still there.  It also frees jobs beyond the
 * limit, which keeps this transaction short, and jobs of a claim that the dead worker commits later.
 *
 * A lost answer: if it took effect, the next observation does not show the worker, and its jobs are reported as many as
 * its last heartbeat did.  If it did not, the worker is observed again.
 *
 * Plan: there is no index on owner, so it reads the whole table, but only after a worker was silent for
 * PEER_DEAD_MS. */
const struct statement RESCUE_DEAD = {"rescue",
	"WITH dead AS ("
	"  DELETE FROM payhook.workers"
	"  WHERE owner = $1::bigint AND (extract(epoch FROM beat_at) * 1000000)::bigint = $2::bigint"
	"  RETURNING owner, host, pid"
	"), lost AS MATERIALIZED ("
	"  SELECT id, owner, claimed_at FROM payhook.jobs WHERE owner = (SELECT owner FROM dead)"
	"  LIMIT $3::int FOR UPDATE SKIP LOCKED"
	"), freed AS ("
	"  UPDATE payhook.jobs j SET id = DEFAULT, owner = NULL, claimed_at = NULL"
	"  FROM lost l WHERE j.id = l.id AND j.owner = l.owner"
	"  RETURNING j.transaction_id, j.source, j.attempt, l.owner, l.claimed_at"
	"), recorded AS (" RECORD ") SELECT host, pid, (SELECT count(*) FROM freed) FROM dead"};

/* Frees orphans: jobs of an owner without a row in workers.
 *
 * A worker registers before it claims, and one snapshot shows both tables: the owner of each job that it shows has a
 * row in it, unless that row was deleted.  A lock on the job would break this.  PostgreSQL checks a locked row again in
 * its newest version, but still against the workers of the old snapshot; a job that was freed and claimed anew
 * meanwhile might have an owner that the snapshot lacks, and would be taken from a live worker.  So orphans are picked
 * without a lock, and then locked only if id and owner are still those of the snapshot: a job that was freed has
 * another id and is left alone.
 *
 * SKIP LOCKED: two observers do not wait for each other.  The commit waits for the disk, because it assigns ids.  A
 * lost answer: the next round finds the rest.
 *
 * Plan: there is no index on owner, because with one, no claim could be a HOT update.  So the statement reads the whole
 * table; heartbeat_on_orphans() limits how often. */
const struct statement RESCUE_ORPHANS = {"orphans",
	"WITH orphans AS MATERIALIZED ("
	"  SELECT id, owner FROM payhook.jobs j WHERE owner IS NOT NULL"
	"    AND NOT EXISTS (SELECT FROM payhook.workers w WHERE w.owner = j.owner) LIMIT $1::int"
	"), locked AS MATERIALIZED ("
	"  SELECT j.id, j.owner, j.claimed_at FROM payhook.jobs j JOIN orphans o ON j.id = o.id AND j.owner = o.owner"
	"  FOR UPDATE OF j SKIP LOCKED"
	"), freed AS ("
	"  UPDATE payhook.jobs j SET id = DEFAULT, owner = NULL, claimed_at = NULL"
	"  FROM locked l WHERE j.id = l.id RETURNING j.transaction_id, j.source, j.attempt, l.owner, l.claimed_at"
	"), recorded AS (" RECORD ") SELECT count(*) FROM freed"};
