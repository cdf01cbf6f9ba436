#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "database.h"
#include "intake.h"
#include "loop.h"
#include "traceparent.h"

/* test_intake.c - the accept path against a real PostgreSQL: what is stored, and who is told what. */

#define MOST 1200

/* One webhook of a test, and what became of it. */
struct sent {
	struct arrival arrival;
	struct txn txn;
	char body[64];
	bool is_told;
	enum accepted outcome;
	bool failed;
	struct fault fault;
};

static struct intake *in;
static struct lanes *lanes;
static struct sent sent[MOST];
static int sent_count;
static int told_count;
static int enqueued;
static int ups;
static int downs;

static void on_up(void *ctx)
{
	(void)ctx;
	ups++;
}

static void on_down(void *ctx, const struct fault *why)
{
	(void)ctx, (void)why;
	downs++;
}

static void on_enqueued(void *ctx)
{
	(void)ctx;
	enqueued++;
}

static const struct intake_events EVENTS = {.up = on_up, .down = on_down, .enqueued = on_enqueued};

static bool is_up(void *ctx)
{
	(void)ctx;
	return ups > 0;
}

static bool all_told(void *ctx)
{
	(void)ctx;
	return told_count == sent_count;
}

static void intake_init(void)
{
	database_init();
	lanes = loop_open();
	in = intake_create(lanes, &EVENTS, NULL);
	cr_assert_not_null(in);
	loop_until(is_up, NULL, "the intake is up");
}

static void intake_fini(void)
{
	intake_destroy(in);
	loop_close();
	database_drop();
}

TestSuite(intake, .init = intake_init, .fini = intake_fini, .timeout = 60);

static void on_done(struct arrival *a, enum accepted outcome, const struct fault *f)
{
	struct sent *s = (struct sent *)(void *)a;
	cr_assert_not(s->is_told, "told twice");
	s->is_told = true;
	s->outcome = outcome;
	s->failed = f != NULL;
	if (f)
		s->fault = *f;
	told_count++;
}

static struct sent *send_to(struct intake *intake, const char *id, const char *source, const char *amount)
{
	struct sent *s = &sent[sent_count++];
	snprintf(s->txn.transaction_id, sizeof s->txn.transaction_id, "%s", id);
	snprintf(s->txn.source_account, sizeof s->txn.source_account, "from");
	snprintf(s->txn.destination_account, sizeof s->txn.destination_account, "to");
	snprintf(s->txn.amount.digits, sizeof s->txn.amount.digits, "%s", amount);
	snprintf(s->txn.currency, sizeof s->txn.currency, "EUR");
	snprintf(s->body, sizeof s->body, "{\"amount\":%s}", amount);
	s->arrival = (struct arrival){.txn = &s->txn,
		.source = source,
		.request_id = "r1",
		.body = s->body,
		.body_len = strlen(s->body),
		.done = on_done};
	intake_accept(intake, &s->arrival);
	return s;
}

static struct sent *send_one(const char *id, const char *amount)
{
	return send_to(in, id, "transactions", amount);
}

static void expect(const struct sent *s, enum accepted outcome)
{
	cr_assert(s->is_told);
	cr_expect_not(s->failed, "%s: %s", s->txn.transaction_id, s->fault.text);
	cr_expect_eq(s->outcome, outcome, "%s of %s: %d", s->txn.transaction_id, s->txn.amount.digits, s->outcome);
}

static void settle_all(void)
{
	loop_until(all_told, NULL, "everyone is told");
}

static long long rows(const char *table)
{
	return database_number("SELECT count(*) FROM payhook.%s", table);
}

Test(intake, stores_a_webhook_with_its_job)
{
	struct sent *s = send_one("t", "150.50");
	settle_all();
	expect(s, ACCEPTED_NEW);
	cr_expect_eq(enqueued, 1);
	cr_expect_str_eq(database_value("SELECT amount || currency || status || source FROM payhook.transactions"),
		"150.50EURPROCESSINGtransactions");
	cr_expect_str_eq(
		database_value("SELECT transaction_id || source || attempt FROM payhook.jobs"), "ttransactions0");
}

