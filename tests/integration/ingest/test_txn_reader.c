/* test_txn_reader.c - looking up transactions in PostgreSQL. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "ingest/txn_reader.h"
#include "support/fresh_database.h"
#include "support/loop.h"

#define MOST 600

struct asked {
	struct lookup lookup;
	char id[32];
	bool reports;
	bool is_found;
	bool failed;
	char text[1024];   /* the members of the transaction or payment found, separated by "|" */
	size_t list_bytes; /* of the events of a payment */
};

static struct txn_reader *txn_reader;
static struct asked asked[MOST];
static int asked_count;
static int report_count;

static void txn_reader_init(void)
{
	database_init();
	txn_reader = txn_reader_create(loop_open());
	cr_assert_not_null(txn_reader);
}

static void txn_reader_fini(void)
{
	txn_reader_destroy(txn_reader);
	loop_close();
	database_drop();
}

TestSuite(txn_reader, .init = txn_reader_init, .fini = txn_reader_fini, .timeout = 60);

static const char *text(const char *text_or_null)
{
	return text_or_null ? text_or_null : "-";
}

static void on_done(struct lookup *l, const struct found *t, const struct fault *f)
{
	struct asked *a = (struct asked *)(void *)l;
	cr_assert_not(a->reports, "reported twice");
	a->reports = true;
	a->is_found = t != NULL;
	a->failed = f != NULL;
	report_count++;
	if (t)
		snprintf(a->text, sizeof a->text, "%s|%s|%s|%s|%s|%s|%s|%s|%s|%s|%s|%s|%s", t->transaction_id,
			text(t->source_account), text(t->destination_account), text(t->amount), text(t->currency),
			t->status, t->created_at, text(t->processed_at), text(t->failure), text(t->kind),
			text(t->payment_id), text(t->part), text(t->occurred_at));
}

static void on_payment(struct lookup *l, const struct found_payment *p, const struct fault *f)
{
	struct asked *a = (struct asked *)(void *)l;
	cr_assert_not(a->reports, "reported twice");
	a->reports = true;
	a->is_found = p != NULL;
	a->failed = f != NULL;
	report_count++;
	if (!p)
		return;
	a->list_bytes = strlen(p->events);
	snprintf(a->text, sizeof a->text, "%s|%s|%s|%s|%s|%s", text(p->currency), p->state, p->sums, p->anomalies,
		p->events_total, p->events);
}

static struct asked *ask(const char *id, const char *source)
{
	struct asked *a = &asked[asked_count++];
	snprintf(a->id, sizeof a->id, "%s", id);
	a->lookup = (struct lookup){.id = a->id, .source = source, .done = on_done};
	txn_reader_find(txn_reader, &a->lookup);
	return a;
}

static struct asked *ask_payment(const char *id, const char *source)
{
	struct asked *a = &asked[asked_count++];
	snprintf(a->id, sizeof a->id, "%s", id);
	a->lookup = (struct lookup){.id = a->id, .source = source, .done_payment = on_payment};
	txn_reader_find(txn_reader, &a->lookup);
	return a;
}

static bool all_reported(void *ctx)
{
	(void)ctx;
	return report_count == asked_count;
}

static void settle_all(void)
{
	loop_until(all_reported, NULL, "every insert has its outcome");
}

static void store(const char *id, const char *source, const char *amount)
{
	database_exec("INSERT INTO payhook.transactions (transaction_id, source, source_account, destination_account,"
		      " amount, currency, created_at) VALUES ('%s', '%s', 'from', 'to', %s, 'EUR',"
		      " '2026-02-19 12:00:00.123456+00')",
		id, source, amount);
}

Test(txn_reader, returns_every_member_of_a_transaction)
{
	store("t", "transactions", "150.50");
	struct asked *a = ask("t", "transactions");
	settle_all();
	cr_expect_str_eq(a->text, "t|from|to|150.50|EUR|PROCESSING|2026-02-19T12:00:00.123456Z|-|-|-|-|-|-");
	database_exec("UPDATE payhook.transactions SET status = 'PROCESSED', processed_at = '2026-02-19 13:00:00+01'");
	a = ask("t", "transactions");
	settle_all();
	cr_expect_str_eq(a->text,
		"t|from|to|150.50|EUR|PROCESSED|2026-02-19T12:00:00.123456Z|2026-02-19T12:00:00.000000Z|-|-|-|-|-");
}

Test(txn_reader, returns_the_reason_of_a_failed_transaction)
{
	store("t", "transactions", "1");
	database_exec("UPDATE payhook.transactions SET status = 'FAILED', failure = 'refused'");
	struct asked *a = ask("t", "transactions");
	settle_all();
	cr_expect_str_eq(a->text, "t|from|to|1|EUR|FAILED|2026-02-19T12:00:00.123456Z|-|refused|-|-|-|-");
}

