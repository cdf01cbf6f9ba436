/* ask.c - one statement, on a connection as the programs make it, with an event loop for the time of it. */

#include "ask.h"

#include <event2/event.h>

#include "base/clock.h"
#include "ctl.h"
#include "pg/connection.h"
#include "runtime/settings.h"

#define ATTEMPTS_MAX 3
#define ANSWER_MS 5000

struct asking {
	struct event_base *base;
	struct connection *connection;
	const struct statement *statement;
	const struct db_params *params;
	ask_answer *answer;
	void *ctx;
	int attempts; /* that failed */
	bool is_done;
	struct fault fault; /* why it is not done */
};

static void ask_on_answer(void *ctx, const struct pg_result *r, const struct fault *f)
{
	struct asking *a = ctx;
	event_base_loopbreak(a->base);
	if (!r) {
		a->fault = *f;
		return;
	}
	a->is_done = true;
	a->answer(a->ctx, r);
}

static void ask_on_ready(void *ctx)
{
	struct asking *a = ctx;
	if (!a->is_done)
		connection_send(a->connection, a->statement, a->params, ask_on_answer);
}

static void ask_on_down(void *ctx, const struct fault *why)
{
	struct asking *a = ctx;
	a->fault = *why;
	if (++a->attempts == ATTEMPTS_MAX)
		event_base_loopbreak(a->base);
}

static void ask(struct asking *a, const char *conninfo)
{
	const struct statement *const statements[] = {a->statement};
	const struct connection_plan plan = {
		.name = CTL_PROGRAM,
		.statements = statements,
		.statement_count = COUNT_OF(statements),
		.answer_ms = ANSWER_MS,
		.ready = ask_on_ready,
		.down = ask_on_down,
	};
	struct connect_state state = {.base = a->base, .conninfo = conninfo};
	struct timeval deadline = clock_timeval(ASK_MS);
	fault_set(&a->fault, FAULT_BUSY, "it has not answered within %d ms", ASK_MS);
	a->connection = connection_create(&state, &plan, a);
	if (a->connection && event_base_loopexit(a->base, &deadline) == 0)
		event_base_dispatch(a->base);
	connection_destroy(a->connection);
}

bool ask_server(const char *conninfo, const struct statement *s, const struct db_params *params, ask_answer *answer,
	void *ctx, struct fault *f)
{
	struct asking a = {.base = event_base_new(), .statement = s, .params = params, .answer = answer, .ctx = ctx};
	fault_set(&a.fault, FAULT_BUSY, "there is no memory");
	if (a.base) {
		ask(&a, conninfo);
		event_base_free(a.base);
	}
	if (!a.is_done)
		*f = a.fault;
	return a.is_done;
}

const char *ask_database(void)
{
	static struct settings settings;
	if (!settings_read(&settings, ctl_complain))
		return NULL;
	if (*settings.database)
		return settings.database;
	ctl_complain("DATABASE_URL is not set, nor POSTGRES_HOST: which PostgreSQL?");
	return NULL;
}

/* The end that is planned is a timer of the loop. */
void ask_wait(int64_t ms)
{
	struct event_base *base = event_base_new();
	struct timeval span = clock_timeval(ms);
	if (!base)
		return;
	if (event_base_loopexit(base, &span) == 0)
		event_base_dispatch(base);
	event_base_free(base);
}