/* Sent with the trace of this number. */
static void send_traced(const char *id, const char *source, int trace)
{
	static char texts[16][TRACEPARENT_LEN + 1];
	snprintf(texts[trace], sizeof texts[trace], "00-%032d-00f067aa0ba902b7-01", trace);
	send_to(in, id, source, "1")->arrival.traceparent = texts[trace];
}

/* The number of the trace that a job carries. */
static void expect_trace(const char *id, const char *source, const char *wanted)
{
	const char *trace = database_value(
		"SELECT substr(traceparent, 4, 32)::numeric FROM payhook.jobs WHERE transaction_id = $i$%s$i$"
		" AND source = '%s'",
		id, source);
	cr_expect_str_eq(trace, wanted, "%s of %s has trace %s", id, source, trace);
}

Test(intake, keeps_the_trace_with_the_job_whatever_the_id)
{
	char quotes[256] = "", wanted[8];
	memset(quotes, '"', 255);
	const char *ids[] = {"a", "\"b\\\"", "{}[],:/", "\\u0000", "\x7f\xc2\x80\xef\xbf\xbf\xf0\x9f\x92\xb8", quotes};
	for (int i = 0; i < (int)COUNT_OF(ids); i++)
		send_traced(ids[i], "transactions", i + 1);
	settle_all();
	for (int i = 0; i < (int)COUNT_OF(ids); i++) {
		snprintf(wanted, sizeof wanted, "%d", i + 1);
		expect(&sent[i], ACCEPTED_NEW);
		expect_trace(ids[i], "transactions", wanted);
	}
}

Test(intake, keeps_each_trace_with_its_own_job_and_the_first_of_several)
{
	send_one("none", "1");
	send_traced("t", "transactions", 1);
	send_traced("t", "other", 2);
	send_traced("t", "transactions", 3);
	send_traced("x/t", "transactions", 4);
	send_to(in, "t", "x", "1");
	settle_all();
	cr_expect_eq(rows("jobs"), 5);
	expect_trace("none", "transactions", "null");
	expect_trace("t", "transactions", "1");
	expect_trace("t", "other", "2");
	expect_trace("x/t", "transactions", "4");
	expect_trace("t", "x", "null");
}

Test(intake, takes_the_same_again_as_the_same)
{
	send_one("t", "1500");
	settle_all();
	struct sent *again = send_one("t", "1500.00");
	settle_all();
	expect(again, ACCEPTED_AGAIN);
	cr_expect_eq(enqueued, 1);
	cr_expect_eq(rows("transactions"), 1);
	cr_expect_eq(rows("jobs"), 1);
	cr_expect_str_eq(database_value("SELECT amount FROM payhook.transactions"), "1500");
}

Test(intake, makes_no_second_job_once_the_first_is_done)
{
	send_one("t", "1");
	settle_all();
	database_exec("DELETE FROM payhook.jobs;"
		      "UPDATE payhook.transactions SET status = 'PROCESSED', processed_at = now()");
	struct sent *again = send_one("t", "1");
	settle_all();
	expect(again, ACCEPTED_AGAIN);
	cr_expect_eq(rows("jobs"), 0);
}

Test(intake, keeps_the_first_content_and_the_other_among_the_conflicts)
{
	send_one("t", "1");
	settle_all();
	struct sent *other = send_one("t", "2");
	settle_all();
	expect(other, ACCEPTED_CONFLICT);
	cr_expect_str_eq(database_value("SELECT amount FROM payhook.transactions"), "1");
	cr_expect_str_eq(database_value("SELECT convert_from(body, 'UTF8') || ordinal || count || request_id"
					" FROM payhook.transaction_conflicts"),
		"{\"amount\":2}11r1");
	send_one("t", "2");
	settle_all();
	cr_expect_eq(rows("transaction_conflicts"), 1);
	cr_expect_eq(database_number("SELECT count FROM payhook.transaction_conflicts"), 2);
}

