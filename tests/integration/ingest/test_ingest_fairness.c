/* test_ingest_fairness.c - webhooks that wait beside a flood: of another source, and of the same one. */

#include <criterion/criterion.h>
#include <stdio.h>

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
