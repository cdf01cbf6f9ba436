/* test_ingest.c - storing webhooks in PostgreSQL: what is stored, and which outcome each webhook gets. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "http/traceparent.h"
#include "support/fresh_database.h"
#include "support/loop.h"
#include "support/sent.h"

TestSuite(ingest, .init = sent_init, .fini = sent_fini, .timeout = 60);

Test(ingest, stores_a_webhook_with_its_job)
{
	struct sent *s = send_one("t", "150.50");
	sent_all();
	expect(s, ACCEPTED_NEW);
	cr_expect_eq(enqueued, 1);
	cr_expect_str_eq(database_value("SELECT amount || currency || status || source FROM payhook.transactions"),
		"150.50EURPROCESSINGtransactions");
	cr_expect_str_eq(
		database_value("SELECT transaction_id || source || attempt FROM payhook.jobs"), "ttransactions0");
}

/* Sends a webhook with the trace of this number. */
static void send_traced(const char *id, const char *source, int trace)
{
	static char texts[16][TRACEPARENT_LEN + 1];
	snprintf(texts[trace], sizeof texts[trace], "00-%032d-00f067aa0ba902b7-01", trace);
	send_to(in, id, source, "1")->pending_insert.traceparent = texts[trace];
}

/* The number of the trace that the job has. */
static void expect_trace(const char *id, const char *source, const char *wanted)
{
	const char *trace = database_value(
		"SELECT substr(traceparent, 4, 32)::numeric FROM payhook.jobs WHERE transaction_id = $i$%s$i$"
		" AND source = '%s'",
		id, source);
	cr_expect_str_eq(trace, wanted, "%s of %s has trace %s", id, source, trace);
}

Test(ingest, keeps_the_trace_with_the_job_whatever_the_id)
{
	char quotes[256] = "", wanted[8];
	memset(quotes, '"', 255);
	const char *ids[] = {"a", "\"b\\\"", "{}[],:/", "\\u0000", "\x7f\xc2\x80\xef\xbf\xbf\xf0\x9f\x92\xb8", quotes};
	for (int i = 0; i < (int)COUNT_OF(ids); i++)
		send_traced(ids[i], "transactions", i + 1);
	sent_all();
	for (int i = 0; i < (int)COUNT_OF(ids); i++) {
		snprintf(wanted, sizeof wanted, "%d", i + 1);
		expect(&sent[i], ACCEPTED_NEW);
		expect_trace(ids[i], "transactions", wanted);
	}
}

Test(ingest, keeps_each_trace_with_its_own_job_and_the_first_of_several)
{
	send_one("none", "1");
	send_traced("t", "transactions", 1);
	send_traced("t", "other", 2);
	send_traced("t", "transactions", 3);
	send_traced("x/t", "transactions", 4);
	send_to(in, "t", "x", "1");
	sent_all();
	cr_expect_eq(rows("jobs"), 5);
	expect_trace("none", "transactions", "null");
	expect_trace("t", "transactions", "1");
	expect_trace("t", "other", "2");
	expect_trace("x/t", "transactions", "4");
	expect_trace("t", "x", "null");
}

Test(ingest, takes_the_same_again_as_the_same)
{
	send_one("t", "1500");
	sent_all();
	struct sent *again = send_one("t", "1500.00");
	sent_all();
	expect(again, ACCEPTED_AGAIN);
	cr_expect_eq(enqueued, 1);
	cr_expect_eq(rows("transactions"), 1);
	cr_expect_eq(rows("jobs"), 1);
	cr_expect_str_eq(database_value("SELECT amount FROM payhook.transactions"), "1500");
}

Test(ingest, an_amount_below_zero_is_kept_and_is_another_than_without_its_sign)
{
	struct sent *first = send_one("t", "-1500.10");
	sent_all();
	expect(first, ACCEPTED_NEW);
	struct sent *again = send_one("t", "-1500.1");
	sent_all();
	struct sent *other = send_one("t", "1500.10");
	sent_all();
	expect(again, ACCEPTED_AGAIN);
	expect(other, ACCEPTED_CONFLICT);
	cr_expect_eq(rows("transactions"), 1);
	cr_expect_str_eq(database_value("SELECT amount FROM payhook.transactions"), "-1500.10");
}

