/* stage.c - an instance and the connections to its database.
 *
 * The instance is that of the end-to-end tests, with the settings that ship, so that what is measured is what is
 * installed. */

#include "stage.h"

#include <stdio.h>
#include <string.h>

#include "stop.h"

/* Creates the files of PostgreSQL's write-ahead log beforehand.
 *
 * A database that has been written to for a while reuses log files: as many as it writes from the beginning of one
 * checkpoint to the end of the next, which is max_wal_size and the tenth that PostgreSQL adds.  A new database
 * creates each file, 16 MB of zeros and a flush, while all webhooks wait.  A quick run creates only the files that
 * PostgreSQL keeps at least. */
static bool make_log_files(struct stage *s, bool quick, struct fault *f)
{
	double count;
	return pg_number(s->superuser,
		       quick ? "SELECT pg_size_bytes(current_setting('min_wal_size')) / 16777216"
			     : "SELECT pg_size_bytes(current_setting('max_wal_size')) * 11 / 10 / 16777216",
		       &count, f) &&
	       pg_run_for(s->superuser,
		       "SELECT pg_logical_emit_message(false, '', ''), pg_switch_wal() FROM generate_series(1, $1::bigint)",
		       (long)count, f) &&
	       pg_run(s->superuser, "CHECKPOINT", f);
}

bool stage_start(struct stage *s, const char *const settings[], bool quick, struct fault *f)
{
	char trouble[512], superuser[320];
	*s = (struct stage){.instance = {.guard = -1}};
	if (!instance_start(&s->instance, settings, trouble, sizeof trouble))
		return fault_set(f, FAULT_BUSY, "%.200s", trouble);
	s->is_up = true;
	/* If a keyword of a connection string occurs twice, the last value counts. */
	snprintf(superuser, sizeof superuser, "%s user=postgres", s->instance.database);
	return pg_open(s->instance.database, NULL, &s->owner, f) && pg_open(superuser, NULL, &s->superuser, f) &&
	       make_log_files(s, quick, f);
}

void stage_stop(struct stage *s)
{
	char trouble[512];
	if (!s->is_up)
		return;
	PQfinish(s->owner);
	PQfinish(s->superuser);
	if (!instance_stop(&s->instance, trouble, sizeof trouble))
		fprintf(stderr, "bench: %s\n", trouble);
	*s = (struct stage){0};
}

bool stage_clean(struct stage *s, struct fault *f)
{
	return pg_run(s->owner,
		"TRUNCATE payhook.transactions, payhook.jobs, payhook.job_attempts, payhook.dead_jobs,"
		" payhook.transaction_conflicts, payhook.payloads, payhook.parked_jobs",
		f);
}

bool stage_writes_read(struct stage *s, struct stage_writes *ret, struct fault *f)
{
	/* Commits are counted by transaction ids, which only transactions that write get.  pg_stat_database reports
	 * commits up to ten seconds late. */
	return pg_number(s->owner, "SELECT pg_current_wal_lsn() - '0/0'", &ret->wal_bytes, f) &&
	       pg_number(s->owner, "SELECT txid_snapshot_xmax(txid_current_snapshot())", &ret->commits, f);
}
