/* test_event_orders.c - in whatever order the events of a payment arrive, its state and its sums are the same.
 *
 * Each of the 5,040 orders of seven events is a payment of its own, each event is sent twice, and the fourteen webhooks
 * come one, three or seven at a time.  Many payments go side by side, so a batch holds the steps of several. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/fresh_database.h"
#include "support/loop.h"
#include "support/sent.h"

TestSuite(event_orders, .init = sent_init, .fini = sent_fini, .timeout = 120);

#define EVENTS 7
#define WEBHOOKS (2 * EVENTS)
#define ORDERS 5040
#define TOGETHER 252 /* payments side by side: their webhooks are fewer than may wait */

/* Captured in two parts, refunded twice, disputed and lost; with ties in the times, as providers have them. */
static const struct {
	enum txn_kind kind;
	const char *part, *amount;
	int64_t at_s;
} LIFE[EVENTS] = {
	{TXN_AUTHORISED, "", "100.00", 1},
	{TXN_CAPTURED, "c1", "60.00", 2},
	{TXN_CAPTURED, "c2", "40", 2},
	{TXN_REFUNDED, "r1", "10.00", 3},
	{TXN_REFUNDED, "r2", "15.50", 3},
	{TXN_DISPUTED, "d", "74.50", 4},
	{TXN_DISPUTE_LOST, "d", "74.50", 4},
};

struct webhook {
	struct pending_insert pending_insert;
	struct txn txn;
	struct insert_body body;
};

static struct webhook webhooks[TOGETHER * EVENTS];
static int waiting;
static long long outcomes[ACCEPTED_CONFLICT + 1];

static void on_done(struct pending_insert *p, enum accepted outcome, const struct fault *f)
{
	(void)p;
	cr_assert_null(f, "%s", f ? f->text : "");
	outcomes[outcome]++;
	waiting--;
}

static bool are_done(void *ctx)
{
	(void)ctx;
	return waiting == 0;
}

/* The permutation with this number, from 0. */
static void permutation(int number, int order[EVENTS])
{
	int left[EVENTS], count = EVENTS;
	for (int i = 0; i < EVENTS; i++)
		left[i] = i;
	for (int i = 0; i < EVENTS; i++) {
		int at = number % count;
		number /= count;
		order[i] = left[at];
		left[at] = left[--count];
	}
}

/* Which event the payment's webhook with this place is about: each comes twice at once, or all come again. */
static int event_at(int payment, int place)
{
	int order[EVENTS];
	permutation(payment, order);
	return order[payment % 2 ? place % EVENTS : place / 2];
}

static void send_event(struct webhook *w, int payment, int at_a_time, int event)
{
	*w = (struct webhook){.txn = {.kind = LIFE[event].kind, .currency = "EUR", .has_occurred = true}};
	struct txn *t = &w->txn;
	snprintf(t->payment_id, sizeof t->payment_id, "p%d-%d", at_a_time, payment);
	snprintf(t->transaction_id, sizeof t->transaction_id, "%d-%s", event, t->payment_id);
	snprintf(t->part, sizeof t->part, "%s", LIFE[event].part);
	snprintf(t->amount.digits, sizeof t->amount.digits, "%s", LIFE[event].amount);
	t->occurred_us = LIFE[event].at_s * 1000000;
	w->body = (struct insert_body){.bytes = "{}", .len = 2};
	w->pending_insert = (struct pending_insert){
		.txn = t, .source = "stripe", .request_id = "r", .body = &w->body, .done = on_done};
	waiting++;
	ingest_accept(in, &w->pending_insert);
}

static void send_all(int first, int at_a_time)
{
	for (int place = 0; place < WEBHOOKS; place += at_a_time) {
		struct webhook *w = webhooks;
		for (int payment = first; payment < first + TOGETHER; payment++)
			for (int i = place; i < place + at_a_time && i < WEBHOOKS; i++)
				send_event(w++, payment, at_a_time, event_at(payment, i));
		loop_until(are_done, NULL, "the webhooks are stored");
	}
}

static void all_orders(int at_a_time)
{
	for (int first = 0; first < ORDERS; first += TOGETHER)
		send_all(first, at_a_time);
	cr_expect_eq(outcomes[ACCEPTED_NEW], ORDERS * EVENTS);
	cr_expect_eq(outcomes[ACCEPTED_AGAIN], ORDERS * EVENTS);
	cr_expect_eq(outcomes[ACCEPTED_CONFLICT], 0);
	cr_expect_eq(rows("transactions"), ORDERS * EVENTS);
	cr_expect_eq(rows("jobs"), ORDERS * EVENTS);
	cr_expect_eq(rows("payments"), ORDERS);
	cr_expect_str_eq(
		database_value("SELECT string_agg(DISTINCT concat_ws(' ', state, currency, sums, anomalies, events,"
			       " first_at AT TIME ZONE 'UTC', last_at AT TIME ZONE 'UTC'), ' and ')"
			       " FROM payhook.payments"),
		"charged_back EUR {\"lost\": \"74.50\", \"captured\": \"100.00\", \"disputed\": \"0.00\","
		" \"paid_out\": \"0.00\", \"refunded\": \"25.50\", \"authorised\": \"100.00\"} {} 7"
		" 1970-01-01 00:00:01 1970-01-01 00:00:04");
}

Test(event_orders, one_at_a_time_give_one_state)
{
	all_orders(1);
}

Test(event_orders, three_at_a_time_give_one_state)
{
	all_orders(3);
}

Test(event_orders, seven_at_a_time_give_one_state)
{
	all_orders(7);
}

/* By its key, and not by way of all payments. */
Test(event_orders, one_payment_is_found_by_its_key)
{
	send_all(0, 7);
	PGconn *c = database_connect();
	PQclear(PQexec(c, "SET enable_seqscan = off"));
	PGresult *r =
		PQexec(c, "EXPLAIN SELECT * FROM payhook.payments WHERE payment_id = 'p7-1' AND source = 'stripe'");
	cr_assert_eq(PQresultStatus(r), PGRES_TUPLES_OK, "%s", PQerrorMessage(c));
	bool is_by_key = false;
	for (int row = 0; row < PQntuples(r); row++)
		is_by_key |= strstr(PQgetvalue(r, row, 0), "Index Cond: ((payment_id = 'p7-1'") != NULL;
	cr_expect(is_by_key);
	PQclear(r);
	PQfinish(c);
}
