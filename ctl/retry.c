/* retry.c - retries one transaction, or all FAILED ones that match a filter.
 *
 * A filter first shows how many match and which are the first; only with --yes an operation begins.  Its members are fixed
 * then, and the workers carry it out: it goes on whatever becomes of this command, which only shows its progress. */

#include "retry.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ask.h"
#include "ctl.h"
#include "field.h"
#include "inquiry.h"
#include "listing.h"
#include "options.h"
#include "shown.h"
#include "story.h"
#include "table.h"

#define FILTER_MAX (64 * 1024) /* bytes of its JSON; nine values of 255 bytes, each escaped, have 14 KiB */
#define POLL_MS 1000
#define QUIET_POLLS 10 /* between two lines of progress that go to a file */
#define STUCK_POLLS 30 /* without progress, until a hint */

/* The members of a filter, as options and in JSON. */
enum { IN_SOURCE, IN_KIND, IN_ACCOUNT, IN_CURRENCY, IN_MIN, IN_MAX, IN_FROM, IN_TO, IN_ERROR, IN_COUNT };
static const char *const FILTER_NAMES[IN_COUNT] = {
	"source", "kind", "account", "currency", "amount_min", "amount_max", "from", "to", "error"};

struct retrying {
	const char *id;
	const char *filter[IN_COUNT]; /* NULL: absent */
	const char *reason, *rate, *cancel, *follow;
	bool even_processed, yes, background, operations, json;
};

static int retry_usage(const char *complaint)
{
	ctl_complain(complaint);
	return EXIT_WRONG;
}

/* ---- operations ---- */

static void add_operation(struct table *t, struct json_value o, int64_t now_us)
{
	static const char *const CELLS[] = {"/operation_id", "/state", "/total", "/handled", "/retried", "/skipped",
		"/rate", "/actor", "/filter", "/reason"};
	for (size_t i = 0; i < COUNT_OF(CELLS); i++)
		field_cell(t, o, CELLS[i]);
	field_time_cells(t, o, "/created_at", now_us);
}

static void print_operations(struct json_walk rows, int64_t now_us)
{
	static const struct column COLUMNS[] = {{.title = "OPERATION", .is_number = true}, {.title = "STATE"},
		{.title = "TOTAL", .is_number = true}, {.title = "HANDLED", .is_number = true},
		{.title = "RETRIED", .is_number = true}, {.title = "SKIPPED", .is_number = true},
		{.title = "A SECOND", .is_number = true}, {.title = "ACTOR"}, {.title = "FILTER"},
		{.title = "REASON", .is_optional = true}, {.title = "STARTED"}, {.title = "AGO"}};
	struct table t = TABLE_INIT(COLUMNS, COUNT_OF(COLUMNS));
	struct json_value row;
	while (json_walk_next(&rows, NULL, &row))
		add_operation(&t, row, now_us);
	if (t.cells == 0)
		ctl_complain("no operation is on record");
	table_print(&t, "");
	table_finish(&t);
}

static int list_operations(const struct retrying *r)
{
	static const struct statement OPERATIONS = {
		"operations", INQUIRY_SELECT " FROM payhook.console_operations(NULL::text, '200'::text)"};
	const struct db_params none = {0};
	struct inquiry a = INQUIRY_INIT;
	if (inquiry_ask(&a, &OPERATIONS, &none) && r->json)
		a.exit_status = inquiry_print(&a);
	else if (a.exit_status == EXIT_DONE && inquiry_open(&a))
		print_operations(field_list(a.top, "/data"), a.now_us);
	inquiry_finish(&a);
	return a.exit_status;
}

/* Prints what an act has done. */
static void print_detail(const struct inquiry *a)
{
	struct buf shown = BUF_INIT(INQUIRY_MAX);
	char detail[FIELD_MAX];
	shown_add(&shown, field_text(a->top, "/detail", detail));
	printf("%s\n", shown.data ? shown.data : "");
	buf_finish(&shown);
}

static int cancel_operation(const struct retrying *r)
{
	static const struct statement CANCEL = {"cancel",
		INQUIRY_SELECT " FROM payhook.console_cancel_operation($1::text, $2::text, NULL::text, NULL::text)"};
	struct db_params params = {0};
	struct inquiry a = INQUIRY_INIT;
	db_params_add_text(&params, r->cancel);
	db_params_add_text(&params, r->reason);
	if (inquiry_ask(&a, &CANCEL, &params) && r->json)
		a.exit_status = inquiry_print(&a);
	else if (a.exit_status == EXIT_DONE && inquiry_open(&a))
		print_detail(&a);
	inquiry_finish(&a);
	return a.exit_status;
}