Test(ingest, makes_no_second_job_once_the_first_is_done)
{
	send_one("t", "1");
	sent_all();
	database_exec("DELETE FROM payhook.jobs;"
		      "UPDATE payhook.transactions SET status = 'PROCESSED', processed_at = now()");
	struct sent *again = send_one("t", "1");
	sent_all();
	expect(again, ACCEPTED_AGAIN);
	cr_expect_eq(rows("jobs"), 0);
}

/* The data must not come back by a webhook that is sent again. */
Test(ingest, takes_a_webhook_of_an_erased_account_for_a_duplicate)
{
	send_one("t", "1");
	sent_all();
	database_exec(
		"DELETE FROM payhook.jobs; UPDATE payhook.transactions SET status = 'PROCESSED', processed_at = now();"
		" SELECT payhook.forget(source_account, true) FROM payhook.transactions");
	struct sent *again = send_one("t", "1");
	sent_all();
	expect(again, ACCEPTED_AGAIN);
	struct sent *other = send_one("t", "2");
	sent_all();
	expect(other, ACCEPTED_CONFLICT);
	cr_expect_eq(rows("transaction_conflicts"), 1);
	cr_expect_eq(rows("jobs"), 0);
}

Test(ingest, keeps_the_first_content_and_the_other_among_the_conflicts)
{
	send_one("t", "1");
	sent_all();
	struct sent *other = send_one("t", "2");
	sent_all();
	expect(other, ACCEPTED_CONFLICT);
	cr_expect_str_eq(database_value("SELECT amount FROM payhook.transactions"), "1");
	cr_expect_str_eq(database_value("SELECT convert_from(body, 'UTF8') || ordinal || count || request_id"
					" FROM payhook.transaction_conflicts"),
		"{\"amount\":2}11r1");
	send_one("t", "2");
	sent_all();
	cr_expect_eq(rows("transaction_conflicts"), 1);
	cr_expect_eq(database_number("SELECT count FROM payhook.transaction_conflicts"), 2);
}

Test(ingest, keeps_sixteen_conflicts_of_an_id_and_counts_the_rest)
{
	char amount[8];
	send_one("t", "100");
	for (int i = 0; i < 20; i++) {
		snprintf(amount, sizeof amount, "%d", i);
		send_one("t", amount);
		if (i % 10 == 9)
			sent_all();
	}
	for (int i = 1; i < 21; i++)
		expect(&sent[i], ACCEPTED_CONFLICT);
	cr_expect_eq(rows("transaction_conflicts"), 16);
	cr_expect_eq(database_number("SELECT sum(unkept) FROM payhook.transaction_conflicts"), 4);
	cr_expect_eq(database_number("SELECT max(unkept) FROM payhook.transaction_conflicts WHERE ordinal = 16"), 4);
	send_one("t", "3");
	sent_all();
	cr_expect_eq(database_number("SELECT sum(unkept) FROM payhook.transaction_conflicts"), 4);
	cr_expect_eq(database_number("SELECT sum(count) FROM payhook.transaction_conflicts"), 17);
}

Test(ingest, many_at_once_share_commits)
{
	char id[16];
	for (int i = 0; i < 1000; i++) {
		snprintf(id, sizeof id, "t%d", i);
		send_one(id, "1");
	}
	sent_all();
	for (int i = 0; i < 1000; i++)
		expect(&sent[i], ACCEPTED_NEW);
	cr_expect_eq(rows("transactions"), 1000);
	cr_expect_eq(rows("jobs"), 1000);
	cr_expect_eq(database_number("SELECT count(DISTINCT xmin::text) FROM payhook.transactions"), 1000 / BATCH_MAX);
}

Test(ingest, the_same_at_once_is_stored_once)
{
	for (int i = 0; i < 600; i++)
		send_one("t", i % 2 ? "7" : "7.00");
	sent_all();
	expect(&sent[0], ACCEPTED_NEW);
	for (int i = 1; i < 600; i++)
		expect(&sent[i], ACCEPTED_AGAIN);
	cr_expect_eq(rows("transactions"), 1);
	cr_expect_eq(rows("jobs"), 1);
}

