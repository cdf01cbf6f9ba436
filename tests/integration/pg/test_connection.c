/* test_connection.c - connecting to one of several hosts, the settings of a connection, failures. */

#include <criterion/criterion.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "pg/connection.h"
#include "support/fresh_database.h"
#include "support/loop.h"

static char silent_folder[] = "/tmp/payhook-silent.XXXXXX";
static struct sockaddr_un silent = {.sun_family = AF_UNIX};
static int silent_socket;
static bool is_up;

/* A host that accepts connections and never sends a byte, like a frozen machine. */
static void silent_init(void)
{
	database_init();
	cr_assert_not_null(mkdtemp(silent_folder));
	snprintf(silent.sun_path, sizeof silent.sun_path, "%s/.s.PGSQL.5432", silent_folder);
	silent_socket = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	cr_assert_eq(bind(silent_socket, (struct sockaddr *)&silent, sizeof silent), 0);
	cr_assert_eq(listen(silent_socket, 16), 0);
}

static void silent_fini(void)
{
	close(silent_socket);
	unlink(silent.sun_path);
	rmdir(silent_folder);
	loop_close();
	database_drop();
}

TestSuite(connection, .init = silent_init, .fini = silent_fini, .timeout = 60);

static const struct statement ONE = {"one", "SELECT 1"};

static void up(void *ctx)
{
	(void)ctx;
	is_up = true;
}

static void ready(void *ctx)
{
	(void)ctx;
}

static bool stands(void *ctx)
{
	(void)ctx;
	return is_up;
}

/* The test's conninfo, "host=/folder user=... dbname=...", with the silent host before its own. */
static const char *silent_first(void)
{
	static char text[512];
	const char *own = strstr(database_conninfo(), "host=");
	cr_assert_not_null(own);
	snprintf(text, sizeof text, "%.*shost=%s,%s", (int)(own - database_conninfo()), database_conninfo(),
		silent_folder, own + strlen("host="));
	return text;
}

Test(connection, goes_on_to_the_next_host_when_the_first_is_silent)
{
	static const struct statement *const statements[] = {&ONE};
	static const struct connection_plan plan = {.name = "test",
		.statements = statements,
		.statement_count = 1,
		.answer_ms = 1000,
		.up = up,
		.ready = ready};
	struct connect_state *connect_state = loop_open();
	connect_state->conninfo = silent_first();
	struct connection *l = connection_create(connect_state, &plan, NULL);
	loop_until(stands, NULL, "a connection");
	connection_destroy(l);
}

static char parsed[FAULT_TEXT_MAX];

static void on_output(void *ctx, const struct pg_result *r, const struct fault *f)
{
	(void)ctx;
	snprintf(parsed, sizeof parsed, "%s", r ? db_text(r, 0, 0) : f->text);
}

static bool has_logged(void *ctx)
{
	(void)ctx;
	return parsed[0] != '\0';
}

Test(connection, keeps_its_settings_beside_those_of_the_connection_string)
{
	static const struct statement settings = {"settings",
		"SELECT concat_ws(' ', current_setting('enable_seqscan'), current_setting('work_mem'),"
		" current_setting('statement_timeout'))"};
	static const struct statement *const statements[] = {&settings};
	static const struct connection_plan plan = {.name = "test",
		.statements = statements,
		.statement_count = 1,
		.options = CONNECTION_BY_KEY,
		.answer_ms = 1000,
		.up = up,
		.ready = ready};
	char conninfo[512];
	snprintf(
		conninfo, sizeof conninfo, "%s options='-c work_mem=1MB -c statement_timeout=7s'", database_conninfo());
	struct connect_state *connect_state = loop_open();
	connect_state->conninfo = conninfo;
	struct connection *l = connection_create(connect_state, &plan, NULL);
	loop_until(stands, NULL, "a connection");
	connection_send(l, &settings, &(struct db_params){0}, on_output);
	loop_until(has_logged, NULL, "its settings");
	cr_expect_str_eq(parsed, "off 1MB 7s");
	connection_destroy(l);
}

/* ---- without memory ---- */

static bool is_starved;             /* every allocation of libevent fails */
static int failing_allocation = -1; /* this one fails, counted from 0; -1: none */
static int allocations;

static bool fails(void)
{
	return is_starved || allocations++ == failing_allocation;
}

static void *allocate(size_t len)
{
	return fails() ? NULL : malloc(len);
}

static void *reallocate(void *memory, size_t len)
{
	return fails() ? NULL : realloc(memory, len);
}

/* Not loop_until(), which allocates for each turn. */
static void turn_until(bool (*holds)(void *ctx), const char *what)
{
	while (!holds(NULL))
		cr_assert_eq(event_base_loop(loop_base(), EVLOOP_ONCE), 0, "nothing to wait for, in vain: %s", what);
}

static bool has_failed, is_ready_again;

static void on_slow_answer(void *ctx, const struct pg_result *r, const struct fault *f)
{
	(void)ctx, (void)f;
	has_failed = r == NULL;
	is_ready_again = false;
}

static bool has_answered(void *ctx)
{
	(void)ctx;
	return has_failed;
}

static void ready_again(void *ctx)
{
	(void)ctx;
	is_ready_again = true;
}

static bool is_again_ready(void *ctx)
{
	(void)ctx;
	return is_ready_again;
}

