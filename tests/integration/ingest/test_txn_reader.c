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
	char text[256]; /* the members of the transaction found, separated by "|" */
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

static void on_done(struct lookup *l, const struct found *t, const struct fault *f)
{
	struct asked *a = (struct asked *)(void *)l;
	cr_assert_not(a->reports, "reported twice");
	a->reports = true;
	a->is_found = t != NULL;
	a->failed = f != NULL;
	report_count++;
	if (t)
		snprintf(a->text, sizeof a->text, "%s|%s|%s|%s|%s|%s|%s|%s|%s", t->transaction_id, t->source_account,
			t->destination_account, t->amount, t->currency, t->status, t->created_at,
			t->processed_at ? t->processed_at : "-", t->failure ? t->failure : "-");
}

static struct asked *ask(const char *id, const char *source)
{
	struct asked *a = &asked[asked_count++];
	snprintf(a->id, sizeof a->id, "%s", id);
	a->lookup = (struct lookup){.transaction_id = a->id, .source = source, .done = on_done};
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
	cr_expect_str_eq(a->text, "t|from|to|150.50|EUR|PROCESSING|2026-02-19T12:00:00.123456Z|-|-");
	database_exec("UPDATE payhook.transactions SET status = 'PROCESSED', processed_at = '2026-02-19 13:00:00+01'");
	a = ask("t", "transactions");
	settle_all();
	cr_expect_str_eq(
		a->text, "t|from|to|150.50|EUR|PROCESSED|2026-02-19T12:00:00.123456Z|2026-02-19T12:00:00.000000Z|-");
}

Test(txn_reader, returns_the_reason_of_a_failed_transaction)
{
	store("t", "transactions", "1");
	database_exec("UPDATE payhook.transactions SET status = 'FAILED', failure = 'refused'");
	struct asked *a = ask("t", "transactions");
	settle_all();
	cr_expect_str_eq(a->text, "t|from|to|1|EUR|FAILED|2026-02-19T12:00:00.123456Z|-|refused");
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
