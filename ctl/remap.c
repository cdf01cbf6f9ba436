/* remap.c - maps again what could not be mapped when it came, and stores it.
 *
 * One webhook after the other: its transactions go the way of those that a responder receives (ingest/ingest.h), and only when
 * all are durable is the webhook deleted.  What is stored already is a duplicate, so the command may be killed at any time, be
 * run again, and run twice at once.  A webhook of which something cannot be read yet stays, and so does one that the filter
 * leaves out as a whole: nothing is lost by a mistake in the configuration.
 *
 * It needs the right to store and to delete: that of the owner of the tables.  It reads no secret. */

#include "remap.h"

#include <event2/event.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "ctl.h"
#include "ingest/ingest.h"
#include "ingest/unreadable.h"
#include "pg/connection.h"
#include "remap_row.h"
#include "runtime/settings.h"
#include "source/sources_file.h"

#define ATTEMPTS_MAX 3 /* to connect */
#define ANSWER_MS 5000

static const struct statement REMAP_DROP = {"remap_drop", "SELECT payhook.drop_unreadable($1::bigint)::int::bigint"};
static const struct statement REMAP_REASON = {
	"remap_reason", "UPDATE payhook.unreadable_webhooks SET reason = $2::text WHERE unreadable_id = $1::bigint"};

/* What is to be sent next on the connection; STEP_WAIT: an answer, or outcomes, are awaited. */
enum step { STEP_NEXT, STEP_DROP, STEP_REASON, STEP_WAIT };

struct remapping {
	struct settings settings;
	struct sources sources;
	const char *only, *sources_file; /* only NULL: all sources */
	bool is_dry;
	struct event_base *base;
	struct connect_state connect_state;
	struct connection *connection;
	struct ingest *ingest;
	enum step step;
	bool is_up; /* the ingest's connection is */
	int attempts;
	struct remap_row row;
	int waiting, outcomes[3]; /* of the row's items: without an outcome; by enum accepted */
	bool has_failed;          /* fault is the reason */
	struct fault fault;
	int64_t webhooks, removed, stored[3], unreadable;
};

static void remap_go(struct remapping *r);

static void remap_fail(struct remapping *r, const struct fault *f)
{
	r->has_failed = true;
	r->fault = *f;
	event_base_loopbreak(r->base);
}

/* ---- the report ---- */

static void print_row(struct remapping *r)
{
	const struct remap_row *row = &r->row;
	char text[UNREADABLE_REASON_MAX + 1], shown[UNREADABLE_REASON_MAX + 1];
	printf("webhook %" PRId64 " of %s: ", row->id, row->name);
	if (!row->source) {
		printf("stays: there is no such source, or it is closed\n");
		return;
	}
	if (row->count == 0 && row->unreadable == 0) {
		printf("stays: the filter lets nothing of it pass\n");
		return;
	}
	if (r->is_dry)
		printf("%d transactions would be stored or are there already", row->count);
	else
		printf("%d transactions new, %d duplicates, %d conflicts", r->outcomes[ACCEPTED_NEW],
			r->outcomes[ACCEPTED_AGAIN], r->outcomes[ACCEPTED_CONFLICT]);
	if (row->unreadable > 0) {
		txn_problems_text(&row->problems, row->code ? row->code : "invalid", text, sizeof text);
		printf("; stays, as %d cannot be read: %s\n", row->unreadable,
			utf8_printable(shown, sizeof shown, text));
	} else {
		printf("%s\n", r->is_dry ? "; it would be removed" : "; removed");
	}
}

static void print_sum(const struct remapping *r)
{
	int64_t stay = r->webhooks - r->removed;
	if (r->is_dry)
		printf("nothing was changed: of %" PRId64 " webhooks %" PRId64 " would be removed, %" PRId64
		       " would stay; %" PRId64 " transactions would be stored or are there already, %" PRId64
		       " cannot be read\n",
			r->webhooks, r->removed, stay, r->stored[ACCEPTED_NEW], r->unreadable);
	else
		printf("%" PRId64 " webhooks: %" PRId64 " removed, %" PRId64 " stay; transactions: %" PRId64
		       " new, %" PRId64 " duplicates, %" PRId64 " conflicts, %" PRId64 " cannot be read\n",
			r->webhooks, r->removed, stay, r->stored[ACCEPTED_NEW], r->stored[ACCEPTED_AGAIN],
			r->stored[ACCEPTED_CONFLICT], r->unreadable);
}

