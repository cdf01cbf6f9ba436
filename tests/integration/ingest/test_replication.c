/* test_replication.c - storing webhooks with a synchronous standby: no outcome is reported before the standby has what
 * it rests on. */

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "support/fresh_database.h"
#include "support/loop.h"
#include "support/pg_server.h"
#include "support/sent.h"

static struct pg_server primary, standby;
static struct ingest_events events;
static char database[64];

/* As the role of the responders, which has just the rights that the statements need, in a database that mutes the
 * server's warnings. */
static void begin(void)
{
	static char conninfo[512];
	pg_server_primary(&primary);
	pg_server_standby(&standby, &primary);
	sent_init();
	ingest_destroy(in);
	snprintf(database, sizeof database, "%s", database_value("SELECT current_database()"));
	database_exec("ALTER DATABASE %s SET client_min_messages = 'error'", database);
	snprintf(conninfo, sizeof conninfo, "%s options='-c role=payhook_app'", database_conninfo());
	connect_state->conninfo = conninfo;
	events = SENT_EVENTS;
	ups = 0;
	in = ingest_create(connect_state, &events, NULL);
	loop_until(is_up, NULL, "the ingest is up again");
}

static void end(void)
{
	ingest_destroy(in);
	loop_close();
	pg_server_remove(&primary);
	pg_server_remove(&standby);
}

TestSuite(replication, .init = begin, .fini = end, .timeout = 120);

static void require_standby(void)
{
	pg_server_set(&primary, "synchronous_standby_names", "standby");
	pg_server_await(&primary, "postgres", "SELECT sync_state FROM pg_stat_replication", "sync");
}

#define WAITING "FROM pg_stat_activity WHERE wait_event = 'SyncRep'"

/* The statement has committed on the primary and waits for the standby. */
static bool awaits_standby(void *ctx)
{
	(void)ctx;
	return strcmp(pg_server_value(&primary, "postgres", "SELECT count(*) " WAITING), "1") == 0;
}

/* A row on the primary alone: the standby is frozen, and the wait for it is cancelled. */
static void store_on_the_primary_alone(void)
{
	require_standby();
	pg_server_freeze(&standby);
	struct sent *s = send_one("t", "1");
	loop_until(awaits_standby, NULL, "the commit waits for the standby");
	pg_server_value(&primary, "postgres", "SELECT pg_cancel_backend(pid) " WAITING);
	sent_all();
	cr_expect(s->failed, "a cancelled wait is no success");
	cr_expect_eq(s->fault.kind, FAULT_BUSY, "%s", s->fault.text);
	cr_expect_str_eq(pg_server_value(&primary, database, "SELECT count(*) FROM payhook.transactions"), "1");
}

static bool is_answered_or_awaits_standby(void *s)
{
	return ((struct sent *)s)->is_reported || awaits_standby(NULL);
}

/* Sends the webhook, which gets this outcome when the standby is back and has the transaction, and not before. */
static void expect_when_standby_is_back(const char *amount, enum accepted outcome)
{
	struct sent *s = send_one("t", amount);
	loop_until(is_answered_or_awaits_standby, s, "the commit waits for the standby");
	cr_assert_not(s->is_reported, "reported without the standby");
	pg_server_thaw(&standby);
	sent_all();
	expect(s, outcome);
	pg_server_end(&primary, SIGQUIT);
	pg_server_promote(&standby);
	cr_expect_str_eq(pg_server_value(&standby, database, "SELECT count(*) FROM payhook.transactions"), "1");
}

Test(replication, a_duplicate_waits_for_the_standby_when_the_first_was_cancelled)
{
	store_on_the_primary_alone();
	expect_when_standby_is_back("1", ACCEPTED_AGAIN);
}

Test(replication, a_duplicate_waits_for_the_standby_when_the_primary_has_restarted)
{
	require_standby();
	pg_server_freeze(&standby);
	send_one("t", "1");
	loop_until(awaits_standby, NULL, "the commit waits for the standby");
	pg_server_end(&primary, SIGQUIT);
	sent_all();
	cr_expect(sent[0].failed);
	ups = 0;
	pg_server_start(&primary);
	loop_until(is_up, NULL, "the ingest is up again");
	expect_when_standby_is_back("1", ACCEPTED_AGAIN);
}

Test(replication, a_conflict_waits_for_the_standby)
{
	store_on_the_primary_alone();
	expect_when_standby_is_back("2", ACCEPTED_CONFLICT);
}

Test(replication, a_cut_off_standby_delays_a_new_webhook_until_it_joins)
{
	require_standby();
	pg_server_cut_off(&standby);
	struct sent *s = send_one("t", "1");
	loop_until(awaits_standby, NULL, "the commit waits for the standby");
	cr_expect_not(s->is_reported);
	pg_server_join(&standby, &primary);
	sent_all();
	expect(s, ACCEPTED_NEW);
}

/* The next transaction id of the server, which each transaction that writes takes. */
static long long next_transaction(void)
{
	return database_number("SELECT txid_snapshot_xmax(txid_current_snapshot())");
}

Test(replication, a_duplicate_writes_only_if_there_is_a_synchronous_standby)
{
	send_one("t", "1");
	sent_all();
	long long before = next_transaction();
	struct sent *again = send_one("t", "1");
	sent_all();
	expect(again, ACCEPTED_AGAIN);
	cr_expect_eq(next_transaction(), before);
	require_standby();
	before = next_transaction();
	for (int i = 0; i < 100; i++)
		send_one("t", "1");
	sent_all();
	expect(&sent[sent_count - 1], ACCEPTED_AGAIN);
	cr_expect_eq(next_transaction(), before + 1, "one write a batch");
}
