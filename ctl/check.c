/* check.c - checks the configuration, and whether the database server that it names keeps the promise of a 202.
 *
 * The server is asked by one statement, on a connection as the programs make it.  Nothing is written.  The command gives
 * up after a few attempts, each of which tries every host of DATABASE_URL. */

#include "check.h"

#include <event2/event.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/utf8.h"
#include "ctl.h"
#include "durability.h"
#include "pg/connection.h"
#include "runtime/configuration.h"

#define ATTEMPTS_MAX 3
#define ANSWER_MS 5000
#define CHECK_MS 15000 /* the whole of it */

struct checking {
	struct event_base *base;
	struct connection *connection;
	int attempts; /* that failed */
	bool is_done, is_kept;
	struct fault fault; /* why it is not done */
};

/* What only receives the WAL, such as pg_receivewal, is no standby that could take over.  Its state is null for a role that
 * may not read it. */
static const struct statement CHECK = {"check",
	"SELECT pg_is_in_recovery()::text, current_setting('default_transaction_read_only'), current_setting('fsync'),"
	"  current_setting('full_page_writes'), current_setting('data_checksums'), current_setting('synchronous_commit'),"
	"  current_setting('synchronous_standby_names'),"
	"  count(*) FILTER (WHERE coalesce(state, 'streaming') = 'streaming' AND application_name <> 'pg_receivewal'),"
	"  count(*) FILTER (WHERE state = 'streaming' AND sync_state IN ('sync', 'quorum')),"
	"  pg_has_role('pg_read_all_stats', 'USAGE')::text"
	" FROM pg_stat_replication"};
enum {
	IN_RECOVERY,
	READ_ONLY,
	FSYNC,
	FULL_WRITES,
	DATA_CHECKSUMS,
	COMMIT,
	STANDBY_NAMES,
	STANDBYS,
	SYNCHRONOUS,
	SEES_STANDBYS,
};

static bool check_is_true(const struct pg_result *r, int column)
{
	return db_text(r, 0, column)[0] == 't';
}

static void check_on_answer(void *ctx, const struct pg_result *r, const struct fault *f)
{
	struct checking *c = ctx;
	event_base_loopbreak(c->base);
	if (!r) {
		c->fault = *f;
		return;
	}
	struct durability d = {
		.is_standby = check_is_true(r, IN_RECOVERY),
		.read_only = db_text(r, 0, READ_ONLY),
		.fsync = db_text(r, 0, FSYNC),
		.full_page_writes = db_text(r, 0, FULL_WRITES),
		.data_checksums = db_text(r, 0, DATA_CHECKSUMS),
		.commit = db_text(r, 0, COMMIT),
		.standby_names = db_text(r, 0, STANDBY_NAMES),
		.standbys = (int)db_int8(r, 0, STANDBYS),
		.synchronous = (int)db_int8(r, 0, SYNCHRONOUS),
		.sees_standbys = check_is_true(r, SEES_STANDBYS),
	};
	c->is_done = true;
	c->is_kept = durability_print(&d, stdout);
}

static void check_on_ready(void *ctx)
{
	struct checking *c = ctx;
	struct db_params none = {0};
	if (!c->is_done)
		connection_send(c->connection, &CHECK, &none, check_on_answer);
}

static void check_on_down(void *ctx, const struct fault *why)
{
	struct checking *c = ctx;
	c->fault = *why;
	if (++c->attempts == ATTEMPTS_MAX)
		event_base_loopbreak(c->base);
}

/* Asks the server; the event loop ends when it has answered, or when the time is over. */
static void check_ask(struct checking *c, const char *conninfo)
{
	static const struct statement *const statements[] = {&CHECK};
	const struct connection_plan plan = {
		.name = CTL_PROGRAM,
		.statements = statements,
		.statement_count = COUNT_OF(statements),
		.answer_ms = ANSWER_MS,
		.ready = check_on_ready,
		.down = check_on_down,
	};
	struct connect_state state = {.base = c->base, .conninfo = conninfo};
	struct timeval deadline = clock_timeval(CHECK_MS);
	fault_set(&c->fault, FAULT_BUSY, "it has not answered within %d ms", CHECK_MS);
	c->connection = connection_create(&state, &plan, c);
	if (c->connection && event_base_loopexit(c->base, &deadline) == 0)
		event_base_dispatch(c->base);
	connection_destroy(c->connection);
}

/* Returns the exit status. */
static int check_server(const char *conninfo)
{
	struct checking c = {.base = event_base_new()};
	if (c.base) {
		check_ask(&c, conninfo);
		event_base_free(c.base);
	}
	if (!c.is_done) {
		/* It may have the server's own words. */
		char why[FAULT_TEXT_MAX];
		utf8_printable(why, sizeof why, c.base ? c.fault.text : "there is no memory");
		fprintf(stderr, CTL_PROGRAM ": the server cannot be checked: %s\n", why);
	}
	return c.is_done && c.is_kept ? 0 : 1;
}

int check_run(int argc, char **argv)
{
	static struct settings settings;
	(void)argv;
	if (argc > 0) {
		ctl_complain("usage: check");
		return 2;
	}
	if (!configuration_check(stdout, ctl_complain) || !settings_read(&settings, ctl_complain) ||
		!settings_name_processor(&settings, ctl_complain))
		return 2;
	/* What is printed so far precedes an error on standard error. */
	if (fflush(stdout) != 0) {
		ctl_complain("the report cannot be written");
		return 1;
	}
	return check_server(settings.database);
}
