/* claimer.c - a backlog, claimed and settled until it is gone.
 *
 * The connections use the worker's options and prepared statements, and wait for each answer before they send the
 * next statement.  Each is a worker with a row and a heartbeat, as the instance's own worker would otherwise free its
 * jobs as orphans between their claim and their settlement. */

#include "claimer.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "pg.h"
#include "queue/claim.h"
#include "queue/heartbeat.h"
#include "queue/settle.h"
#include "random.h"
#include "stop.h"

#define CONNECTIONS_MAX 8

struct claimer {
	pthread_t thread;
	PGconn *conn;
	int64_t owner, last;
	int64_t beat_ms; /* clock_ms() of the last heartbeat; 0: it has no row */
	struct job jobs[CLAIMER_JOBS];
	struct db_array arrays[SETTLE_ARRAYS];
	uint64_t settled;
	bool ok;
	struct fault fault;
};

static PGresult *call(struct claimer *c, const struct statement *s, const struct db_params *p)
{
	return PQexecPrepared(c->conn, s->name, p->count, p->value, p->length, p->format, 0);
}

static bool failed(struct claimer *c, const char *what)
{
	return fault_set(&c->fault, FAULT_BUG, "%s failed: %.150s", what, PQerrorMessage(c->conn));
}

/* Once every HEARTBEAT_MS. */
static bool beat(struct claimer *c)
{
	if (clock_ms() - c->beat_ms < HEARTBEAT_MS)
		return true;
	c->beat_ms = clock_ms();
	return pg_run_for(c->conn, "UPDATE payhook.workers SET beat_at = now() WHERE owner = $1::bigint",
		(long)c->owner, &c->fault);
}

/* Settles the jobs of one claim.  Their texts lie in the claim's result, which the caller still has.  Each job must
 * be settled: fewer rows than jobs are an error. */
static bool settle(struct claimer *c, int count)
{
	struct job *batch[CLAIMER_JOBS];
	struct db_params p = {0};
	for (int i = 0; i < count; i++)
		batch[i] = &c->jobs[i];
	settle_params(&p, c->arrays, batch, count, clock_ms());
	PGresult *r = call(c, &SETTLE, &p);
	bool ok = PQresultStatus(r) == PGRES_TUPLES_OK;
	int settled = PQntuples(r);
	PQclear(r);
	c->settled += (uint64_t)settled;
	if (!ok)
		return failed(c, "a settlement");
	return settled == count ||
	       fault_set(&c->fault, FAULT_BUG, "of %d claimed jobs %d were settled: another worker has the others",
		       count, settled);
}

/* Claims and settles once.  *more is false if no job was left. */
static bool step(struct claimer *c, bool *more)
{
	struct db_params p = {0};
	claim_params(&p, c->last, CLAIMER_JOBS, c->owner);
	PGresult *r = call(c, &CLAIM, &p);
	if (PQresultStatus(r) != PGRES_TUPLES_OK) {
		PQclear(r);
		return failed(c, "a claim");
	}
	int count = PQntuples(r);
	for (int i = 0; i < count; i++) {
		claim_read(r, i, c->owner, false, &c->jobs[i]);
		c->jobs[i].outcome = JOB_PROCESSED;
		c->jobs[i].began_ms = clock_ms();
		if (c->jobs[i].id > c->last)
			c->last = c->jobs[i].id;
	}
	bool ok = count == 0 || settle(c, count);
	PQclear(r);
	*more = count > 0;
	return ok;
}

static void *run(void *arg)
{
	struct claimer *c = arg;
	bool more = true;
	c->ok = true;
	while (c->ok && more && !stop_asked())
		c->ok = beat(c) && step(c, &more);
	return NULL;
}

static bool prepare(struct claimer *c, const char *conninfo, struct fault *f)
{
	static const struct statement *const STATEMENTS[] = {&CLAIM, &SETTLE};
	struct random random;
	if (!pg_open(conninfo, CLAIM_OPTIONS, &c->conn, f))
		return false;
	random_seed(&random);
	c->owner = (int64_t)(random_next(&random) >> 1);
	for (size_t i = 0; i < COUNT_OF(STATEMENTS); i++) {
		PGresult *r = PQprepare(c->conn, STATEMENTS[i]->name, STATEMENTS[i]->sql, 0, NULL);
		bool ok = PQresultStatus(r) == PGRES_COMMAND_OK;
		PQclear(r);
		if (!ok)
			return fault_set(f, FAULT_BUG, "%.150s", PQerrorMessage(c->conn));
	}
	c->beat_ms = clock_ms();
	return pg_run_for(c->conn,
		"INSERT INTO payhook.workers (owner, host, pid, version, level)"
		" SELECT $1::bigint, 'bench', pg_backend_pid(), 'bench', coalesce(max(level), 1) FROM payhook.workers",
		(long)c->owner, f);
}

/* Its row goes while its connection is there. */
static void finish(struct claimer *c)
{
	struct fault f;
	if (c->conn && !pg_run_for(c->conn, "DELETE FROM payhook.workers WHERE owner = $1::bigint", (long)c->owner, &f))
		fprintf(stderr, "bench: the row of a claimer stays in workers: %s\n", f.text);
	PQfinish(c->conn);
	for (int i = 0; i < SETTLE_ARRAYS; i++)
		db_array_finish(&c->arrays[i]);
}

static bool measure(struct claimer *all, int connections, double *ret, struct fault *f)
{
	int started = 0;
	uint64_t settled = 0;
	bool ok = true;
	int64_t began_ns = now_ns();
	while (started < connections && pthread_create(&all[started].thread, NULL, run, &all[started]) == 0)
		started++;
	for (int i = 0; i < started; i++) {
		pthread_join(all[i].thread, NULL);
		settled += all[i].settled;
		if (!all[i].ok)
			*f = all[i].fault;
		ok = ok && all[i].ok;
	}
	*ret = (double)settled * 1e9 / (double)(now_ns() - began_ns);
	if (ok && (started < connections || stop_asked()))
		return fault_set(f, FAULT_BUSY, "asked to stop, or no thread");
	return ok;
}

bool claimer_rate(const char *conninfo, int connections, double *ret, struct fault *f)
{
	struct claimer *all = calloc(CONNECTIONS_MAX, sizeof *all);
	if (!all)
		return fault_set(f, FAULT_BUSY, "out of memory");
	bool ok = true;
	for (int i = 0; ok && i < connections; i++)
		ok = prepare(&all[i], conninfo, f);
	ok = ok && measure(all, connections, ret, f);
	for (int i = 0; i < connections; i++)
		finish(&all[i]);
	free(all);
	return ok;
}