/* ---- progress ---- */

struct progress {
	bool is_terminal, is_json;
	int64_t handled; /* as last seen */
	int polls;       /* since it grew */
	int lines;       /* polls since the last line */
};

/* On a terminal the line is written over. */
static void print_progress(struct progress *p, int64_t handled, int64_t total, bool is_end)
{
	if (p->is_json || (!p->is_terminal && !is_end && p->lines++ % QUIET_POLLS != 0))
		return;
	printf("%s%" PRId64 " of %" PRId64 " (%" PRId64 " %%)%s", p->is_terminal ? "\r" : "", handled, total,
		total > 0 ? handled * 100 / total : 100, p->is_terminal && !is_end ? "" : "\n");
	(void)fflush(stdout);
}

/* Whether the operation still runs. */
static bool note_progress(struct progress *p, struct inquiry *a)
{
	char state[FIELD_MAX];
	int64_t handled = field_number(a->top, "/handled"), total = field_number(a->top, "/total");
	bool is_end = strcmp(field_text(a->top, "/state", state), "running") != 0;
	p->polls = handled == p->handled ? p->polls + 1 : 0;
	p->handled = handled;
	print_progress(p, handled, total, is_end);
	if (p->polls == STUCK_POLLS)
		fprintf(stderr, CTL_PROGRAM ": no progress for %d s: workers carry it out; \"status\" shows them\n",
			STUCK_POLLS);
	if (!is_end)
		return true;
	a->exit_status = strcmp(state, "done") == 0 ? EXIT_DONE : EXIT_NOTHING;
	if (!p->is_json)
		printf("%s: %" PRId64 " retried, %" PRId64 " passed over, as they were no longer FAILED\n", state,
			field_number(a->top, "/retried"), field_number(a->top, "/skipped"));
	return false;
}

/* Until the operation has ended. */
static int follow_operation(const char *operation, bool json)
{
	static const struct statement OPERATION = {
		"operation", INQUIRY_SELECT " FROM payhook.console_operation($1::text)"};
	struct progress p = {.is_terminal = isatty(STDOUT_FILENO) == 1, .is_json = json, .handled = -1};
	struct db_params params = {0};
	struct inquiry a = INQUIRY_INIT;
	db_params_add_text(&params, operation);
	while (inquiry_ask(&a, &OPERATION, &params) && inquiry_open(&a) && note_progress(&p, &a))
		ask_wait(POLL_MS);
	if (json && a.is_read && a.status == 200 && inquiry_print(&a) != EXIT_DONE)
		a.exit_status = EXIT_NOTHING;
	inquiry_finish(&a);
	return a.exit_status;
}

/* ---- all that match ---- */

static void add_filter(const struct retrying *r, struct buf *filter)
{
	const char *separator = "{";
	for (int i = 0; i < IN_COUNT; i++) {
		if (!r->filter[i])
			continue;
		buf_add_format(filter, "%s\"%s\":\"", separator, FILTER_NAMES[i]);
		buf_add_json(filter, r->filter[i], strlen(r->filter[i]));
		buf_add_text(filter, "\"");
		separator = ",";
	}
	buf_add_text(filter, *separator == '{' ? "{}" : "}");
}

static void print_preview(const struct inquiry *a)
{
	int64_t total = field_number(a->top, "/total");
	printf("%" PRId64 "%s FAILED transactions match%s\n", total,
		field_is_true(a->top, "/left_over") ? " and more" : "",
		total > 20  ? "; the first 20:"
		: total > 0 ? ":"
			    : "");
	listing_transactions(field_list(a->top, "/data"), a->now_us, "  ");
	if (total > 0)
		printf("Nothing was changed: --yes --reason TEXT retries them, 200 a second, or --rate N.\n");
}

/* What goes on without this command. */
static int begin_following(struct inquiry *a, const struct retrying *r)
{
	char operation[FIELD_MAX];
	field_text(a->top, "/operation/operation_id", operation);
	print_detail(a);
	if (field_is_true(a->top, "/operation/left_over"))
		printf("More match than one operation takes: repeat the command for the rest.\n");
	printf("Operation %s goes on if this command ends; \"retry --cancel %s\" cancels it.\n", operation, operation);
	(void)fflush(stdout);
	return r->background ? EXIT_DONE : follow_operation(operation, false);
}

