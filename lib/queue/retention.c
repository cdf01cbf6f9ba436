/* retention.c - the end of old transactions. */

#include "queue/retention.h"

/* Deletes processed transactions that are older than so many days, and their conflicts with them.
 *
 * Never one younger than 31 days, whatever is asked for: processors send again for up to 30, and an id that is sent
 * again must still meet its row.  Those that are PROCESSING or FAILED stay, however old.
 *
 * SKIP LOCKED: what anybody else holds is left to the next round, so this waits for nobody; two workers share the work.
 * Its commit does not wait for the disk, so a sender that comes back with an id of that age waits for no more than the
 * deletions; a crash undoes them, and they are made again.
 *
 * Rows lie in the order of their arrival, which the BRIN index knows.  A batch begins at the time where the last one
 * ended: the dead rows before it are not walked through again.  What it misses, the next round
 * finds, which begins at the beginning.  Attempts have a time of their own. */
const struct statement RETENTION = {"retention",
	"WITH old AS MATERIALIZED ("
	"  SELECT transaction_id, source, created_at FROM payhook.transactions"
	"  WHERE created_at < now() - greatest($1::int, 31) * interval '24 hours' AND created_at >= $2::timestamptz"
	"    AND status = 'PROCESSED' AND (SELECT set_config('synchronous_commit', 'off', true)) = 'off'"
	"  LIMIT $3::int FOR UPDATE SKIP LOCKED"
	"), conflicts AS ("
	"  DELETE FROM payhook.transaction_conflicts c USING old o"
	"  WHERE c.transaction_id = o.transaction_id AND c.source = o.source"
	"), deleted AS ("
	"  DELETE FROM payhook.transactions t USING old o"
	"  WHERE t.transaction_id = o.transaction_id AND t.source = o.source RETURNING t.created_at"
	") SELECT count(*), max(created_at) FROM deleted"};

void retention_params(struct db_params *p, int days, const char *past, int limit)
{
	db_params_add_int8(p, days);
	db_params_add_text(p, past);
	db_params_add_int8(p, limit);
}