Test(ingest, another_content_at_once_does_not_pass_for_new)
{
	struct sent *first = send_one("t", "1");
	struct sent *other = send_one("t", "2");
	struct sent *again = send_one("t", "2");
	sent_all();
	expect(first, ACCEPTED_NEW);
	expect(other, ACCEPTED_CONFLICT);
	expect(again, ACCEPTED_CONFLICT);
	cr_expect_eq(rows("transaction_conflicts"), 1);
	cr_expect_eq(database_number("SELECT count FROM payhook.transaction_conflicts"), 2);
}

Test(ingest, one_id_of_two_sources_is_two_transactions)
{
	struct sent *a = send_to(in, "t", "a", "1");
	struct sent *b = send_to(in, "t", "b", "2");
	sent_all();
	expect(a, ACCEPTED_NEW);
	expect(b, ACCEPTED_NEW);
	cr_expect_eq(rows("jobs"), 2);
}

Test(ingest, a_row_that_the_server_refuses_fails_no_neighbour)
{
	send_one("a", "1");
	struct sent *bad = send_one("b\xff", "1");
	send_one("c", "1");
	sent_all();
	expect(&sent[0], ACCEPTED_NEW);
	expect(&sent[2], ACCEPTED_NEW);
	cr_expect(bad->failed);
	cr_expect_eq(bad->fault.kind, FAULT_INPUT, "%s", bad->fault.text);
	cr_expect_eq(rows("transactions"), 2);
	cr_expect_eq(rows("jobs"), 2);
}

/* Two processes with the same ids in opposite order. */
Test(ingest, two_batches_of_the_same_ids_do_not_lock_each_other_out)
{
	char id[16];
	ups = 0;
	struct ingest *second = ingest_create(connect_state, &SENT_EVENTS, NULL);
	loop_until(is_up, NULL, "the second ingest is up");
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 250; i++) {
			snprintf(id, sizeof id, "t%d.%d", round, i);
			send_to(in, id, "transactions", "1");
			snprintf(id, sizeof id, "t%d.%d", round, 249 - i);
			send_to(second, id, "transactions", "1");
		}
		sent_all();
	}
	int is_new = 0;
	for (int i = 0; i < sent_count; i++) {
		cr_expect_not(sent[i].failed, "%s", sent[i].fault.text);
		is_new += sent[i].outcome == ACCEPTED_NEW;
	}
	cr_expect_eq(is_new, 500);
	cr_expect_eq(rows("jobs"), 500);
	ingest_destroy(second);
}

/* One batch contains: a new transaction, twice; stored ones, with the same and with different content; and ones that
 * another connection has inserted and not committed, with the same and with different content.  The end of that other
 * transaction decides the outcome of the latter. */
static void store_against_open_transaction(const char *end, enum accepted same_outcome, enum accepted other_outcome)
{
	static const char *const BEGIN = "BEGIN; INSERT INTO payhook.transactions (transaction_id, source_account, "
					 "destination_account, amount, currency) VALUES ('b', 'from', 'to', 1, 'EUR'),"
					 " ('c', 'from', 'to', 1, 'EUR')";
	enum accepted expected[] = {ACCEPTED_NEW, ACCEPTED_AGAIN, same_outcome, other_outcome, ACCEPTED_AGAIN,
		ACCEPTED_CONFLICT, ACCEPTED_NEW};
	struct sent *s[COUNT_OF(expected)];
	send_one("d", "1");
	send_one("e", "1");
	sent_all();
	PGconn *other = database_connect();
	PQclear(PQexec(other, BEGIN));
	for (size_t i = 0; i < COUNT_OF(s); i++)
		s[i] = send_one((const char *[]){"a", "a", "b", "c", "d", "e", "f"}[i],
			(const char *[]){"1", "1.0", "1", "2", "1", "2", "1"}[i]);
	loop_until(is_blocked, NULL, "the insert waits");
	PQclear(PQexec(other, end));
	PQfinish(other);
	sent_all();
	for (size_t i = 0; i < COUNT_OF(s); i++)
		expect(s[i], expected[i]);
	cr_expect_eq(rows("transactions"), 6);
}

Test(ingest, waits_for_a_concurrent_insert_that_commits)
{
	store_against_open_transaction("COMMIT", ACCEPTED_AGAIN, ACCEPTED_CONFLICT);
	cr_expect_eq(rows("jobs"), 4);
	cr_expect_eq(rows("transaction_conflicts"), 2);
}

