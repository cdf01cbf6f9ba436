/* test_failover.c - connections to one of two servers, of which one freezes, becomes read-only or is a standby. */

#include <criterion/criterion.h>
#include <event2/event.h>
#include <stdio.h>
#include <string.h>

#include "pg/connection.h"
#include "support/connection_client.h"
#include "support/fresh_database.h"
#include "support/loop.h"
#include "support/pg_server.h"

#define CLIENTS 4 /* connections of one process, as many as a responder has */

static struct pg_server primary, standby;
static struct connect_state *connect_state;
static struct client clients[CLIENTS];
static char conninfo[512];

static const struct statement WHERE = {"where", "SELECT current_setting('data_directory')"};
static const struct statement WRITE = {"write", "CREATE TABLE public.written (at int)"};
static const struct statement NAP = {"nap", "SELECT pg_sleep(60)"};
static const struct statement *const STATEMENTS[] = {&WHERE, &WRITE, &NAP};

static const struct connection_plan PLAN = {.name = "test",
	.statements = STATEMENTS,
	.statement_count = COUNT_OF(STATEMENTS),
	.answer_ms = 1000,
	.up = client_on_up,
	.ready = client_on_ready,
	.down = client_on_down};

/* The same, with the deadline of a worker's statements. */
static const struct connection_plan PATIENT = {.name = "test",
	.statements = STATEMENTS,
	.statement_count = COUNT_OF(STATEMENTS),
	.answer_ms = 10000,
	.up = client_on_up,
	.ready = client_on_ready,
	.down = client_on_down};

static void connect_clients(const char *string, int count)
{
	connect_state = loop_open();
	connect_state->conninfo = string;
	for (int i = 0; i < count; i++) {
		clients[i].connection = connection_create(connect_state, &PLAN, &clients[i]);
		cr_assert_not_null(clients[i].connection);
	}
	for (int i = 0; i < count; i++)
		loop_until(client_is_ready, &clients[i], "the connections");
}

/* The hosts in this order. */
static const char *hosts(const struct pg_server *first, const struct pg_server *second, const char *rest)
{
	snprintf(conninfo, sizeof conninfo, "host=%s,%s user=postgres dbname=postgres %s", first->folder,
		second->folder, rest);
	return conninfo;
}

static void failover_init(void)
{
	pg_server_primary(&primary);
	pg_server_standby(&standby, &primary);
}

static void failover_fini(void)
{
	for (int i = 0; i < CLIENTS; i++)
		connection_destroy(clients[i].connection);
	if (connect_state)
		loop_close();
	pg_server_remove(&primary);
	pg_server_remove(&standby);
}

TestSuite(failover, .init = failover_init, .fini = failover_fini, .timeout = 120);

static void expect_at(struct client *c, const struct pg_server *s)
{
	char folder[128];
	snprintf(folder, sizeof folder, "%s/data", s->folder);
	client_ask(c, &WHERE);
	cr_expect_str_eq(c->text, folder);
}

/* Whatever each connection was about. */
Test(failover, every_connection_of_a_process_leaves_a_frozen_primary)
{
	connect_clients(hosts(&primary, &standby, "target_session_attrs=read-write"), CLIENTS);
	pg_server_freeze(&primary);
	for (int i = 0; i < CLIENTS; i++)
		client_send(&clients[i], &WHERE);
	pg_server_promote(&standby);
	for (int i = 0; i < CLIENTS; i++)
		loop_until(client_is_answered, &clients[i], "the deadline");
	for (int i = 0; i < CLIENTS; i++) {
		cr_expect(clients[i].failed);
		expect_at(&clients[i], &standby);
	}
	pg_server_thaw(&primary);
	for (int i = 0; i < CLIENTS; i++)
		expect_at(&clients[i], &standby);
}

Test(failover, an_idle_connection_leaves_the_old_primary_when_another_one_has_connected_elsewhere)
{
	connect_clients(hosts(&primary, &standby, "target_session_attrs=read-write"), 2);
	pg_server_freeze(&primary);
	client_send(&clients[0], &WHERE);
	pg_server_promote(&standby);
	loop_until(client_is_answered, &clients[0], "the deadline");
	expect_at(&clients[0], &standby);
	pg_server_thaw(&primary);
	expect_at(&clients[1], &standby);
}