/* ---- one row ---- */

/* Counts and reports a row when it is done, so that the sum of a command that fails is that of the rows before. */
static void end_row(struct remapping *r, bool is_removed)
{
	print_row(r);
	(void)fflush(stdout);
	r->webhooks++;
	r->removed += is_removed;
	r->unreadable += r->row.unreadable;
	for (int i = 0; i < 3; i++)
		r->stored[i] += r->is_dry ? 0 : r->outcomes[i];
	if (r->is_dry)
		r->stored[ACCEPTED_NEW] += r->row.count;
	remap_row_finish(&r->row);
	r->step = STEP_NEXT;
}

static void remap_on_outcome(struct pending_insert *insert, enum accepted outcome, const struct fault *f)
{
	struct remapping *r = CONTAINER_OF(insert, struct remap_item, insert)->owner;
	if (f)
		remap_fail(r, f);
	else
		r->outcomes[outcome]++;
	if (--r->waiting > 0 || r->has_failed)
		return;
	r->step = r->row.unreadable > 0 ? STEP_REASON : STEP_DROP;
	remap_go(r);
}

static void store(struct remapping *r)
{
	int count = r->row.count;
	struct remap_item *items = r->row.items;
	r->waiting = count;
	r->step = STEP_WAIT;
	if (r->settings.payloads_keep_days == 0)
		r->row.body.headers = r->row.body.content_type = NULL;
	for (int i = 0; i < count; i++) {
		items[i].owner = r;
		items[i].insert = (struct pending_insert){.txn = &items[i].txn,
			.source = r->row.source->name,
			.request_id = r->row.request_id,
			.traceparent = *r->row.traceparent ? r->row.traceparent : NULL,
			.body = &r->row.body,
			.is_in_order = r->row.source->in_order,
			.continues = r->row.source->continues,
			.done = remap_on_outcome};
	}
	for (int i = 0; i < count && !r->has_failed; i++)
		ingest_accept(r->ingest, &items[i].insert);
}

static void remap_on_next(void *ctx, const struct pg_result *result, const struct fault *f)
{
	struct remapping *r = ctx;
	struct fault starved;
	if (!result) {
		remap_fail(r, f);
		return;
	}
	if (db_rows(result) == 0) {
		event_base_loopbreak(r->base);
		return;
	}
	memset(r->outcomes, 0, sizeof r->outcomes);
	if (!remap_row_take(&r->row, result, &r->sources) || !remap_row_map(&r->row, &r->settings.extra_currencies)) {
		fault_set(&starved, FAULT_BUSY, "there is no memory for the webhook");
		remap_fail(r, &starved);
		return;
	}
	bool is_mapped = r->row.count > 0 && r->row.unreadable == 0;
	if (r->is_dry || (r->row.count == 0 && r->row.unreadable == 0))
		end_row(r, is_mapped);
	else if (r->row.count > 0)
		store(r);
	else
		r->step = STEP_REASON;
}

static void remap_on_dropped(void *ctx, const struct pg_result *result, const struct fault *f)
{
	struct remapping *r = ctx;
	if (result)
		end_row(r, true);
	else
		remap_fail(r, f);
}

static void remap_on_reason(void *ctx, const struct pg_result *result, const struct fault *f)
{
	struct remapping *r = ctx;
	if (result)
		end_row(r, false);
	else
		remap_fail(r, f);
}

/* ---- the loop ---- */