Test(intake, keeps_sixteen_conflicts_of_an_id_and_counts_the_rest)
{
	char amount[8];
	send_one("t", "100");
	for (int i = 0; i < 20; i++) {
		snprintf(amount, sizeof amount, "%d", i);
		send_one("t", amount);
	}
	settle_all();
	for (int i = 1; i < 21; i++)
		expect(&sent[i], ACCEPTED_CONFLICT);
	cr_expect_eq(rows("transaction_conflicts"), 16);
	cr_expect_eq(database_number("SELECT sum(unkept) FROM payhook.transaction_conflicts"), 4);
	cr_expect_eq(database_number("SELECT max(unkept) FROM payhook.transaction_conflicts WHERE ordinal = 16"), 4);
	send_one("t", "3");
	settle_all();
	cr_expect_eq(database_number("SELECT sum(unkept) FROM payhook.transaction_conflicts"), 4);
	cr_expect_eq(database_number("SELECT sum(count) FROM payhook.transaction_conflicts"), 17);
}

Test(intake, many_at_once_share_commits)
{
	char id[16];
	for (int i = 0; i < 1000; i++) {
		snprintf(id, sizeof id, "t%d", i);
		send_one(id, "1");
	}
	settle_all();
	for (int i = 0; i < 1000; i++)
		expect(&sent[i], ACCEPTED_NEW);
	cr_expect_eq(rows("transactions"), 1000);
	cr_expect_eq(rows("jobs"), 1000);
	cr_expect_eq(database_number("SELECT count(DISTINCT xmin::text) FROM payhook.transactions"), 1000 / BATCH_MAX);
}

Test(intake, the_same_at_once_is_stored_once)
{
	for (int i = 0; i < 600; i++)
		send_one("t", i % 2 ? "7" : "7.00");
	settle_all();
	expect(&sent[0], ACCEPTED_NEW);
	for (int i = 1; i < 600; i++)
		expect(&sent[i], ACCEPTED_AGAIN);
	cr_expect_eq(rows("transactions"), 1);
	cr_expect_eq(rows("jobs"), 1);
}

Test(intake, another_content_at_once_does_not_pass_for_new)
{
	struct sent *first = send_one("t", "1");
	struct sent *other = send_one("t", "2");
	struct sent *again = send_one("t", "2");
	settle_all();
	expect(first, ACCEPTED_NEW);
	expect(other, ACCEPTED_CONFLICT);
	expect(again, ACCEPTED_CONFLICT);
	cr_expect_eq(rows("transaction_conflicts"), 1);
	cr_expect_eq(database_number("SELECT count FROM payhook.transaction_conflicts"), 2);
}

Test(intake, one_id_of_two_sources_is_two_transactions)
{
	struct sent *a = send_to(in, "t", "a", "1");
	struct sent *b = send_to(in, "t", "b", "2");
	settle_all();
	expect(a, ACCEPTED_NEW);
	expect(b, ACCEPTED_NEW);
	cr_expect_eq(rows("jobs"), 2);
}

Test(intake, a_row_that_the_server_refuses_fails_no_neighbour)
{
	send_one("a", "1");
	struct sent *bad = send_one("b\xff", "1");
	send_one("c", "1");
	settle_all();
	expect(&sent[0], ACCEPTED_NEW);
	expect(&sent[2], ACCEPTED_NEW);
	cr_expect(bad->failed);
	cr_expect_eq(bad->fault.kind, FAULT_INPUT, "%s", bad->fault.text);
	cr_expect_eq(rows("transactions"), 2);
	cr_expect_eq(rows("jobs"), 2);
}

