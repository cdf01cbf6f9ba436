/* older_workers.c - one question to the database: is there a worker of a version before?
 *
 * The answer is that of a moment: a worker that starts later is not seen.  The order of an upgrade, workers first,
 * prevents that; this question prevents the mistake that is made most often, a worker on another host that was
 * forgotten. */

#include "ingest/older_workers.h"

#include <event2/event.h>
#include <stdlib.h>

#define ANSWER_MS 3000

/* The function shows no more of payhook.workers, which the responders' role may not read. */
static const struct statement OLDER = {
	"older_workers", "SELECT host, version FROM payhook.older_workers($1::int) LIMIT 1"};

struct older_workers {
	struct connection *connection;
	struct event *end; /* runs outside the connection's callbacks, where it may be destroyed */
	older_workers_done *done;
	void *ctx;
	bool is_found;
	char host[256], version[256]; /* cut, if longer: for a line of the log */
	bool has_failed;
	struct fault why;
};

/* A lost connection is made again, and then asks again. */
static void older_workers_on_answer(void *ctx, const struct pg_result *r, const struct fault *f)
{
	struct older_workers *w = ctx;
	if (!r && f->kind == FAULT_BUSY && !connection_rolled_back(w->connection))
		return;
	w->has_failed = !r;
	if (!r)
		w->why = *f;
	w->is_found = r && db_rows(r) > 0;
	if (w->is_found) {
		snprintf(w->host, sizeof w->host, "%s", db_text(r, 0, 0));
		snprintf(w->version, sizeof w->version, "%s", db_text(r, 0, 1));
	}
	event_active(w->end, EV_TIMEOUT, 0);
}

static void older_workers_on_end(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	struct older_workers *w = arg;
	connection_destroy(w->connection);
	w->connection = NULL;
	const struct older_worker found = {.host = w->host, .version = w->version};
	w->done(w->ctx, w->is_found ? &found : NULL, w->has_failed ? &w->why : NULL);
}

static void older_workers_on_ready(void *ctx)
{
	struct older_workers *w = ctx;
	struct db_params params = {0};
	if (event_pending(w->end, EV_TIMEOUT, NULL))
		return;
	db_params_add_int8(&params, OLDER_WORKERS_LEVEL);
	connection_send(w->connection, &OLDER, &params, older_workers_on_answer);
}

static const struct statement *const STATEMENTS[] = {&OLDER};

static const struct connection_plan PLAN = {
	.name = "payhook-app workers",
	.statements = STATEMENTS,
	.statement_count = COUNT_OF(STATEMENTS),
	.answer_ms = ANSWER_MS,
	.ready = older_workers_on_ready,
};

struct older_workers *older_workers_create(struct connect_state *connect_state, older_workers_done *done, void *ctx)
{
	struct older_workers *w = calloc(1, sizeof *w);
	if (!w)
		return NULL;
	w->done = done;
	w->ctx = ctx;
	w->end = event_new(connect_state->base, -1, 0, older_workers_on_end, w);
	w->connection = connection_create(connect_state, &PLAN, w);
	if (!w->end || !w->connection) {
		older_workers_destroy(w);
		return NULL;
	}
	return w;
}

void older_workers_destroy(struct older_workers *w)
{
	if (!w)
		return;
	connection_destroy(w->connection);
	if (w->end)
		event_free(w->end);
	free(w);
}
