/* test_worker.c - workers die, freeze, stop and lose answers of the database; the jobs they held are processed all the
 * same. */

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/base.h"
#include "support/expect.h"
#include "support/extra_workers.h"
#include "support/faults.h"
#include "support/instance.h"
#include "support/instance_database.h"
#include "support/load.h"
#include "support/pg_proxy.h"

#define DELAY_MS 3000
#define GRACE_MS 1000
#define RESCUE_MS 45000 /* a heartbeat unchanged for 20 s as another worker sees it, plus the delay */

const char *const instance_settings[] = {"PROCESSOR_DELAY_MS=3000", "WORKER_GRACE_MS=1000", NULL};

#define OF_PREFIX " starts_with(transaction_id, $1 || '-')"
#define JOBS "SELECT count(*) FROM payhook.jobs WHERE" OF_PREFIX
#define CLAIMED JOBS " AND owner IS NOT NULL"
#define PROCESSED "SELECT count(*) FROM payhook.transactions WHERE status = 'PROCESSED' AND" OF_PREFIX

static char prefix[64];

/* Records every committed update of a transaction: its settlement is the only one. */
static const char *const NOTING[] = {
	"CREATE TABLE IF NOT EXISTS payhook.e2e_settled (transaction_id text, status text)",
	"CREATE OR REPLACE FUNCTION payhook.e2e_note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER"
	" AS $$ BEGIN INSERT INTO payhook.e2e_settled VALUES (NEW.transaction_id, NEW.status); RETURN NULL; END $$",
	"CREATE OR REPLACE TRIGGER e2e_note AFTER UPDATE ON payhook.transactions"
	" FOR EACH ROW EXECUTE FUNCTION payhook.e2e_note()"};

static void begin(void)
{
	mend_all();
	mend_wait_database(5000);
	for (size_t n = 0; n < COUNT_OF(NOTING); n++)
		database_number(NOTING[n]);
	expect_health(RESCUE_MS);
	cr_assert_eq(database_wait("SELECT (count(*) = 0)::int FROM payhook.jobs", NULL, 1, RESCUE_MS), 1,
		"jobs of an earlier test");
	cr_assert_eq(database_wait("SELECT (count(*) = 1)::int FROM payhook.workers", NULL, 1, RESCUE_MS), 1,
		"no single worker");
}

TestSuite(worker, .init = begin, .fini = mend_all, .timeout = 120);

static void post(const char *word, long count)
{
	struct load l = {.prefix = fresh_id(word, prefix), .connections = 16, .posts = count};

	load_open(&l);
	cr_assert(load_until(&l, count, 10000));
	expect_all_accepted(&l, 10000);
	load_close(&l);
}

static void are_claimed(long count)
{
	long long seen = database_wait(CLAIMED, prefix, count, 5000);

	cr_assert_eq(seen, count, "%lld of %ld claimed", seen, count);
}

static void are_processed(long count, int timeout_ms)
{
	long long seen = database_wait(PROCESSED, prefix, count, timeout_ms);

	cr_assert_eq(seen, count, "%lld of %ld processed", seen, count);
	cr_assert_eq(database_number_of(JOBS, prefix), 0);
}

static void each_was_settled_once(void)
{
	const char *twice = "SELECT count(*) FROM (SELECT 1 FROM payhook.e2e_settled GROUP BY transaction_id"
			    " HAVING count(*) > 1) x";
	const char *settled =
		"SELECT count(*) FROM payhook.e2e_settled s JOIN payhook.transactions t USING (transaction_id)"
		" WHERE s.status = 'PROCESSED' AND" OF_PREFIX;

	cr_assert_eq(database_number(twice), 0);
	cr_assert_eq(
		database_number_of(settled, prefix), database_number_of(PROCESSED, prefix), "the notes are incomplete");
}

Test(worker, killed_in_mid_delay_has_all_its_transactions_processed)
{
	post("killed", 200);
	are_claimed(200);
	cr_assert_eq(database_number_of(PROCESSED, prefix), 0, "too late: some are processed already");
	break_kill("payhook-worker", 0);
	are_processed(200, RESCUE_MS);
	each_was_settled_once();
}