Test(txn_reader, returns_the_event_of_a_payment_and_what_is_not_known)
{
	database_exec("INSERT INTO payhook.transactions (transaction_id, source, kind, payment_id, part, occurred_at,"
		      " created_at) VALUES ('e', 's', 'refunded', 'pi', 're', '2026-02-19 12:00:00.5+00',"
		      " '2026-02-19 12:00:01+00')");
	struct asked *a = ask("e", "s");
	settle_all();
	cr_expect_str_eq(a->text, "e|-|-|-|-|PROCESSING|2026-02-19T12:00:01.000000Z|-|-|refunded|pi|re|"
				  "2026-02-19T12:00:00.500000Z");
}

Test(txn_reader, knows_what_is_not_there)
{
	store("t", "elsewhere", "1");
	struct asked *a = ask("t", "transactions");
	struct asked *b = ask("nothing", "transactions");
	struct asked *c = ask("t", "elsewhere");
	settle_all();
	cr_expect_not(a->is_found || a->failed);
	cr_expect_not(b->is_found || b->failed);
	cr_expect(c->is_found);
}

Test(txn_reader, answers_each_of_many_with_its_own)
{
	char id[16];
	database_exec("INSERT INTO payhook.transactions (transaction_id, source_account, destination_account, amount,"
		      " currency) SELECT 't' || n, 'from', 'to', n, 'EUR' FROM generate_series(0, 299) n");
	for (int i = 0; i < MOST; i++) {
		snprintf(id, sizeof id, "t%d", i % 400);
		ask(id, "transactions");
	}
	settle_all();
	for (int i = 0; i < MOST; i++) {
		cr_expect_eq(asked[i].is_found, i % 400 < 300, "lookup %d", i);
		snprintf(id, sizeof id, "t%d|", i % 400);
		if (asked[i].is_found)
			cr_expect_eq(strncmp(asked[i].text, id, strlen(id)), 0, "%s for %s", asked[i].text, id);
	}
}

Test(txn_reader, reports_nothing_to_an_insert_that_is_withdrawn)
{
	store("t", "transactions", "1");
	struct asked *a = ask("t", "transactions");
	struct asked *b = ask("t", "transactions");
	txn_reader_withdraw(txn_reader, &a->lookup);
	asked_count = 1;
	settle_all();
	cr_expect_not(a->reports);
	cr_expect(b->is_found);
}

static bool is_sent(void *ctx)
{
	return ((struct lookup *)ctx)->in_batch;
}

Test(txn_reader, fails_openly_when_the_connection_breaks)
{
	PGconn *other = database_connect();
	ask("t", "transactions");
	settle_all();
	PQclear(PQexec(other, "BEGIN; LOCK TABLE payhook.transactions IN ACCESS EXCLUSIVE MODE"));
	struct asked *a = ask("t", "transactions");
	loop_until(is_sent, &a->lookup, "the lookup is under way");
	database_exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
		      " WHERE datname = current_database() AND application_name = 'payhook-app find'");
	settle_all();
	cr_expect(a->failed);
	PQfinish(other);
	a = ask("t", "transactions");
	settle_all();
	cr_expect_not(a->failed || a->is_found);
}

/* From its sixth execution the statement has a generic plan, made while the table has one page. */
Test(txn_reader, looks_up_by_the_key_whatever_its_plan_was_made_for)
{
	store("t", "transactions", "1");
	database_exec("VACUUM ANALYZE payhook.transactions");
	for (int i = 0; i < 8; i++) {
		ask("t", "transactions");
		settle_all();
	}
	txn_reader_destroy(txn_reader);
	txn_reader = NULL;
	cr_expect_eq(database_scans("transactions", 8), 0);
}

/* ---- payments ---- */

/* Stores an event of the payment "pi"; at is its second, or 'null'. */
static void store_event(const char *id, const char *kind, const char *amount, const char *at)
{
	database_exec("INSERT INTO payhook.transactions (transaction_id, source, payment_id, kind, amount, currency,"
		      " occurred_at, created_at) VALUES ('%s', 's', 'pi', '%s', %s, 'EUR', to_timestamp(%s),"
		      " '2026-02-19 12:00:01+00')",
		id, kind, amount, at);
}

