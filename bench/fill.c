/* fill.c - tables as they are after payhook has run for a while. */

#include "fill.h"

#include <stdlib.h>
#include <string.h>

/* ANALYZE at the end is part of the picture: a backlog that grows webhook by webhook is known to the planner.  This
 * one comes in a single transaction, and autovacuum may have analysed the tables meanwhile, when none of its rows
 * was visible. */
bool fill_backlog(PGconn *c, long count, struct fault *f)
{
	return pg_run_for(c,
		       "WITH stored AS ("
		       "  INSERT INTO payhook.transactions"
		       "    (transaction_id, source, source_account, destination_account, amount, currency)"
		       "  SELECT 'txn_' || md5(n || ' ' || random()), 'transactions', 'acc_user_789', 'acc_merchant_456', 1500.50, 'INR'"
		       "  FROM generate_series(1, $1::bigint) n RETURNING transaction_id, source"
		       ") INSERT INTO payhook.jobs (transaction_id, source) SELECT transaction_id, source FROM stored",
		       count, f) &&
	       pg_run(c, "ANALYZE payhook.transactions, payhook.jobs", f);
}

bool fill_lanes(PGconn *c, long count, struct fault *f)
{
	return pg_run_for(c,
		       "WITH stored AS ("
		       "  INSERT INTO payhook.transactions"
		       "    (transaction_id, source, source_account, destination_account, amount, currency, payment_id, kind)"
		       "  SELECT 'txn_' || md5(n || ' ' || random()), 'ordered', 'acc_user_789', 'acc_merchant_456', 1500.50,"
		       "    'INR', 'pay_' || n % ($1::bigint / 5), 'captured'"
		       "  FROM generate_series(1, $1::bigint) n RETURNING transaction_id, source, payment_id"
		       ") INSERT INTO payhook.parked_jobs (lane, lane_no, transaction_id, source)"
		       " SELECT payhook.lane_of(source, payment_id), nextval('payhook.lane_numbers'), transaction_id, source"
		       " FROM stored",
		       count, f) &&
	       pg_run(c, "SELECT payhook.activate(array_agg(DISTINCT lane)) FROM payhook.parked_jobs", f) &&
	       pg_run(c, "ANALYZE payhook.transactions, payhook.jobs, payhook.parked_jobs", f);
}

/* The ids are spread evenly over all possible ids: 15 hexadecimal digits of an ascending number, then 17 of a hash.
 * The load's random ids therefore meet every page of the index with the same probability. */
bool fill_stored(PGconn *c, long count, struct fault *f)
{
	return pg_run_for(c,
		"INSERT INTO payhook.transactions"
		"  (transaction_id, source, source_account, destination_account, amount, currency)"
		" SELECT 'txn_' || lpad(to_hex(n * ((1::bigint << 60) / $1::bigint)), 15, '0') || left(md5(n::text), 17),"
		"  'transactions', 'acc_user_789', 'acc_merchant_456', 1500.50, 'INR'"
		" FROM generate_series(0, $1::bigint - 1) n",
		count, f);
}

bool fill_fetch(PGconn *c, struct known_ids *ret, struct fault *f)
{
	PGresult *r;
	if (!pg_ask(c, "SELECT transaction_id FROM payhook.transactions", NULL, &r, f))
		return false;
	size_t count = (size_t)PQntuples(r);
	char *ids = malloc(count * REQUEST_ID_LEN + 1);
	for (size_t i = 0; ids && i < count; i++)
		memcpy(ids + i * REQUEST_ID_LEN, PQgetvalue(r, (int)i, 0), REQUEST_ID_LEN);
	PQclear(r);
	if (!ids)
		return fault_set(f, FAULT_BUSY, "out of memory for %zu ids", count);
	*ret = (struct known_ids){.ids = ids, .count = count};
	return true;
}

void known_ids_finish(struct known_ids *k)
{
	free(k->ids);
	*k = (struct known_ids){0};
}
