/* test_transmissions.c - which body came first with a signed transmission id, remembered in PostgreSQL. */

#include <criterion/criterion.h>
#include <string.h>

#include "base/base.h"
#include "ingest/transmissions.h"
#include "support/fresh_database.h"
#include "support/loop.h"

#define MANY (TRANSMISSIONS_BATCH_MAX * 2 + 10)

static struct transmissions *transmissions;

struct asked {
	struct transmission transmission;
	bool is_done, is_same, failed;
};

static int done;

static void transmissions_init(void)
{
	database_init();
	transmissions = transmissions_create(loop_open());
	cr_assert_not_null(transmissions);
}

static void transmissions_fini(void)
{
	transmissions_destroy(transmissions);
	loop_close();
	database_drop();
}

TestSuite(transmissions, .init = transmissions_init, .fini = transmissions_fini, .timeout = 60);

static void on_done(struct transmission *t, bool is_same, const struct fault *f)
{
	struct asked *asked = CONTAINER_OF(t, struct asked, transmission);
	cr_expect_not(asked->is_done, "answered twice");
	asked->is_done = true;
	asked->is_same = is_same;
	asked->failed = f != NULL;
	done++;
}

/* The body's digest consists of this byte. */
static void ask(struct asked *a, const char *source, const char *id, int body)
{
	*a = (struct asked){.transmission = {.source = source, .id = id, .done = on_done}};
	memset(a->transmission.body_sha256, body, sizeof a->transmission.body_sha256);
	transmissions_remember(transmissions, &a->transmission);
}

static bool are_done(void *ctx)
{
	return done == *(int *)ctx;
}

static void wait_done(int count)
{
	loop_until(are_done, &count, "all are answered");
}

static bool is_same(const char *source, const char *id, int body)
{
	struct asked a;
	int count = done + 1;
	ask(&a, source, id, body);
	loop_until(are_done, &count, "it is answered");
	cr_assert_not(a.failed);
	return a.is_same;
}

Test(transmissions, the_first_body_of_an_id_is_the_right_one)
{
	cr_expect(is_same("paypal", "one", 1));
	cr_expect(is_same("paypal", "one", 1), "a repetition");
	cr_expect_not(is_same("paypal", "one", 2));
	cr_expect(is_same("paypal", "one", 1), "the other one changed nothing");
	cr_expect(is_same("paypal", "two", 2), "another id");
	cr_expect(is_same("other", "one", 2), "another source");
}

Test(transmissions, two_bodies_in_one_statement_differ)
{
	struct asked first, again, other;
	ask(&first, "paypal", "one", 1);
	ask(&other, "paypal", "one", 2);
	ask(&again, "paypal", "one", 1);
	wait_done(3);
	cr_expect(first.is_same && again.is_same && !other.is_same);
	cr_expect_not(first.failed || again.failed || other.failed);
}

Test(transmissions, more_than_a_batch_are_all_answered)
{
	static struct asked asked[MANY];
	static char ids[MANY][16];
	for (int i = 0; i < MANY; i++) {
		snprintf(ids[i], sizeof ids[i], "%d", i);
		ask(&asked[i], "paypal", ids[i], i % 256);
	}
	wait_done(MANY);
	for (int i = 0; i < MANY; i++)
		cr_expect(asked[i].is_same && !asked[i].failed, "%d", i);
}

static bool is_blocked(void *ctx)
{
	(void)ctx;
	return database_number("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
			       " AND application_name = 'payhook-app transmissions' AND wait_event_type = 'Lock'") == 1;
}

/* The other connection has remembered its body and not committed yet. */
Test(transmissions, of_two_responders_at_once_one_is_right)
{
	struct asked a;
	PGconn *other = database_connect();
	cr_expect(is_same("paypal", "warm", 1));
	PQclear(PQexec(other, "BEGIN; SET LOCAL ROLE payhook_app"));
	PGresult *r = PQexec(other,
		"SELECT payhook.remember_transmissions('{paypal}', '{one}', ARRAY[decode(repeat('02', 32), 'hex')])");
	cr_assert_eq(PQresultStatus(r), PGRES_TUPLES_OK, "%s", PQresultErrorMessage(r));
	PQclear(r);
	ask(&a, "paypal", "one", 1);
	loop_until(is_blocked, NULL, "the statement waits");
	PQclear(PQexec(other, "COMMIT"));
	wait_done(2);
	cr_expect_not(a.failed || a.is_same);
	PQfinish(other);
}

Test(transmissions, one_that_is_withdrawn_is_not_answered)
{
	struct asked before, sent, kept;
	ask(&before, "paypal", "zero", 1);
	wait_done(1);
	ask(&sent, "paypal", "one", 1);
	ask(&kept, "paypal", "two", 1);
	transmissions_withdraw(transmissions, &sent.transmission);
	wait_done(2);
	cr_expect(kept.is_done && !sent.is_done);
}

Test(transmissions, what_is_older_than_a_signature_lasts_is_forgotten)
{
	cr_expect(is_same("paypal", "old", 1));
	cr_expect(is_same("paypal", "new", 1));
	database_exec(
		"UPDATE payhook.transmissions SET seen_at = now() - interval '15 days 1 minute' WHERE transmission_id = 'old'");
	database_exec(
		"UPDATE payhook.transmissions SET seen_at = now() - interval '14 days 23 hours' WHERE transmission_id = 'new'");
	cr_expect(is_same("paypal", "another", 1));
	cr_expect_str_eq(
		database_value(
			"SELECT string_agg(transmission_id, ' ' ORDER BY transmission_id) FROM payhook.transmissions"),
		"another new");
}
