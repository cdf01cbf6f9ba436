/* test_ingest_trouble.c - storing webhooks while the database is slow, gone, or read-only. */

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "support/fresh_database.h"
#include "support/loop.h"
#include "support/sent.h"

TestSuite(ingest_trouble, .init = sent_init, .fini = sent_fini, .timeout = 60);

Test(ingest_trouble, fails_an_insert_when_the_server_does_not_answer_its_statement)
{
	PGconn *other = database_connect();
	PQclear(PQexec(other, "BEGIN; LOCK TABLE payhook.transactions IN EXCLUSIVE MODE"));
	struct sent *s = send_one("a", "1");
	sent_all();
	cr_expect(s->failed);
	cr_expect_eq(s->fault.kind, FAULT_BUSY, "%s", s->fault.text);
	PQclear(PQexec(other, "COMMIT"));
	PQfinish(other);
	struct sent *next = send_one("b", "1");
	sent_all();
	expect(next, ACCEPTED_NEW);
}

static void cut_connections(void)
{
	database_exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
		      " WHERE datname = current_database() AND application_name = 'payhook-app accept'");
}

Test(ingest_trouble, comes_back_after_its_connection_is_cut)
{
	cut_connections();
	struct sent *s = send_one("a", "1");
	sent_all();
	/* If the statement was sent before the cut was noticed, it fails with an error; then the next try must be
	 * stored. */
	if (s->failed)
		cr_expect_eq(s->fault.kind, FAULT_BUSY);
	struct sent *again = send_one("a", "1");
	sent_all();
	cr_expect_not(again->failed, "%s", again->fault.text);
	cr_expect_eq(rows("transactions"), 1);
	cr_expect_eq(downs, 1);
}

Test(ingest_trouble, fails_inserts_in_flight_when_the_connection_breaks)
{
	PGconn *other = database_connect();
	PQclear(PQexec(other, "BEGIN; LOCK TABLE payhook.transactions IN EXCLUSIVE MODE"));
	struct sent *s = send_one("a", "1");
	loop_until(is_blocked, NULL, "the batch waits for the lock");
	cut_connections();
	sent_all();
	cr_expect(s->failed);
	cr_expect_eq(s->fault.kind, FAULT_BUSY, "%s", s->fault.text);
	PQfinish(other);
	cr_expect_eq(rows("transactions"), 0);
}

/* The server sends the rows of a statement before it commits. */
Test(ingest_trouble, stores_nothing_when_the_commit_fails_after_the_rows)
{
	database_exec("CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
		      " $$ BEGIN RAISE EXCEPTION USING ERRCODE = '53100'; END $$;"
		      "CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON payhook.transactions"
		      " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse()");
	struct sent *s = send_one("a", "1");
	sent_all();
	cr_expect(s->failed);
	cr_expect_eq(s->fault.kind, FAULT_BUSY, "%s", s->fault.text);
	cr_expect_eq(rows("transactions"), 0);
}

static bool probed;
static bool probe_failed;

static void on_probe(struct ingest_probe *p, const struct fault *f)
{
	(void)p;
	probed = true;
	probe_failed = f != NULL;
}

static bool is_probed(void *ctx)
{
	(void)ctx;
	return probed;
}

Test(ingest_trouble, reports_healthy_after_a_durable_write)
{
	struct ingest_probe p = {.done = on_probe};
	const char *before = database_value("SELECT pg_current_wal_flush_lsn()");
	char lsn[32];
	snprintf(lsn, sizeof lsn, "%s", before);
	ingest_probe_health(in, &p);
	cr_expect_not(probed);
	loop_until(is_probed, NULL, "the probe is answered");
	cr_expect_not(probe_failed);
	cr_expect_str_eq(database_value("SELECT pg_current_wal_flush_lsn() > '%s'", lsn), "t");
	probed = false;
	ingest_probe_health(in, &p);
	cr_expect(probed, "a fresh commit answers at once");
}

Test(ingest_trouble, promises_nothing_on_a_server_that_only_reads)
{
	database_exec("ALTER DATABASE %s SET default_transaction_read_only = on",
		database_value("SELECT current_database()"));
	cut_connections();
	downs = 0;
	ups = 0;
	loop_until(is_up, NULL, "the ingest is up again");
	struct sent *s = send_one("a", "1");
	sent_all();
	cr_expect(s->failed);
	cr_expect_eq(s->fault.kind, FAULT_BUSY, "%s", s->fault.text);
}

/* ---- a flood of conflicts ---- */

#define FLOOD_ROUNDS 18
#define FLOOD_WEBHOOKS 100 /* in each round */

static pid_t accept_backend(void)
{
	return (pid_t)database_number(
		"SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
		" AND application_name = 'payhook-app accept' ORDER BY backend_start DESC LIMIT 1");
}

/* Few ids, several contents of each, many copies; and of every tenth the client goes away. */
static void flood_with_conflicts(unsigned *seed)
{
	char id[16], amount[8];
	for (int i = 0; i < FLOOD_WEBHOOKS; i++) {
		snprintf(id, sizeof id, "t%d", rand_r(seed) % 12);
		snprintf(amount, sizeof amount, "%d", rand_r(seed) % 20);
		struct sent *s = send_to(in, id, rand_r(seed) % 2 ? "first" : "second", amount);
		if (i % 10 == 9 && !s->is_reported) {
			ingest_withdraw(in, &s->pending_insert);
			sent_withdrawn++;
		}
	}
}

/* What was answered has to be what the database holds. */
static void expect_kept(const struct sent *s)
{
	if (!s->is_reported || s->failed)
		return;
	bool is_stored = database_number("SELECT count(*) FROM payhook.transactions WHERE transaction_id = '%s'"
					 " AND source = '%s' AND amount = %s",
				 s->txn.transaction_id, s->pending_insert.source, s->txn.amount.digits) == 1;
	cr_expect_eq(is_stored, s->outcome != ACCEPTED_CONFLICT, "%s of %s with %s", s->txn.transaction_id,
		s->pending_insert.source, s->txn.amount.digits);
}

/* In each third round the server's process is killed, in each ninth frozen until its answer is overdue. */
Test(ingest_trouble, a_flood_of_conflicts_is_answered_truly_while_server_processes_are_killed_and_frozen)
{
	unsigned seed = 1;
	long long conflicts = 0;
	for (int round = 1; round <= FLOOD_ROUNDS; round++) {
		pid_t backend = accept_backend();
		ups = 0;
		if (round % 9 == 0)
			cr_assert_eq(kill(backend, SIGSTOP), 0);
		flood_with_conflicts(&seed);
		if (round % 3 == 0 && round % 9 != 0) {
			loop_for(rand_r(&seed) % 20);
			cut_connections();
		}
		sent_all();
		if (round % 9 == 0)
			cr_assert_eq(kill(backend, SIGCONT), 0);
		if (round % 3 == 0)
			loop_until(is_up, NULL, "ingest is up again");
	}
	for (int i = 0; i < sent_count; i++) {
		expect_kept(&sent[i]);
		conflicts += sent[i].is_reported && !sent[i].failed && sent[i].outcome == ACCEPTED_CONFLICT;
	}
	cr_expect_gt(conflicts, FLOOD_ROUNDS * FLOOD_WEBHOOKS / 4);
	cr_expect_geq(database_number("SELECT sum(count) + sum(unkept) FROM payhook.transaction_conflicts"), conflicts);
}
