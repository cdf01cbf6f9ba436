/* row_flush.c - a slow disk: each flush takes 1 ms more.
 *
 * commit_delay with commit_siblings = 0 makes PostgreSQL wait before each flush, as a slower disk would.  Batches
 * share a flush, so accepting should lose much less than one webhook for each commit (S) does. */

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "rows.h"
#include "stop.h"
#include "text.h"

#define CONNECTIONS_MAX "400" /* for pgbench with 256 clients and payhook beside it */

static bool is_set(struct stage *s, const char *question, const char *wanted)
{
	char value[64] = "";
	struct fault f;
	PGconn *c;
	if (!pg_open(s->instance.database, NULL, &c, &f))
		return false;
	bool ok = pg_text(c, question, value, sizeof value, &f) && strcmp(value, wanted) == 0;
	PQfinish(c);
	return ok;
}

static bool await(struct stage *s, const char *question, const char *wanted, struct fault *f)
{
	for (int tries = 0; tries < 300; tries++) {
		if (is_set(s, question, wanted))
			return true;
		if (!wait_ms(50))
			return fault_set(f, FAULT_BUSY, "asked to stop");
	}
	return fault_set(f, FAULT_BUSY, "%s: not %s", question, wanted);
}

/* Restarts PostgreSQL: the instance's supervisor starts it again.  The bench's own connections are reset. */
static bool restart(struct stage *s, struct fault *f)
{
	char superuser[320];
	pid_t postgres = instance_first(&s->instance, "postgres");
	if (postgres == 0 || kill(postgres, SIGINT) < 0)
		return fault_set(f, FAULT_BUSY, "PostgreSQL cannot be restarted");
	if (!await(s, "SHOW max_connections", CONNECTIONS_MAX, f))
		return false;
	/* The responders reconnect within a second. */
	if (!wait_ms(1500))
		return fault_set(f, FAULT_BUSY, "asked to stop");
	PQreset(s->owner);
	PQreset(s->superuser);
	snprintf(superuser, sizeof superuser, "%s", PQerrorMessage(s->superuser));
	return PQstatus(s->superuser) == CONNECTION_OK || fault_set(f, FAULT_BUSY, "%.200s", superuser);
}

static bool prepare(struct bench *b, struct fault *f)
{
	struct stage *s;
	return bench_stage(b, STAGE_RESTING, &s, f) &&
	       pg_run(s->superuser, "ALTER SYSTEM SET max_connections = " CONNECTIONS_MAX, f) && restart(s, f);
}

static bool slow(struct stage *s, struct fault *f)
{
	return pg_run(s->superuser, "ALTER SYSTEM SET commit_delay = 1000", f) &&
	       pg_run(s->superuser, "ALTER SYSTEM SET commit_siblings = 0", f) &&
	       pg_run(s->superuser, "SELECT pg_reload_conf()", f) && await(s, "SHOW commit_delay", "1000", f);
}

static bool fast(struct stage *s, struct fault *f)
{
	return pg_run(s->superuser, "ALTER SYSTEM RESET commit_delay", f) &&
	       pg_run(s->superuser, "ALTER SYSTEM RESET commit_siblings", f) &&
	       pg_run(s->superuser, "SELECT pg_reload_conf()", f) && await(s, "SHOW commit_delay", "0", f);
}

static bool measure(struct bench *b, struct fault *f)
{
	struct stage *s = &b->stages[STAGE_RESTING];
	double plain, at_64, at_256, s_64, s_256;
	if (!bench_accept(b, s, 256, &plain, f) || !slow(s, f) || !bench_accept(b, s, 64, &at_64, f) ||
		!bench_accept(b, s, 256, &at_256, f) || !bench_pgbench(b, s, 64, &s_64, f) ||
		!bench_pgbench(b, s, 256, &s_256, f) || !fast(s, f))
		return false;
	bench_add_rate(b, "accepted, 256 connections, without the delay", plain);
	bench_add_rate(b, "accepted, 64 connections, 1 ms more a flush", at_64);
	bench_add_rate(b, "S, 64 clients, 1 ms more a flush", s_64);
	bench_add_rate(b, "accepted, 256 connections, 1 ms more a flush", at_256);
	bench_add_rate(b, "S, 256 clients, 1 ms more a flush", s_256);
	report_add(&b->report, "64: accepted / S", "x", at_64 / s_64);
	report_add(&b->report, "256: accepted / S", "x", at_256 / s_256);
	report_add_for(&b->report, "256: accepted with the delay / without", "x", at_256 / plain, TARGET_LEAST, 0.5);
	return stage_clean(s, f);
}

const struct row ROW_FLUSH = {
	.name = "flush",
	.asks = "what is left when every flush takes 1 ms more",
	.prepare = prepare,
	.measure = measure,
};
