/* test_store_all.c - what a batch stores beside transactions and jobs: payloads, the columns of events, and parked
 * jobs. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "support/fresh_database.h"
#include "support/loop.h"
#include "support/sent.h"

TestSuite(store_all, .init = sent_init, .fini = sent_fini, .timeout = 60);

#define SOURCE "stripe"
#define REQUEST_ID "0123456789abcdef0123456789abcdef"

/* Sends an event of a payment.  Until the loop runs again, its members may be changed. */
static struct sent *send_event(const char *id, const char *payment, enum txn_kind kind)
{
	struct sent *s = send_to(in, id, SOURCE, "10.50");
	snprintf(s->txn.payment_id, sizeof s->txn.payment_id, "%s", payment);
	s->txn.kind = kind;
	return s;
}

static void keep(struct sent *s)
{
	s->body.content_type = "application/json";
	s->body.headers = "{\"user-agent\": \"Stripe/1.0\"}";
	s->pending_insert.request_id = REQUEST_ID;
}

Test(store_all, stores_the_members_of_an_event)
{
	struct sent *s = send_event("e", "pi_1", TXN_REFUNDED);
	snprintf(s->txn.part, sizeof s->txn.part, "re_1");
	s->txn.is_total = true;
	s->txn.has_occurred = true;
	s->txn.occurred_us = 1700000000123456;
	sent_all();
	expect(s, ACCEPTED_NEW);
	cr_expect_str_eq(
		database_value("SELECT payment_id || kind || part || is_total || (occurred_at AT TIME ZONE 'UTC')"
			       " FROM payhook.transactions"),
		"pi_1refundedre_1true2023-11-14 22:13:20.123456");
	cr_expect_eq(rows("jobs"), 1);
	cr_expect_eq(rows("payloads"), 0);
	cr_expect_eq(unkept, 0, "it was not to be kept");
}

Test(store_all, keeps_every_microsecond_of_the_years_that_are_taken)
{
	static const struct {
		int64_t us;
		const char *stored;
	} times[] = {
		{0, "1970-01-01 00:00:00"},
		{9007199254740993, "2255-06-05 23:47:34.740993"}, /* the first that a double does not hold */
		{253402300799999001, "9999-12-31 23:59:59.999001"},
		{253402300799999999, "9999-12-31 23:59:59.999999"},
	};
	for (size_t i = 0; i < COUNT_OF(times); i++) {
		char id[8];
		snprintf(id, sizeof id, "e%zu", i);
		struct sent *s = send_event(id, "pi_1", TXN_CAPTURED);
		s->txn.has_occurred = true;
		s->txn.occurred_us = times[i].us;
		sent_all();
		expect(s, ACCEPTED_NEW);
		cr_expect_str_eq(database_value("SELECT occurred_at AT TIME ZONE 'UTC' FROM payhook.transactions"
						" WHERE transaction_id = '%s'",
					 id),
			times[i].stored);
	}
}

Test(store_all, stores_what_is_unknown_as_null_and_finds_it_again)
{
	for (int i = 0; i < 2; i++) {
		struct sent *s = send_event("e", "", TXN_NO_KIND);
		*s->txn.amount.digits = *s->txn.currency = *s->txn.source_account = *s->txn.destination_account = '\0';
		sent_all();
		expect(s, i ? ACCEPTED_AGAIN : ACCEPTED_NEW);
	}
	cr_expect_eq(
		database_number("SELECT num_nulls(source_account, destination_account, amount, currency, payment_id,"
				" kind, part, is_total, occurred_at) FROM payhook.transactions"),
		9);
	struct sent *other = send_to(in, "e", SOURCE, "10.50");
	sent_all();
	expect(other, ACCEPTED_CONFLICT);
}

Test(store_all, takes_another_kind_under_one_id_as_a_conflict)
{
	send_event("e", "pi_1", TXN_CAPTURED);
	sent_all();
	struct sent *refund = send_event("e", "pi_1", TXN_REFUNDED);
	sent_all();
	expect(refund, ACCEPTED_CONFLICT);
}

Test(store_all, finds_a_transaction_that_was_stored_before_it_had_a_kind)
{
	send_to(in, "e", SOURCE, "10.50");
	sent_all();
	struct sent *again = send_event("e", "pi_1", TXN_CAPTURED);
	sent_all();
	expect(again, ACCEPTED_AGAIN);
}

Test(store_all, keeps_a_request_once_byte_for_byte)
{
	static const char BYTES[] = "{\"a\":\"\xff\\u0000\"}\r\n";
	struct sent *first = send_event("e1", "pi_1", TXN_CAPTURED), *second = send_event("e2", "pi_1", TXN_CAPTURED);
	first->body.bytes = BYTES;
	first->body.len = sizeof BYTES;
	keep(first);
	second->pending_insert.body = &first->body;
	second->pending_insert.request_id = REQUEST_ID;
	send_event("e3", "pi_1", TXN_CAPTURED);
	sent_all();
	cr_expect_eq(rows("payloads"), 1);
	cr_expect_str_eq(database_value("SELECT string_agg(t.transaction_id, ' ' ORDER BY t.transaction_id)"
					" FROM payhook.transactions t JOIN payhook.payloads p"
					" ON p.payload_id = t.payload_id AND p.received_at = t.payload_at"),
		"e1 e2");
	cr_expect_str_eq(database_value("SELECT encode(body, 'hex') FROM payhook.payloads"),
		"7b2261223a22ff5c7530303030227d0d0a00");
	cr_expect_str_eq(database_value("SELECT translate(request_id::text, '-', '') || source || content_type ||"
					" (headers ->> 'user-agent') FROM payhook.payloads"),
		REQUEST_ID SOURCE "application/jsonStripe/1.0");
}

