/* test_ingest_fairness.c - webhooks that wait beside a flood: of another source, and of the same one. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "support/fresh_database.h"
#include "support/loop.h"
#include "support/sent.h"

TestSuite(ingest_fairness, .init = sent_init, .fini = sent_fini, .timeout = 60);

static PGconn *block(const char *lock)
{
	PGconn *other = database_connect();
	PQclear(PQexec(other, "BEGIN"));
	PGresult *locked = PQexec(other, lock);
	cr_assert_neq(PQresultStatus(locked), PGRES_FATAL_ERROR, "%s", PQerrorMessage(other));
	PQclear(locked);
	return other;
}

static void unblock(PGconn *other)
{
	PQclear(PQexec(other, "COMMIT"));
	PQfinish(other);
}

static PGconn *blocker;

/* What is sent from now on is pending until release(). */
static void block_the_first(void)
{
	blocker = block("LOCK TABLE payhook.transactions IN EXCLUSIVE MODE");
	send_to(in, "first", "first", "1");
	loop_until(is_blocked, NULL, "the statement waits for the lock");
}

static void release(void)
{
	unblock(blocker);
	sent_all();
}

static void flood(int webhooks)
{
	char id[32];
	for (int i = 0; i < webhooks; i++) {
		snprintf(id, sizeof id, "flood%d", i);
		send_to(in, id, "flood", "1");
	}
}

Test(ingest_fairness, a_source_takes_its_turn_beside_a_flood_of_another)
{
	block_the_first();
	flood(1500);
	struct sent *s = send_to(in, "t", "honest", "1");
	release();
	expect(s, ACCEPTED_NEW);
	cr_expect_leq(s->place, 1 + BATCH_MAX, "after %d others", s->place);
}

Test(ingest_fairness, a_flood_of_one_source_leaves_room_for_others)
{
	block_the_first();
	flood(4200);
	struct sent *s = send_to(in, "t", "honest", "1");
	release();
	expect(s, ACCEPTED_NEW);
	expect(&sent[1], ACCEPTED_NEW);
	const struct sent *last = &sent[4200];
	cr_expect(last->failed);
	cr_expect_eq(last->fault.kind, FAULT_BUSY);
}

#define IDS 40

static void send_contents(int amount_of_each)
{
	char id[32], amount[8];
	snprintf(amount, sizeof amount, "%d", amount_of_each);
	for (int i = 0; i < IDS; i++) {
		snprintf(id, sizeof id, "conflict%d", i);
		send_one(id, amount);
	}
}

/* One content of an id can be stored by a batch, so the others have to wait: behind those of other ids. */
Test(ingest_fairness, other_contents_of_an_id_wait_behind_other_ids)
{
	send_contents(100);
	sent_all();
	block_the_first();
	for (int n = 0; n < 15; n++)
		send_contents(n);
	struct sent *s = send_one("t", "1");
	int before = sent[IDS - 1].place;
	release();
	expect(s, ACCEPTED_NEW);
	cr_expect_leq(s->place, before + 1 + IDS, "after %d others", s->place - before);
	for (int i = IDS + 1; i < 16 * IDS; i++)
		expect(&sent[i], ACCEPTED_CONFLICT);
}

Test(ingest_fairness, one_statement_records_a_bounded_number_of_conflicts)
{
	send_contents(100);
	sent_all();
	block_the_first();
	send_contents(1);
	release();
	cr_expect_eq(rows("transaction_conflicts"), IDS);
	cr_expect_eq(database_number("SELECT max(n) FROM (SELECT count(*) AS n FROM payhook.transaction_conflicts"
				     " GROUP BY xmin::text) of_statement"),
		BATCH_CONFLICTS_MAX);
}

Test(ingest_fairness, sixteen_contents_of_an_id_wait_and_further_ones_are_refused_at_once)
{
	char amount[8];
	block_the_first();
	for (int i = 0; i < 18; i++) {
		snprintf(amount, sizeof amount, "%d", i);
		send_one("t", amount);
	}
	cr_expect_not(sent[16].is_reported);
	for (int i = 17; i < 19; i++) {
		cr_assert(sent[i].is_reported, "content %d", i);
		cr_expect(sent[i].failed);
		cr_expect_eq(sent[i].fault.kind, FAULT_BUSY);
	}
	/* Those that wait already may come again, and another source has its own. */
	send_one("t", "15");
	cr_expect_not(sent[19].is_reported);
	send_to(in, "t", "other", "17");
	cr_expect_not(sent[20].is_reported);
	release();
	expect(&sent[1], ACCEPTED_NEW);
	for (int i = 2; i < 17; i++)
		expect(&sent[i], ACCEPTED_CONFLICT);
	expect(&sent[19], ACCEPTED_CONFLICT);
	expect(&sent[20], ACCEPTED_NEW);
	cr_expect_eq(rows("transaction_conflicts"), 15);
}