/* Two processes with the same ids in opposite order of arrival. */
Test(intake, two_batches_of_the_same_ids_do_not_lock_each_other_out)
{
	char id[16];
	ups = 0;
	struct intake *second = intake_create(lanes, &EVENTS, NULL);
	loop_until(is_up, NULL, "the second intake is up");
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 250; i++) {
			snprintf(id, sizeof id, "t%d.%d", round, i);
			send_to(in, id, "transactions", "1");
			snprintf(id, sizeof id, "t%d.%d", round, 249 - i);
			send_to(second, id, "transactions", "1");
		}
		settle_all();
	}
	int news = 0;
	for (int i = 0; i < sent_count; i++) {
		cr_expect_not(sent[i].failed, "%s", sent[i].fault.text);
		news += sent[i].outcome == ACCEPTED_NEW;
	}
	cr_expect_eq(news, 500);
	cr_expect_eq(rows("jobs"), 500);
	intake_destroy(second);
}

static bool is_blocked(void *ctx)
{
	(void)ctx;
	return database_number("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
			       " AND wait_event_type = 'Lock'") > 0;
}

/* Another connection has inserted the id and not committed yet: its fate decides ours. */
static void insert_against_open_transaction(const char *end, enum accepted outcome)
{
	PGconn *other = database_connect();
	PQclear(PQexec(other, "BEGIN; INSERT INTO payhook.transactions (transaction_id, source_account, "
			      "destination_account, amount, currency) VALUES ('t', 'from', 'to', 1, 'EUR')"));
	struct sent *s = send_one("t", "1");
	loop_until(is_blocked, NULL, "the insert waits");
	PQclear(PQexec(other, end));
	settle_all();
	expect(s, outcome);
	PQfinish(other);
}

Test(intake, waits_for_a_concurrent_insert_that_commits)
{
	insert_against_open_transaction("COMMIT", ACCEPTED_AGAIN);
	cr_expect_eq(rows("jobs"), 0);
}

Test(intake, waits_for_a_concurrent_insert_that_is_rolled_back)
{
	insert_against_open_transaction("ROLLBACK", ACCEPTED_NEW);
	cr_expect_eq(rows("jobs"), 1);
}

/* New, sent twice; there already, the same and another; and both of these while the batch is under way. */
Test(intake, tells_each_of_a_batch_its_own_outcome)
{
	static const char *const RACED = "BEGIN; INSERT INTO payhook.transactions (transaction_id, source_account, "
					 "destination_account, amount, currency) VALUES ('b', 'from', 'to', 1, 'EUR'),"
					 " ('c', 'from', 'to', 1, 'EUR')";
	send_one("d", "1");
	send_one("e", "1");
	settle_all();
	PGconn *other = database_connect();
	PQclear(PQexec(other, RACED));
	struct sent *fresh = send_one("a", "1"), *rider = send_one("a", "1.0");
	struct sent *raced_same = send_one("b", "1"), *raced_other = send_one("c", "2");
	struct sent *same = send_one("d", "1"), *different = send_one("e", "2"), *last = send_one("f", "1");
	loop_until(is_blocked, NULL, "the insert waits");
	PQclear(PQexec(other, "COMMIT"));
	PQfinish(other);
	settle_all();
	expect(fresh, ACCEPTED_NEW);
	expect(rider, ACCEPTED_AGAIN);
	expect(raced_same, ACCEPTED_AGAIN);
	expect(raced_other, ACCEPTED_CONFLICT);
	expect(same, ACCEPTED_AGAIN);
	expect(different, ACCEPTED_CONFLICT);
	expect(last, ACCEPTED_NEW);
	cr_expect_eq(rows("transactions"), 6);
	cr_expect_eq(
		database_number("SELECT count(*) FROM payhook.jobs WHERE transaction_id IN ('a', 'd', 'e', 'f')"), 4);
	cr_expect_eq(rows("jobs"), 4);
	cr_expect_eq(rows("transaction_conflicts"), 2);
}