Test(worker, asked_to_end_finishes_what_ends_soon_and_hands_back_the_rest_uncounted)
{
	char soon[64];

	post("soon", 20);
	snprintf(soon, sizeof(soon), "%s", prefix);
	are_claimed(20);
	/* Waits until these jobs will finish within the grace time. */
	const char *age =
		"SELECT (min(now() - claimed_at) > make_interval(secs => 2.4))::int FROM payhook.jobs WHERE" OF_PREFIX;
	cr_assert_eq(database_wait(age, prefix, 1, DELAY_MS), 1);
	post("later", 30);
	are_claimed(30);
	extra_workers_dismiss_own();
	cr_assert_eq(database_number_of(PROCESSED, soon), 20);
	cr_assert_eq(database_number_of(PROCESSED, prefix), 0);
	cr_assert_eq(database_number_of(JOBS " AND owner IS NULL AND attempt = 0", prefix), 30,
		"not handed back as they were");
	cr_assert_eq(database_number("SELECT count(*) FROM payhook.workers"), 0, "it has not signed off");
	mend_all();
	/* The next worker claims the jobs at once: there is no lease to wait for. */
	are_claimed(30);
	cr_assert_eq(database_number_of(JOBS " AND attempt = 1", prefix), 30);
	are_processed(30, DELAY_MS + 3000);
	each_was_settled_once();
}

/* Loses the answers to a statement while the worker lives on.  All jobs are then processed, sooner than a dead worker's
 * jobs would be. */
static void loses_answers(const char *statement, int cuts, int rounds)
{
	struct pg_proxy pg_proxy;
	char through[256];
	struct hired hired;

	extra_workers_dismiss_own();
	pg_proxy_start(&pg_proxy, instance()->database, statement, cuts);
	post(statement, 100);
	extra_workers_hire(&hired, pg_proxy_conninfo(&pg_proxy, through), instance_settings);
	for (int round = 0; round < rounds; round++) {
		are_processed(100, 15000);
		each_was_settled_once();
		post(statement, 100);
	}
	cr_assert_eq(pg_proxy_deeds(&pg_proxy), cuts);
	/* The worker continues under the same number. */
	are_processed(100, DELAY_MS + 3000);
	cr_assert(process_lives(hired.pid));
	cr_assert_eq(database_number("SELECT count(*) FROM payhook.workers"), 1, "it did not live on under its number");
	extra_workers_dismiss(&hired);
	pg_proxy_stop(&pg_proxy);
	each_was_settled_once();
}

Test(worker, with_a_claim_committed_but_not_answered_processes_it_all_the_same)
{
	loses_answers("claim", 3, 1);
}

Test(worker, with_a_settlement_committed_but_not_answered_settles_once)
{
	/* A repeated settlement changes no row and so is not cut: there is one cut a round. */
	loses_answers("settle", 2, 2);
}

/* Waits until the jobs of prefix are in their second attempt, claimed by another worker.  Returns the time of that
 * claim as text for SQL. */
static const char *wait_taken_over(long count, pid_t by)
{
	char sql[512];

	snprintf(sql, sizeof(sql),
		CLAIMED " AND attempt = 2 AND owner IN (SELECT owner FROM payhook.workers WHERE pid = %d)", (int)by);
	cr_assert_eq(database_wait(sql, prefix, count, RESCUE_MS), count, "not taken over");
	return database_text_of("SELECT min(claimed_at) FROM payhook.jobs WHERE" OF_PREFIX, prefix);
}

Test(worker, taken_for_dead_while_frozen_settles_nothing_of_what_another_has)
{
	char sql[512];

	post("frozen", 50);
	are_claimed(50);
	pid_t frozen = extra_workers_own();
	struct hired hired;
	kill(frozen, SIGSTOP);
	extra_workers_hire(&hired, instance()->database, instance_settings);
	snprintf(sql, sizeof(sql), PROCESSED " AND processed_at < timestamptz '%s' + make_interval(secs => 2.9)",
		wait_taken_over(50, hired.pid));
	/* Its calls have long ended when it wakes up, and it settles them at once; that must not change anything. */
	kill(frozen, SIGCONT);
	are_processed(50, DELAY_MS + 3000);
	cr_assert_eq(database_number_of(sql, prefix), 0, "the frozen one settled what was no longer its own");
	each_was_settled_once();
	extra_workers_dismiss(&hired);
	/* The worker continues under another number. */
	post("thawed", 10);
	are_processed(10, DELAY_MS + 5000);
	cr_assert_eq(extra_workers_own(), frozen);
	each_was_settled_once();
}

Test(worker, without_its_connections_is_a_worker_again_in_a_moment)
{
	pid_t before = extra_workers_own();

	post("cut-off", 100);
	are_claimed(100);
	for (int n = 0; n < 5; n++) {
		database_number("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
				" WHERE datname = 'payhook' AND pid <> pg_backend_pid()");
		expect_recovery(3000);
	}
	are_processed(100, DELAY_MS + 5000);
	cr_assert_eq(extra_workers_own(), before);
	each_was_settled_once();
}