Test(connection, is_left_at_its_deadline_also_without_the_memory_to_abandon_it)
{
	static const struct statement slow = {"slow", "SELECT pg_sleep(1)"};
	static const struct statement *const statements[] = {&slow};
	static const struct connection_plan plan = {.name = "test",
		.statements = statements,
		.statement_count = 1,
		.answer_ms = 200,
		.up = up,
		.ready = ready_again};
	char conninfo[512];
	snprintf(conninfo, sizeof conninfo, "%s options='-c statement_timeout=0'", database_conninfo());
	event_set_mem_functions(allocate, reallocate, free);
	struct connect_state *connect_state = loop_open();
	connect_state->conninfo = conninfo;
	struct connection *l = connection_create(connect_state, &plan, NULL);
	loop_until(stands, NULL, "a connection");
	connection_send(l, &slow, &(struct db_params){0}, on_slow_answer);
	is_starved = true;
	turn_until(has_answered, "the deadline");
	cr_expect_eq(connect_state->abandoned, 0);
	is_starved = false;
	turn_until(is_again_ready, "a connection that is ready again");
	cr_expect(connection_is_ready(l));
	connection_destroy(l);
}

/* Returns the number of libevent's allocations from the creation of a connection until it is up. */
static int allocations_to_connect(int failing)
{
	static const struct statement *const statements[] = {&ONE};
	static const struct connection_plan plan = {.name = "test",
		.statements = statements,
		.statement_count = 1,
		.answer_ms = 1000,
		.up = up,
		.ready = ready};
	struct connect_state *connect_state = loop_open();
	is_up = false;
	allocations = 0;
	failing_allocation = failing;
	struct connection *l = connection_create(connect_state, &plan, NULL);
	if (l)
		turn_until(stands, "a connection");
	int count = allocations;
	failing_allocation = -1;
	connection_destroy(l);
	event_base_free(connect_state->base);
	return count;
}

Test(connection, is_made_whichever_allocation_fails_once)
{
	event_set_mem_functions(allocate, reallocate, free);
	int count = allocations_to_connect(-1);
	cr_assert_geq(count, 4, "three events, and the loop's place for them: %d", count);
	for (int i = 0; i < count; i++)
		allocations_to_connect(i);
	loop_open(); /* for the end of the suite */
}

/* ---- what a statement cannot be sent with, and what the server says about it ---- */

static int losses;
static struct fault failure;

static void down(void *ctx, const struct fault *why)
{
	(void)ctx, (void)why;
	losses++;
}

static void on_failure(void *ctx, const struct pg_result *r, const struct fault *f)
{
	(void)ctx;
	cr_assert_null(r);
	failure = *f;
	is_ready_again = false;
	has_failed = true;
}

static struct connection *connect_for(const struct statement *s)
{
	static const struct statement *statements[1];
	static const struct connection_plan plan = {.name = "test",
		.statements = statements,
		.statement_count = 1,
		.answer_ms = 1000,
		.up = up,
		.down = down,
		.ready = ready_again};
	statements[0] = s;
	struct connection *l = connection_create(loop_open(), &plan, NULL);
	loop_until(stands, NULL, "a connection");
	return l;
}

static void fails_and_goes_on(struct connection *l, const struct statement *s, const struct db_params *params)
{
	has_failed = false;
	connection_send(l, s, params, on_failure);
	cr_expect_not(has_failed, "never inside connection_send()");
	loop_until(has_answered, NULL, "the failure");
	loop_until(is_again_ready, NULL, "the connection is ready again");
	cr_expect_eq(losses, 0, "the connection was lost: %s", failure.text);
}

Test(connection, stays_when_the_parameters_of_a_statement_do_not_fit)
{
	static const struct statement count = {"count", "SELECT cardinality($1::text[])"};
	struct connection *l = connect_for(&count);
	struct db_array a = {0};
	struct db_params params = {0};
	db_array_start(&a, DB_TEXT);
	db_array_add(&a, "", DB_ARRAY_MAX);
	db_params_add_array(&params, &a);
	fails_and_goes_on(l, &count, &params);
	cr_expect_eq(failure.kind, FAULT_BUSY);
	cr_expect_str_eq(failure.text, "there is no memory for the parameters of a statement, or they are too large");

	params = (struct db_params){0};
	for (int i = 0; i < DB_PARAMS_MAX + 1; i++)
		db_params_add_int8(&params, i);
	fails_and_goes_on(l, &count, &params);
	cr_expect_eq(failure.kind, FAULT_BUG);
	cr_expect_str_eq(failure.text, "a statement has 25 parameters, at most 24 are sent");
	db_array_finish(&a);
	connection_destroy(l);
}

/* The server's DETAIL quotes the row: an account could reach the log. */
Test(connection, reports_the_server_s_message_without_the_values_of_the_row)
{
	static const struct statement insert = {"insert", "INSERT INTO public.accounts VALUES ($1::text)"};
	database_exec("CREATE TABLE public.accounts (account text PRIMARY KEY)");
	database_exec("INSERT INTO public.accounts VALUES ('acc_user_789')");
	struct connection *l = connect_for(&insert);
	struct db_params params = {0};
	db_params_add_text(&params, "acc_user_789");
	fails_and_goes_on(l, &insert, &params);
	cr_expect_eq(failure.kind, FAULT_INPUT);
	cr_expect_str_eq(failure.text,
		"the database reports 23505: ERROR:  duplicate key value violates unique constraint \"accounts_pkey\"");
	connection_destroy(l);
}