/* The first KEEP makes the row, the second counts all others. */
Test(ingest_fairness, copies_of_a_conflict_are_counted_together)
{
	send_one("t", "1");
	sent_all();
	block_the_first();
	for (int i = 0; i < 100; i++)
		send_one("t", "2");
	commits = 0;
	release();
	for (int i = 2; i < 102; i++)
		expect(&sent[i], ACCEPTED_CONFLICT);
	cr_expect_eq(database_number("SELECT count FROM payhook.transaction_conflicts"), 100);
	cr_expect_eq(commits, 3, "%d", commits);
}

Test(ingest_fairness, copies_of_a_conflict_beyond_the_sixteenth_are_counted_together)
{
	char amount[8];
	send_one("t", "100");
	sent_all();
	for (int i = 0; i < 16; i++) {
		snprintf(amount, sizeof amount, "%d", i);
		send_one("t", amount);
	}
	sent_all();
	block_the_first();
	for (int i = 0; i < 100; i++)
		send_one("t", "16");
	commits = 0;
	release();
	cr_expect_eq(rows("transaction_conflicts"), 16);
	cr_expect_eq(database_number("SELECT unkept FROM payhook.transaction_conflicts WHERE ordinal = 16"), 100);
	cr_expect_eq(commits, 2, "%d", commits);
}

/* A server process reports its deadlocks at its end at the latest. */
static bool are_gone(void *ctx)
{
	(void)ctx;
	return database_number("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
			       " AND application_name = 'payhook-app accept'") == 0;
}

static bool are_two_blocked(void *ctx)
{
	(void)ctx;
	return database_number("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
			       " AND cardinality(pg_blocking_pids(pid)) > 0") == 2;
}

/* Two processes: what is known to one of two ids, at the sixteenth place, is beyond the sixteenth place to the other. */
Test(ingest_fairness, two_processes_that_count_conflicts_do_not_lock_each_other_out)
{
	database_exec(
		"INSERT INTO payhook.transactions (transaction_id, source, source_account, destination_account, amount,"
		" currency) SELECT id, 'transactions', 'from', 'to', 1, 'EUR' FROM unnest('{a,x}'::text[]) id;"
		"INSERT INTO payhook.transaction_conflicts"
		" (transaction_id, source, ordinal, body_sha256, body, request_id)"
		" SELECT id, 'transactions', n, sha256(body), body, 'r0' FROM unnest('{a,x}'::text[]) id,"
		" generate_series(1, 16) n, LATERAL (SELECT convert_to('{\"amount\":' || n || '0}', 'UTF8') AS body) b");
	ups = 0;
	struct ingest *second = ingest_create(connect_state, &SENT_EVENTS, NULL);
	loop_until(is_up, NULL, "the second ingest is up");
	PGconn *of_a = block(
		"SELECT FROM payhook.transaction_conflicts WHERE ordinal = 16 AND transaction_id = 'a' FOR UPDATE");
	PGconn *of_x = block(
		"SELECT FROM payhook.transaction_conflicts WHERE ordinal = 16 AND transaction_id = 'x' FOR UPDATE");
	send_to(in, "a", "transactions", "2");
	send_to(in, "x", "transactions", "160");
	send_to(second, "a", "transactions", "160");
	send_to(second, "x", "transactions", "2");
	loop_until(are_two_blocked, NULL, "both wait for a row");
	unblock(of_x);
	loop_until(are_two_blocked, NULL, "both wait for a row of a, or one goes on to it");
	unblock(of_a);
	sent_all();
	for (int i = 0; i < 4; i++)
		expect(&sent[i], ACCEPTED_CONFLICT);
	ingest_destroy(second);
	ingest_destroy(in);
	in = NULL;
	cr_expect_eq(database_number("SELECT sum(count) * 100 + sum(unkept) FROM payhook.transaction_conflicts"), 3402);
	loop_until(are_gone, NULL, "the connections are gone");
	cr_expect_eq(database_number("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"), 0);
}
