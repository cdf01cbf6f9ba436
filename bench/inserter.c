/* inserter.c - batches of transactions, stored one after the other on a few connections.
 *
 * The statement, its parameters and the connection's options are those of the responder; only the rows are made
 * here.  So the ceiling moves when the statement changes. */

#include "inserter.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "ingest/pending.h"
#include "ingest/statements.h"
#include "pg.h"
#include "pg/connection.h"
#include "request.h"
#include "stop.h"

#define CONNECTIONS_MAX 8

struct inserter {
	pthread_t thread;
	PGconn *conn;
	int64_t end_ns;
	struct random random;
	struct txn txns[INSERTER_ROWS];
	struct insert_body body;
	struct pending_insert pending_inserts[INSERTER_ROWS];
	struct pending *pending;
	struct batch batch;
	struct db_array arrays[INGEST_ARRAYS];
	struct buf traces;
	uint64_t rows;
	bool ok;
	struct fault fault;
};

/* Makes the batch as a responder does, sorted by identity: two batches then lock their keys in the same order. */
static bool compose(struct inserter *in)
{
	for (int i = 0; i < INSERTER_ROWS; i++) {
		request_id(&in->random, in->txns[i].transaction_id);
		if (!pending_add(in->pending, &in->pending_inserts[i], &in->fault))
			return false;
	}
	in->batch.count = 0;
	pending_take_batch(in->pending, &in->batch);
	for (int i = 0; i < INSERTER_ROWS; i++)
		pending_forget(in->pending, &in->pending_inserts[i]);
	return true;
}

/* A batch that ends after the measured time is stored and not counted. */
static bool insert(struct inserter *in)
{
	struct db_params p = {0};
	if (!compose(in))
		return false;
	const struct statement *store = ingest_params(&p, in->arrays, &in->traces, &in->batch);
	PGresult *r = PQexecPrepared(in->conn, store->name, p.count, p.value, p.length, p.format, 0);
	int rows = PQntuples(r);
	PQclear(r);
	if (rows != INSERTER_ROWS)
		return fault_set(&in->fault, FAULT_BUG, "a batch was not stored: %.150s", PQerrorMessage(in->conn));
	if (now_ns() < in->end_ns)
		in->rows += (uint64_t)rows;
	return true;
}

static void *run(void *arg)
{
	struct inserter *in = arg;
	in->ok = true;
	while (in->ok && !stop_asked() && now_ns() < in->end_ns)
		in->ok = insert(in);
	return NULL;
}

static bool prepare(struct inserter *in, const char *conninfo, struct fault *f)
{
	static const struct txn SAMPLE = {.source_account = "acc_user_789",
		.destination_account = "acc_merchant_456",
		.amount = {"1500.50"},
		.currency = "INR"};
	if (!pg_open(conninfo, CONNECTION_BY_KEY, &in->conn, f))
		return false;
	PGresult *r = PQprepare(in->conn, INGEST_STORE.name, INGEST_STORE.sql, 0, NULL);
	bool ok = PQresultStatus(r) == PGRES_COMMAND_OK;
	PQclear(r);
	random_seed(&in->random);
	in->traces = BUF_INIT(INGEST_TRACES_MAX);
	in->pending = pending_create();
	if (!in->pending)
		return fault_set(f, FAULT_BUSY, "out of memory");
	for (int i = 0; i < INSERTER_ROWS; i++) {
		in->txns[i] = SAMPLE;
		in->pending_inserts[i] =
			(struct pending_insert){.txn = &in->txns[i], .source = "transactions", .body = &in->body};
	}
	return ok || fault_set(f, FAULT_BUG, "the insert cannot be prepared: %.150s", PQerrorMessage(in->conn));
}

static void finish(struct inserter *in)
{
	PQfinish(in->conn);
	for (int i = 0; i < INGEST_ARRAYS; i++)
		db_array_finish(&in->arrays[i]);
	buf_finish(&in->traces);
	pending_destroy(in->pending);
}

static bool measure(struct inserter *all, int connections, int run_ms, double *ret, struct fault *f)
{
	int started = 0;
	uint64_t rows = 0;
	bool ok = true;
	int64_t end_ns = now_ns() + run_ms * INT64_C(1000000);
	for (; started < connections; started++) {
		all[started].end_ns = end_ns;
		if (pthread_create(&all[started].thread, NULL, run, &all[started]) != 0)
			break;
	}
	for (int i = 0; i < started; i++) {
		pthread_join(all[i].thread, NULL);
		rows += all[i].rows;
		if (!all[i].ok)
			*f = all[i].fault;
		ok = ok && all[i].ok;
	}
	*ret = (double)rows / run_ms * 1000;
	if (ok && (started < connections || stop_asked()))
		return fault_set(f, FAULT_BUSY, "asked to stop, or no thread");
	return ok;
}

bool inserter_rate(const char *conninfo, int connections, int run_ms, double *ret, struct fault *f)
{
	struct inserter *all = calloc(CONNECTIONS_MAX, sizeof *all);
	if (!all)
		return fault_set(f, FAULT_BUSY, "out of memory");
	bool ok = true;
	for (int i = 0; ok && i < connections; i++)
		ok = prepare(&all[i], conninfo, f);
	ok = ok && measure(all, connections, run_ms, ret, f);
	for (int i = 0; i < connections; i++)
		finish(&all[i]);
	free(all);
	return ok;
}