Test(ingest, waits_for_a_concurrent_insert_that_is_rolled_back)
{
	store_against_open_transaction("ROLLBACK", ACCEPTED_NEW, ACCEPTED_NEW);
	cr_expect_eq(rows("jobs"), 6);
	cr_expect_eq(rows("transaction_conflicts"), 1);
}

Test(ingest, reports_nothing_to_an_insert_that_is_withdrawn)
{
	struct sent *waiting = send_one("a", "1");
	ingest_withdraw(in, &waiting->pending_insert);
	PGconn *other = database_connect();
	PQclear(PQexec(other, "BEGIN; LOCK TABLE payhook.transactions IN EXCLUSIVE MODE"));
	struct sent *under_way = send_one("b", "1");
	struct sent *duplicate = send_one("b", "1");
	loop_until(is_blocked, NULL, "the batch waits for the lock");
	ingest_withdraw(in, &under_way->pending_insert);
	PQclear(PQexec(other, "COMMIT"));
	PQfinish(other);
	sent_withdrawn = 2;
	sent_all();
	cr_expect_not(waiting->is_reported);
	cr_expect_not(under_way->is_reported);
	cr_expect(duplicate->is_reported);
	cr_expect_eq(rows("transactions"), 1);
}

/* Withdraws the first of some webhooks while a statement that waits for another connection's lock has it. */
static void withdraw_in_statement(const char *lock, void (*send)(void), int first)
{
	PGconn *other = database_connect();
	PQclear(PQexec(other, "BEGIN"));
	PGresult *locked = PQexec(other, lock);
	cr_assert_eq(PQresultStatus(locked), PGRES_COMMAND_OK, "%s", PQerrorMessage(other));
	PQclear(locked);
	send();
	loop_until(is_blocked, NULL, "the statement waits for the lock");
	ingest_withdraw(in, &sent[first].pending_insert);
	PQclear(PQexec(other, "COMMIT"));
	PQfinish(other);
	sent_withdrawn = 1;
	sent_all();
	cr_expect_not(sent[first].is_reported);
}

static void send_two_conflicts(void)
{
	send_one("t", "2");
	send_one("t", "2.0");
}

/* The two have the same content and different bytes: each is recorded by a KEEP of its own. */
Test(ingest, a_duplicate_of_a_withdrawn_conflict_is_a_conflict_only_when_its_own_bytes_are_kept)
{
	send_one("t", "1");
	sent_all();
	withdraw_in_statement("LOCK TABLE payhook.transaction_conflicts IN EXCLUSIVE MODE", send_two_conflicts, 1);
	expect(&sent[2], ACCEPTED_CONFLICT);
	cr_expect_eq(database_number("SELECT count(*) FROM payhook.transaction_conflicts"
				     " WHERE convert_from(body, 'UTF8') = '{\"amount\":2.0}'"),
		1);
}

static void send_a_bad_one_and_a_good_one(void)
{
	send_one("a", "1");
	send_one("b", "1");
}

Test(ingest, a_row_that_the_server_refuses_fails_no_neighbour_when_it_is_withdrawn)
{
	database_exec("CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
		      " LOCK TABLE payhook.workers; PERFORM 1 / 0; END $$;"
		      "CREATE TRIGGER wait BEFORE INSERT ON payhook.transactions FOR EACH ROW"
		      " WHEN (NEW.transaction_id = 'a') EXECUTE FUNCTION wait()");
	withdraw_in_statement("LOCK TABLE payhook.workers", send_a_bad_one_and_a_good_one, 0);
	expect(&sent[1], ACCEPTED_NEW);
}

/* From its sixth execution the statement has a generic plan, made while the table has one page. */
Test(ingest, looks_up_by_the_key_whatever_its_plan_was_made_for)
{
	send_one("first", "1");
	sent_all();
	database_exec("VACUUM ANALYZE payhook.transactions");
	for (int i = 0; i < 8; i++) {
		char id[8];
		snprintf(id, sizeof id, "t%d", i);
		send_one(id, "1");
		sent_all();
	}
	ingest_destroy(in);
	in = NULL;
	cr_expect_eq(database_scans("transactions", 9), 0);
}