Test(intake, tells_nothing_to_who_is_withdrawn)
{
	struct sent *waiting = send_one("a", "1");
	intake_withdraw(in, &waiting->arrival);
	PGconn *other = database_connect();
	PQclear(PQexec(other, "BEGIN; LOCK TABLE payhook.transactions IN EXCLUSIVE MODE"));
	struct sent *under_way = send_one("b", "1");
	struct sent *rider = send_one("b", "1");
	loop_until(is_blocked, NULL, "the batch waits for the lock");
	intake_withdraw(in, &under_way->arrival);
	PQclear(PQexec(other, "COMMIT"));
	PQfinish(other);
	sent_count -= 2;
	settle_all();
	cr_expect_not(waiting->is_told);
	cr_expect_not(under_way->is_told);
	cr_expect(rider->is_told);
	cr_expect_eq(rows("transactions"), 1);
}

Test(intake, fails_who_waits_for_a_statement_that_the_server_does_not_answer)
{
	PGconn *other = database_connect();
	PQclear(PQexec(other, "BEGIN; LOCK TABLE payhook.transactions IN EXCLUSIVE MODE"));
	struct sent *s = send_one("a", "1");
	settle_all();
	cr_expect(s->failed);
	cr_expect_eq(s->fault.kind, FAULT_BUSY, "%s", s->fault.text);
	PQclear(PQexec(other, "COMMIT"));
	PQfinish(other);
	struct sent *next = send_one("b", "1");
	settle_all();
	expect(next, ACCEPTED_NEW);
}

static void cut_connections(void)
{
	database_exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
		      " WHERE datname = current_database() AND application_name = 'payhook-app accept'");
}

Test(intake, comes_back_after_its_connection_is_cut)
{
	cut_connections();
	struct sent *s = send_one("a", "1");
	settle_all();
	/* Whether it was sent before the cut was seen is a race: then it fails, openly, and the next try is stored. */
	if (s->failed)
		cr_expect_eq(s->fault.kind, FAULT_BUSY);
	struct sent *again = send_one("a", "1");
	settle_all();
	cr_expect_not(again->failed, "%s", again->fault.text);
	cr_expect_eq(rows("transactions"), 1);
	cr_expect_eq(downs, 1);
}

Test(intake, fails_who_is_under_way_when_the_connection_breaks)
{
	PGconn *other = database_connect();
	PQclear(PQexec(other, "BEGIN; LOCK TABLE payhook.transactions IN EXCLUSIVE MODE"));
	struct sent *s = send_one("a", "1");
	loop_until(is_blocked, NULL, "the batch waits for the lock");
	cut_connections();
	settle_all();
	cr_expect(s->failed);
	cr_expect_eq(s->fault.kind, FAULT_BUSY, "%s", s->fault.text);
	PQfinish(other);
	cr_expect_eq(rows("transactions"), 0);
}

static bool probed;
static bool probe_failed;

static void on_probe(struct intake_probe *p, const struct fault *f)
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

Test(intake, says_it_is_healthy_by_a_durable_write)
{
	struct intake_probe p = {.done = on_probe};
	const char *before = database_value("SELECT pg_current_wal_flush_lsn()");
	char lsn[32];
	snprintf(lsn, sizeof lsn, "%s", before);
	intake_ask(in, &p);
	cr_expect_not(probed);
	loop_until(is_probed, NULL, "the probe is answered");
	cr_expect_not(probe_failed);
	cr_expect_str_eq(database_value("SELECT pg_current_wal_flush_lsn() > '%s'", lsn), "t");
	probed = false;
	intake_ask(in, &p);
	cr_expect(probed, "a fresh commit answers at once");
}

Test(intake, promises_nothing_on_a_server_that_only_reads)
{
	database_exec("ALTER DATABASE %s SET default_transaction_read_only = on",
		database_value("SELECT current_database()"));
	cut_connections();
	downs = 0;
	ups = 0;
	loop_until(is_up, NULL, "the intake is up again");
	struct sent *s = send_one("a", "1");
	settle_all();
	cr_expect(s->failed);
	cr_expect_eq(s->fault.kind, FAULT_BUSY, "%s", s->fault.text);
}
