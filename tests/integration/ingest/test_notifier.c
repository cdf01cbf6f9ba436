/* test_notifier.c - the jobs that a commit parked are activated, and the workers notified of them. */

#include <criterion/criterion.h>
#include <stdio.h>

#include "ingest/notifier.h"
#include "support/fresh_database.h"
#include "support/loop.h"
#include "support/sent.h"

static void init(void)
{
	sent_init();
	sent_notifier = notifier_create(connect_state);
	cr_assert_not_null(sent_notifier);
}

static void fini(void)
{
	notifier_destroy(sent_notifier);
	sent_fini();
}

TestSuite(notifier, .init = init, .fini = fini, .timeout = 60);

#define NOTIFIER "datname = current_database() AND application_name = 'payhook-app notify'"

static struct sent *send_in_order(const char *id, const char *payment)
{
	struct sent *s = send_to(in, id, "stripe", "10.50");
	snprintf(s->txn.payment_id, sizeof s->txn.payment_id, "%s", payment);
	s->pending_insert.is_in_order = true;
	return s;
}

static bool has_jobs(void *ctx)
{
	return rows("jobs") == *(int *)ctx;
}

static void until_jobs(int count)
{
	loop_until(has_jobs, &count, "the jobs are active");
}

static bool is_notifier_up(void *ctx)
{
	(void)ctx;
	return database_number("SELECT count(*) FROM pg_stat_activity WHERE " NOTIFIER " AND query LIKE '%%pg_notify%%'"
			       " OR (" NOTIFIER " AND state = 'idle')") > 0;
}

/* A notification has come, and the two jobs that may run are there.  The three commits may be of two batches, with a
 * notification each; if the last one came before its jobs, none follows. */
static bool is_notified_of_both(void *ctx)
{
	PGconn *c = ctx;
	cr_assert(PQconsumeInput(c));
	PGnotify *n = PQnotifies(c);
	PQfreemem(n);
	return n != NULL && rows("jobs") == 2;
}

Test(notifier, follows_the_commit_and_precedes_the_notification)
{
	PGconn *worker = database_connect();
	PQclear(PQexec(worker, "LISTEN jobs"));
	loop_until(is_notifier_up, NULL, "the notifier is connected");
	send_in_order("a", "p");
	send_in_order("b", "p");
	send_in_order("c", "q");
	sent_all();
	loop_until(is_notified_of_both, worker, "the workers are notified of active jobs");
	cr_expect_str_eq(database_value("SELECT string_agg(transaction_id, ' ') FROM payhook.parked_jobs"), "b");
	PQfinish(worker);
}

static bool is_activation_blocked(void *ctx)
{
	(void)ctx;
	return database_number(
		       "SELECT count(*) FROM pg_stat_activity WHERE " NOTIFIER " AND wait_event_type = 'Lock'") > 0;
}

/* Another transaction has inserted a job of the lane, so the activation waits; its connection is cut. */
Test(notifier, activates_on_the_next_connection_what_it_could_not)
{
	loop_until(is_notifier_up, NULL, "the notifier is connected");
	PGconn *c = database_connect();
	PQclear(PQexec(c, "BEGIN; INSERT INTO payhook.jobs (transaction_id, lane, lane_no)"
			  " VALUES ('other', payhook.lane_of('stripe', 'p'), 0)"));
	send_in_order("a", "p");
	sent_all();
	loop_until(is_activation_blocked, NULL, "the activation is under way");
	database_exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE " NOTIFIER);
	PQclear(PQexec(c, "ROLLBACK"));
	PQfinish(c);
	until_jobs(1);
	cr_expect_eq(rows("parked_jobs"), 0);
}