Test(txn_reader, returns_a_payment_with_its_events_in_their_order)
{
	store_event("r", "refunded", "2.50", "3");
	store_event("c", "captured", "10.00", "2");
	store_event("n", "other", "null", "null");
	struct asked *a = ask_payment("pi", "s"), *other = ask_payment("pi", "t"), *none = ask_payment("c", "s");
	settle_all();
	cr_expect_str_eq(a->text,
		"EUR|partly_refunded|{\"authorised\":null,\"captured\":\"10.00\",\"refunded\":\"2.50\",\"disputed\":\"0.00\","
		"\"lost\":\"0.00\",\"paid_out\":\"0.00\"}|[]|3|"
		"{\"transaction_id\":\"n\",\"kind\":\"other\",\"part\":null,\"amount\":null,\"amount_text\":null,"
		"\"is_total\":false,\"currency\":\"EUR\",\"occurred_at\":null,"
		"\"created_at\":\"2026-02-19T12:00:01.000000Z\",\"status\":\"PROCESSING\"},"
		"{\"transaction_id\":\"c\",\"kind\":\"captured\",\"part\":null,\"amount\":10.00,\"amount_text\":\"10.00\","
		"\"is_total\":false,\"currency\":\"EUR\",\"occurred_at\":\"1970-01-01T00:00:02.000000Z\","
		"\"created_at\":\"2026-02-19T12:00:01.000000Z\",\"status\":\"PROCESSING\"},"
		"{\"transaction_id\":\"r\",\"kind\":\"refunded\",\"part\":null,\"amount\":2.50,\"amount_text\":\"2.50\","
		"\"is_total\":false,\"currency\":\"EUR\",\"occurred_at\":\"1970-01-01T00:00:03.000000Z\","
		"\"created_at\":\"2026-02-19T12:00:01.000000Z\",\"status\":\"PROCESSING\"}");
	cr_expect_not(other->is_found || other->failed || none->is_found || none->failed);
}

Test(txn_reader, lists_the_newest_hundred_events_and_counts_all)
{
	database_exec("INSERT INTO payhook.transactions (transaction_id, source, payment_id, kind, amount, currency,"
		      " occurred_at) SELECT 'e' || n, 's', 'pi', 'captured', 1, 'EUR', to_timestamp(n)"
		      " FROM generate_series(1, 10000) n");
	struct asked *a = ask_payment("pi", "s");
	settle_all();
	cr_expect_not_null(strstr(a->text, "|captured|{\"authorised\":null,\"captured\":\"10000\","), "%s", a->text);
	cr_expect_not_null(strstr(a->text, "|[]|10000|{\"transaction_id\":\"e9901\","), "%s", a->text);
	cr_expect_leq(a->list_bytes, TXN_READER_EVENTS_MAX);
}

/* Quotation marks are doubled by their escapes. */
Test(txn_reader, lists_as_many_of_the_longest_events_as_fit)
{
	database_exec(
		"INSERT INTO payhook.transactions (transaction_id, source, payment_id, kind, part, amount, currency,"
		" occurred_at) SELECT repeat('\"', 250) || n, 's', 'pi', 'capture_failed', repeat('\"', 255),"
		" 999999999999999999.99999999, 'ABCDEFGHIJ', to_timestamp(n) FROM generate_series(1, 200) n");
	struct asked *a = ask_payment("pi", "s");
	settle_all();
	cr_expect_leq(a->list_bytes, TXN_READER_EVENTS_MAX);
	cr_expect_geq(a->list_bytes, TXN_READER_EVENTS_MAX - 2000);
}

Test(txn_reader, answers_many_payments_and_transactions_each_with_its_own)
{
	database_exec("INSERT INTO payhook.transactions (transaction_id, source, payment_id, kind, amount, currency)"
		      " SELECT 'p' || n, 's', 'p' || n, 'captured', n, 'EUR' FROM generate_series(0, 99) n");
	for (int i = 0; i < 200; i++) {
		char id[16];
		snprintf(id, sizeof id, "p%d", i / 2);
		if (i % 2)
			ask(id, "s");
		else
			ask_payment(id, "s");
	}
	txn_reader_withdraw(txn_reader, &asked[100].lookup);
	asked[100].reports = true;
	report_count++;
	settle_all();
	for (int i = 0; i < 200; i++) {
		char wanted[64];
		snprintf(wanted, sizeof wanted, i % 2 ? "|-|-|%d|EUR|" : "\"captured\":\"%d\",", i / 2);
		cr_expect(i == 100 || strstr(asked[i].text, wanted), "%d: %s", i, asked[i].text);
	}
}

Test(txn_reader, looks_up_payments_by_the_key_whatever_its_plan_was_made_for)
{
	store_event("c", "captured", "10.00", "2");
	database_exec("VACUUM ANALYZE payhook.transactions");
	for (int i = 0; i < 8; i++) {
		ask_payment("pi", "s");
		settle_all();
	}
	txn_reader_destroy(txn_reader);
	txn_reader = NULL;
	cr_expect_eq(database_scans("transactions", 16), 0);
}