/* Sends what is next, if it can be. */
static void remap_go(struct remapping *r)
{
	struct db_params params = {0};
	char reason[UNREADABLE_REASON_MAX + 1];
	enum step step = r->step;
	if (!r->is_up || step == STEP_WAIT || !connection_is_ready(r->connection))
		return;
	r->step = STEP_WAIT;
	db_params_add_int8(&params, r->row.id);
	if (step == STEP_NEXT) {
		db_params_add_text(&params, r->only);
		connection_send(r->connection, &REMAP_NEXT, &params, remap_on_next);
	} else if (step == STEP_DROP) {
		connection_send(r->connection, &REMAP_DROP, &params, remap_on_dropped);
	} else {
		txn_problems_text(&r->row.problems, r->row.code ? r->row.code : "invalid", reason, sizeof reason);
		db_params_add_text(&params, reason);
		connection_send(r->connection, &REMAP_REASON, &params, remap_on_reason);
	}
}

static void remap_on_ready(void *ctx)
{
	remap_go(ctx);
}

static void remap_on_down(void *ctx, const struct fault *why)
{
	struct remapping *r = ctx;
	if (++r->attempts >= ATTEMPTS_MAX)
		remap_fail(r, why);
}

static void remap_on_up(void *ctx)
{
	struct remapping *r = ctx;
	r->is_up = true;
	remap_go(r);
}

/* Workers find new jobs, and those that wait for their turn, by themselves within seconds. */
static void remap_on_enqueued(void *ctx)
{
	(void)ctx;
}

static void remap_on_parked(void *ctx, int64_t lane)
{
	(void)ctx, (void)lane;
}

static const struct ingest_events EVENTS = {
	.up = remap_on_up, .down = remap_on_down, .enqueued = remap_on_enqueued, .parked = remap_on_parked};
static const struct statement *const STATEMENTS[] = {&REMAP_NEXT, &REMAP_DROP, &REMAP_REASON};
static const struct connection_plan PLAN = {
	.name = CTL_PROGRAM " remap",
	.statements = STATEMENTS,
	.statement_count = COUNT_OF(STATEMENTS),
	.answer_ms = ANSWER_MS,
	.ready = remap_on_ready,
	.down = remap_on_down,
};

static void remap_all(struct remapping *r)
{
	fault_set(&r->fault, FAULT_BUSY, "there is no memory");
	r->has_failed = true;
	r->base = event_base_new();
	r->connect_state = (struct connect_state){.base = r->base, .conninfo = r->settings.database};
	if (r->base) {
		r->ingest = ingest_create(&r->connect_state, &EVENTS, r);
		r->connection = connection_create(&r->connect_state, &PLAN, r);
	}
	if (r->ingest && r->connection) {
		r->has_failed = false;
		event_base_dispatch(r->base);
	}
	connection_destroy(r->connection);
	ingest_destroy(r->ingest);
	remap_row_finish(&r->row);
	if (r->base)
		event_base_free(r->base);
}

static bool remap_arguments(struct remapping *r, int argc, char **argv)
{
	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--dry-run") == 0)
			r->is_dry = true;
		else if (strcmp(argv[i], "--sources") == 0 && i + 1 < argc)
			r->sources_file = argv[++i];
		else if (!r->only && argv[i][0] != '-' && source_name_valid(argv[i]))
			r->only = argv[i];
		else
			return false;
	}
	return true;
}

int remap_run(int argc, char **argv)
{
	static struct remapping r;
	char why[FAULT_TEXT_MAX];
	if (!remap_arguments(&r, argc, argv)) {
		ctl_complain("usage: remap [SOURCE] [--dry-run] [--sources FILE]");
		return 2;
	}
	if (!settings_read(&r.settings, ctl_complain))
		return 2;
	if (!*r.settings.database) {
		ctl_complain("DATABASE_URL is not set, nor POSTGRES_HOST: which PostgreSQL?");
		return 2;
	}
	const char *file = r.sources_file ? r.sources_file : r.settings.sources_file;
	if (!sources_load_mappings(file, &r.settings.extra_currencies, ctl_complain, &r.sources))
		return 2;
	remap_all(&r);
	print_sum(&r);
	sources_finish(&r.sources);
	if (!r.has_failed)
		return 0;
	fprintf(stderr, CTL_PROGRAM ": stopped; what is reported above is done, run it again for the rest: %s\n",
		utf8_printable(why, sizeof why, r.fault.text));
	return 1;
}