Test(failover, a_statement_on_the_old_primary_fails_when_another_connection_is_made_elsewhere)
{
	connect_clients(hosts(&primary, &standby, "target_session_attrs=read-write"), 1);
	clients[1].connection = connection_create(connect_state, &PATIENT, &clients[1]);
	loop_until(client_is_ready, &clients[1], "the connection");
	pg_server_freeze(&primary);
	client_send(&clients[0], &WHERE);
	client_send(&clients[1], &WHERE);
	pg_server_promote(&standby);
	loop_until(client_is_answered, &clients[0], "the deadline");
	loop_until(client_is_ready, &clients[0], "the connection elsewhere");
	pg_server_thaw(&primary);
	loop_until(client_is_answered, &clients[1], "an answer");
	char folder[128];
	snprintf(folder, sizeof folder, "%s/data", primary.folder);
	cr_expect_str_neq(clients[1].text, folder, "the old primary was read");
}

Test(failover, a_server_that_has_become_read_only_is_left)
{
	pg_server_promote(&standby);
	connect_clients(hosts(&primary, &standby, ""), 2);
	expect_at(&clients[1], &primary);
	pg_server_set(&primary, "default_transaction_read_only", "on");
	client_ask(&clients[0], &WRITE);
	cr_expect(clients[0].failed);
	client_ask(&clients[0], &WRITE);
	cr_expect_not(clients[0].failed, "%s", clients[0].text);
	expect_at(&clients[1], &standby);
}

Test(failover, a_connection_that_only_reads_does_not_stay_on_a_standby)
{
	connect_clients(hosts(&standby, &primary, ""), 2);
	expect_at(&clients[0], &primary);
	expect_at(&clients[1], &primary);
}

static bool is_down_again(void *ctx)
{
	return ((struct client *)ctx)->downs >= 3;
}

/* Each report is a line of the log, unless it repeats the one before. */
Test(failover, a_read_only_server_without_another_is_reported_up_only_when_it_can_be_written)
{
	char string[256];
	connect_clients(pg_server_conninfo(&primary, "postgres", string), 1);
	struct client *c = &clients[0];
	pg_server_set(&primary, "default_transaction_read_only", "on");
	client_ask(c, &WRITE);
	cr_expect(connection_rolled_back(c->connection));
	loop_until(is_down_again, c, "two more attempts");
	cr_expect_eq(c->ups, 1);
	cr_expect_not(connection_is_reachable(c->connection));
	pg_server_set(&primary, "default_transaction_read_only", "off");
	client_ask(c, &WRITE);
	cr_expect_not(c->failed, "%s", c->text);
	cr_expect_eq(c->ups, 2);
}

static bool is_refused(void *ctx)
{
	struct client *c = ctx;
	return !connection_is_reachable(c->connection) && strstr(c->text, "statements unanswered");
}

static bool both_nap(void *ctx)
{
	(void)ctx;
	return strcmp(pg_server_value(&primary, "postgres",
			      "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"),
		       "2") == 0;
}

/* The server's limits do not end the statement, as they do not end the wait for a synchronous standby. */
Test(failover, a_server_with_two_unanswered_statements_gets_no_third_until_one_is_answered)
{
	char string[256], own[512];
	snprintf(own, sizeof own, "%s options='-c statement_timeout=0'",
		pg_server_conninfo(&primary, "postgres", string));
	connect_clients(own, 2);
	for (int i = 0; i < 2; i++)
		client_ask(&clients[0], &NAP);
	cr_expect_eq(connect_state->abandoned, 2);
	clients[0].is_answered = false;
	loop_until(is_refused, &clients[0], "an attempt that is refused");
	loop_until(both_nap, NULL, "both statements are under way");
	expect_at(&clients[1], &primary);
	pg_server_value(&primary, "postgres",
		"SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep' LIMIT 1");
	expect_at(&clients[0], &primary);
	cr_expect_eq(connect_state->abandoned, 1);
}