static int retry_matching(const struct retrying *r)
{
	static const struct statement START = {"start", INQUIRY_SELECT
		" FROM payhook.console_start_operation('retry'::text, $1::text, $2::text, $3::text, $4::text, NULL::text, NULL::text)"};
	struct buf filter = BUF_INIT(FILTER_MAX);
	struct db_params params = {0};
	struct inquiry a = INQUIRY_INIT;
	add_filter(r, &filter);
	if (!buf_ok(&filter)) {
		buf_finish(&filter);
		return retry_usage("the filter is too long");
	}
	db_params_add_text(&params, filter.data);
	db_params_add_text(&params, r->yes ? NULL : "true");
	db_params_add_text(&params, r->rate);
	db_params_add_text(&params, r->reason);
	if (inquiry_ask(&a, &START, &params) && r->json)
		a.exit_status = inquiry_print(&a);
	else if (a.exit_status == EXIT_DONE && inquiry_open(&a) && r->yes)
		a.exit_status = begin_following(&a, r);
	else if (a.exit_status == EXIT_DONE)
		print_preview(&a);
	inquiry_finish(&a);
	buf_finish(&filter);
	return a.exit_status;
}

/* ---- one ---- */

static int retry_one(const struct retrying *r)
{
	static const struct statement RETRY = {"retry", INQUIRY_SELECT
		" FROM payhook.console_retry($1::text, $2::text, $3::text, $4::text, NULL::text, NULL::text)"};
	char found[STORY_SOURCE_MAX];
	const char *source = r->filter[IN_SOURCE];
	struct db_params params = {0};
	struct inquiry a = INQUIRY_INIT;
	if (source || story_source(&a, r->id, false, found)) {
		db_params_add_text(&params, source ? source : found);
		db_params_add_text(&params, r->id);
		db_params_add_text(&params, r->even_processed ? "true" : NULL);
		db_params_add_text(&params, r->reason);
		if (inquiry_ask(&a, &RETRY, &params) && r->json)
			a.exit_status = inquiry_print(&a);
		else if (a.exit_status == EXIT_DONE && inquiry_open(&a))
			print_detail(&a);
	}
	inquiry_finish(&a);
	return a.exit_status;
}

/* ---- the command ---- */

/* Whether anything but the source and the reason narrows what is retried. */
static bool has_filter(const struct retrying *r, int first)
{
	for (int i = first; i < IN_COUNT; i++) {
		if (r->filter[i])
			return true;
	}
	return false;
}

static int retry_choose(const struct retrying *r)
{
	bool is_matching = has_filter(r, IN_SOURCE) && !r->id;
	if ((r->id != NULL) + is_matching + (r->cancel != NULL) + (r->follow != NULL) + r->operations != 1)
		return retry_usage("one of these: an ID; a filter such as --source NAME or --error TEXT; --operations; "
				   "--follow OPERATION; --cancel OPERATION");
	if (r->id && (has_filter(r, IN_SOURCE + 1) || r->yes || r->rate || r->background))
		return retry_usage("with an ID there may be --source, --even-processed, --reason and --json");
	if (!r->id && r->even_processed)
		return retry_usage("--even-processed needs an ID: what is PROCESSED is called again one by one");
	if (is_matching && r->yes && !r->reason)
		return retry_usage("--yes needs --reason TEXT, which goes on record");
	if (r->id)
		return retry_one(r);
	if (r->cancel)
		return cancel_operation(r);
	if (r->follow)
		return follow_operation(r->follow, r->json);
	return r->operations ? list_operations(r) : retry_matching(r);
}

int retry_run(int argc, char **argv)
{
	struct retrying r = {0};
	const struct option options[] = {{.name = "--source", .value = &r.filter[IN_SOURCE]},
		{.name = "--kind", .value = &r.filter[IN_KIND]}, {.name = "--account", .value = &r.filter[IN_ACCOUNT]},
		{.name = "--currency", .value = &r.filter[IN_CURRENCY]},
		{.name = "--amount-min", .value = &r.filter[IN_MIN]},
		{.name = "--amount-max", .value = &r.filter[IN_MAX]}, {.name = "--from", .value = &r.filter[IN_FROM]},
		{.name = "--to", .value = &r.filter[IN_TO]}, {.name = "--error", .value = &r.filter[IN_ERROR]},
		{.name = "--reason", .value = &r.reason}, {.name = "--rate", .value = &r.rate},
		{.name = "--cancel", .value = &r.cancel}, {.name = "--follow", .value = &r.follow},
		{.name = "--even-processed", .flag = &r.even_processed}, {.name = "--yes", .flag = &r.yes},
		{.name = "--background", .flag = &r.background}, {.name = "--operations", .flag = &r.operations},
		{.name = "--json", .flag = &r.json}};
	return options_read(options, COUNT_OF(options), argc, argv, &r.id) ? retry_choose(&r) : EXIT_WRONG;
}