/* The transactions of one request share its body, which a batch counts once. */
Test(store_all, keeps_a_large_request_of_many_transactions_once)
{
	static char bytes[1024 * 1024];
	struct sent *first = NULL;
	memset(bytes, ' ', sizeof bytes);
	for (int i = 0; i < 64; i++) {
		char id[8];
		snprintf(id, sizeof id, "e%d", i);
		struct sent *s = send_event(id, "pi_1", TXN_CAPTURED);
		if (!first) {
			first = s;
			keep(s);
			s->body.bytes = bytes;
			s->body.len = sizeof bytes;
		}
		s->pending_insert.body = &first->body;
	}
	sent_all();
	cr_expect_eq(database_number("SELECT count(*) FROM payhook.transactions WHERE payload_id IS NOT NULL"), 64);
	cr_expect_eq(rows("payloads"), 1);
}

Test(store_all, keeps_a_request_under_an_id_that_nginx_did_not_make)
{
	struct sent *s = send_event("e", "pi_1", TXN_CAPTURED);
	keep(s);
	s->pending_insert.request_id = "0123456789abcdef0123456789abcdeg";
	sent_all();
	expect(s, ACCEPTED_NEW);
	cr_expect_eq(database_number("SELECT count(*) FROM payhook.payloads WHERE request_id IS NULL"), 1);
}

Test(store_all, keeps_no_request_that_stores_nothing)
{
	keep(send_event("e", "pi_1", TXN_CAPTURED));
	sent_all();
	keep(send_event("e", "pi_1", TXN_CAPTURED));
	sent_all();
	cr_expect_eq(rows("payloads"), 1);
}

Test(store_all, accepts_a_webhook_on_a_day_without_a_partition)
{
	database_exec(
		"DO $$ BEGIN EXECUTE 'DROP TABLE payhook.' || payhook.payloads_day((now() AT TIME ZONE 'UTC')::date); END $$");
	struct sent *s = send_event("e", "pi_1", TXN_CAPTURED);
	keep(s);
	sent_all();
	expect(s, ACCEPTED_NEW);
	cr_expect_eq(database_number("SELECT num_nulls(payload_id, payload_at) FROM payhook.transactions"), 2);
	cr_expect_eq(unkept, 1);
}

/* An operator has detached it.  A webhook that is answered 422 for that would not be sent again. */
Test(store_all, accepts_a_webhook_on_a_day_with_a_detached_partition)
{
	database_exec("DO $$ BEGIN EXECUTE 'ALTER TABLE payhook.payloads DETACH PARTITION payhook.'"
		      " || payhook.payloads_day((now() AT TIME ZONE 'UTC')::date); END $$");
	struct sent *s = send_event("e", "pi_1", TXN_CAPTURED);
	keep(s);
	sent_all();
	expect(s, ACCEPTED_NEW);
	cr_expect_eq(unkept, 1);
}

/* The ids say the opposite order, and a batch is sorted by them. */
Test(store_all, parks_the_jobs_of_a_source_in_order_in_the_order_of_arrival)
{
	static const char *const IDS[] = {"e9", "e5", "e7", "e1"};
	for (int i = 0; i < (int)COUNT_OF(IDS); i++)
		send_event(IDS[i], i == 1 ? "pi_2" : "pi_1", TXN_CAPTURED)->pending_insert.is_in_order = true;
	send_event("e0", "", TXN_CAPTURED)->pending_insert.is_in_order = true;
	struct sent *other = send_event("f", "pi_2", TXN_CAPTURED);
	other->pending_insert.source = "adyen";
	other->pending_insert.is_in_order = other->pending_insert.continues = true;
	sent_all();
	cr_expect_str_eq(
		database_value("SELECT string_agg(transaction_id, ' ' ORDER BY lane_no) FROM payhook.parked_jobs"),
		"e9 e5 e7 e1 f");
	cr_expect_eq(database_number("SELECT count(DISTINCT lane) FROM payhook.parked_jobs"), 3);
	cr_expect_str_eq(
		database_value("SELECT string_agg(transaction_id, ' ') FROM payhook.parked_jobs WHERE continues"), "f");
	cr_expect_str_eq(database_value("SELECT string_agg(transaction_id, ' ') FROM payhook.jobs"), "e0");
	cr_expect_eq(database_number("SELECT payhook.activate(array_agg(lane)) FROM payhook.parked_jobs"), 3);
	cr_expect_eq(database_number("SELECT payhook.activate(array_agg(lane)) FROM payhook.parked_jobs"), 0);
	cr_expect_str_eq(database_value("SELECT string_agg(transaction_id, ' ' ORDER BY lane_no) FROM payhook.jobs"),
		"e9 e5 f e0");
}
