/* retention.c - the statement that deletes expired transactions.
 *
 * It locks few rows for a short time and does not wait for the disk, so it can run beside the accept path.
 * maintenance.c decides when it runs. */

#include "queue/retention.h"

/* Advances the stored clock to the server's, by a day at most for each hour of elapsed_ms (24 ms for each); if the server's
 * is behind, it goes back at once.  Locks: two workers advance it in turn, each by the time that it has watched.  A lost
 * answer: the time is not counted again. */
const struct statement RETENTION_CLOCK = {"retention_clock",
	"WITH before AS MATERIALIZED (SELECT at FROM payhook.retention_clock)"
	" UPDATE payhook.retention_clock c SET at = least(now(), c.at + $1::bigint * 24 * interval '1 ms')"
	"  RETURNING (extract(epoch FROM now() - (SELECT at FROM before)) * 1000)::bigint,"
	"    (extract(epoch FROM now() - c.at) * 1000)::bigint, c.at"};

/* Deletes processed transactions older than the given number of days, and their conflicts with them.
 *
 * It never deletes a transaction younger than 31 days, whatever the parameter is: providers send a webhook again for up
 * to 30 days, and must still find its row, or the transaction would be processed twice.  Transactions that are
 * PROCESSING or FAILED stay, however old.  Ages are reckoned by the stored clock (schema/0015_retention_clock.sql), which
 * is a parameter: the planner needs its value to choose the BRIN index.
 *
 * Payments: all events of a payment are deleted by one statement, when each of them may be, so that a payment is never
 * seen with some of its events.  The limit is of the rows that a batch looks at; the other events of their payments
 * come in addition.  An event that arrives at this moment is the first of the payment again.
 *
 * Locks: SKIP LOCKED leaves rows that another transaction has locked to the next round, and with them the whole
 * payment; what stays is not locked.  So neither of two workers waits for a transaction of the other.  For a row of
 * transaction_conflicts it may wait until a responder that counts a conflict there has committed.  A webhook that
 * arrives with the id of a row being deleted waits until this statement ends.
 *
 * Commit: it does not wait for the disk, so such a webhook waits for the deletions and not for a flush.  A crash or a
 * lost answer does no harm: transactions that are still there are deleted in the next round.
 *
 * Plan: rows are found by the index on created_at (schema/0032_created_at_index.sql).  A batch begins at the time where
 * the last one ended, so the dead rows before it are not read again.  There is no ORDER BY, which without that index
 * would read and sort all expired rows for each batch; rows that a batch passes over are found in the next round, which
 * begins at -infinity.  If a batch sees nothing but events that stay, all of one time, the next one begins behind it.
 * The events of a payment are counted once, however many of them the batch looks at.  Rows of job_attempts have a
 * retention of their own. */
#define MAY_GO                                   \
	"(status = 'PROCESSED' AND created_at <" \
	" least($4::timestamptz, now()) - greatest($1::int, 31) * interval '24 hours')"

const struct statement RETENTION = {"retention",
	"WITH seen AS MATERIALIZED ("
	"  SELECT transaction_id, source, payment_id, created_at FROM payhook.transactions"
	"  WHERE " MAY_GO " AND created_at >= $2::timestamptz"
	"    AND (SELECT set_config('synchronous_commit', 'off', true)) = 'off'"
	"  LIMIT $3::int"
	"), singles AS MATERIALIZED ("
	"  SELECT t.transaction_id, t.source FROM seen s CROSS JOIN LATERAL (SELECT * FROM payhook.transactions t"
	"    WHERE t.transaction_id = s.transaction_id AND t.source = s.source AND " MAY_GO " FOR UPDATE SKIP LOCKED) t"
	"  WHERE s.payment_id IS NULL"
	"), payments AS MATERIALIZED ("
	"  SELECT p.payment_id, p.source, e.total FROM (SELECT DISTINCT payment_id, source FROM seen"
	"    WHERE payment_id IS NOT NULL) p"
	"  CROSS JOIN LATERAL (SELECT count(*) AS total, bool_and(" MAY_GO ") AS may_go FROM payhook.transactions e"
	"    WHERE e.payment_id = p.payment_id AND e.source = p.source) e WHERE e.may_go"
	"), events AS MATERIALIZED ("
	"  SELECT e.*, p.total FROM payments p"
	"  CROSS JOIN LATERAL (SELECT transaction_id, source, payment_id, " MAY_GO
	" AS may_go FROM payhook.transactions e"
	"    WHERE e.payment_id = p.payment_id AND e.source = p.source FOR UPDATE SKIP LOCKED) e"
	"), gone AS MATERIALIZED ("
	"  SELECT transaction_id, source FROM singles"
	"  UNION ALL SELECT transaction_id, source FROM (SELECT transaction_id, source,"
	"      bool_and(may_go) OVER payment AND count(*) OVER payment = total AS is_whole FROM events"
	"    WINDOW payment AS (PARTITION BY payment_id, source)) w WHERE is_whole"
	"), conflicts AS ("
	"  DELETE FROM payhook.transaction_conflicts c USING gone g"
	"  WHERE c.transaction_id = g.transaction_id AND c.source = g.source"
	"), deleted AS ("
	"  DELETE FROM payhook.transactions t USING gone g"
	"  WHERE t.transaction_id = g.transaction_id AND t.source = g.source RETURNING 1"
	") SELECT (SELECT count(*) FROM deleted), count(*), max(created_at) + CASE"
	"    WHEN max(created_at) = $2::timestamptz AND NOT EXISTS (SELECT FROM deleted) THEN interval '1 us'"
	"    ELSE interval '0' END FROM seen"};

void retention_params(struct db_params *p, int days, const char *past, int limit, const char *clock)
{
	db_params_add_int8(p, days);
	db_params_add_text(p, past);
	db_params_add_int8(p, limit);
	db_params_add_text(p, clock);
}
