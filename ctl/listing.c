/* listing.c - lists transactions, sources and actions.
 *
 * The server bounds each list, so one command is one bounded statement.  Where a list goes on is printed on standard error,
 * as a cursor for the next command. */

#include "listing.h"

#include <stdio.h>
#include <string.h>

#include "ctl.h"
#include "field.h"
#include "inquiry.h"
#include "options.h"
#include "table.h"

/* ---- rows ---- */

void listing_transactions(struct json_walk rows, int64_t now_us, const char *indent)
{
	static const struct column COLUMNS[] = {{.title = "SOURCE"}, {.title = "ID"}, {.title = "STATUS"},
		{.title = "KIND", .is_optional = true}, {.title = "PAYMENT", .is_optional = true},
		{.title = "AMOUNT", .is_number = true}, {.title = "CUR"}, {.title = "ACCEPTED"}, {.title = "AGO"},
		{.title = "FAILED", .is_optional = true}, {.title = "FAILURE", .is_optional = true}};
	static const char *const CELLS[] = {
		"/source", "/transaction_id", "/status", "/kind", "/payment_id", "/amount", "/currency"};
	struct table t = TABLE_INIT(COLUMNS, COUNT_OF(COLUMNS));
	struct json_value row;
	while (json_walk_next(&rows, NULL, &row)) {
		for (size_t i = 0; i < COUNT_OF(CELLS); i++)
			field_cell(&t, row, CELLS[i]);
		field_time_cells(&t, row, "/created_at", now_us);
		field_ago_cell(&t, row, "/failed_at", now_us);
		field_start_cell(&t, row, "/failure");
	}
	table_print(&t, indent);
	table_finish(&t);
}

void listing_actions(struct json_walk rows, int64_t now_us, const char *indent)
{
	static const struct column COLUMNS[] = {{.title = "AT"}, {.title = "AGO"}, {.title = "ACTOR"}, {.title = "VIA"},
		{.title = "ACTION"}, {.title = "SOURCE", .is_optional = true}, {.title = "ID", .is_optional = true},
		{.title = "OPERATION", .is_number = true, .is_optional = true}, {.title = "OUTCOME"},
		{.title = "REASON", .is_optional = true}, {.title = "DETAIL"}};
	static const char *const CELLS[] = {"/actor", "/via", "/action", "/source", "/transaction_id", "/operation_id",
		"/outcome", "/reason", "/detail"};
	struct table t = TABLE_INIT(COLUMNS, COUNT_OF(COLUMNS));
	struct json_value row;
	while (json_walk_next(&rows, NULL, &row)) {
		field_time_cells(&t, row, "/at", now_us);
		for (size_t i = 0; i < COUNT_OF(CELLS); i++)
			field_cell(&t, row, CELLS[i]);
	}
	table_print(&t, indent);
	table_finish(&t);
}

static void listing_sources(struct json_walk rows, int64_t now_us)
{
	static const struct column COLUMNS[] = {{.title = "SOURCE"}, {.title = "A MINUTE", .is_number = true},
		{.title = "ACCEPTED", .is_number = true}, {.title = "PROCESSED", .is_number = true},
		{.title = "FAILED", .is_number = true}, {.title = "REFUSED", .is_number = true},
		{.title = "LAST ACCEPTED"}, {.title = "LAST REFUSED"}, {.title = "SILENT", .is_optional = true},
		{.title = "PAUSED", .is_optional = true}, {.title = "BY", .is_optional = true},
		{.title = "REASON", .is_optional = true}};
	static const char *const CELLS[] = {"/source", "/accepted_per_minute", "/accepted_hour", "/processed_hour",
		"/failed_hour", "/refused_hour"};
	struct table t = TABLE_INIT(COLUMNS, COUNT_OF(COLUMNS));
	struct json_value row;
	while (json_walk_next(&rows, NULL, &row)) {
		for (size_t i = 0; i < COUNT_OF(CELLS); i++)
			field_cell(&t, row, CELLS[i]);
		field_ago_cell(&t, row, "/last_accepted_at", now_us);
		field_ago_cell(&t, row, "/last_refused_at", now_us);
		table_add(&t, field_is_true(row, "/is_silent") ? "yes" : "");
		field_ago_cell(&t, row, "/paused/since", now_us);
		field_cell(&t, row, "/paused/by");
		field_cell(&t, row, "/paused/reason");
	}
	table_print(&t, "");
	table_finish(&t);
}

/* ---- commands ---- */

/* Whether the list has a row; if not, that is printed. */
static bool has_rows(const struct inquiry *a, const char *complaint)
{
	struct json_value row;
	struct json_walk rows = field_list(a->top, "/data");
	if (json_walk_next(&rows, NULL, &row))
		return true;
	fprintf(stderr, CTL_PROGRAM ": %s\n", complaint);
	return false;
}

/* Where the list goes on. */
static void listing_next(const struct inquiry *a)
{
	char cursor[FIELD_MAX];
	if (!*field_text(a->top, "/next", cursor))
		return;
	if (field_is_true(a->top, "/truncated"))
		fprintf(stderr, CTL_PROGRAM ": the search stopped: it had examined as many rows as one request may\n");
	fprintf(stderr, CTL_PROGRAM ": there is more: the same command with --cursor %s\n", cursor);
}

/* In the order of the function's parameters. */
enum {
	LS_ID,
	LS_PAYMENT,
	LS_SOURCE,
	LS_STATUS,
	LS_KIND,
	LS_ACCOUNT,
	LS_CURRENCY,
	LS_MIN,
	LS_MAX,
	LS_FROM,
	LS_TO,
	LS_ERROR,
	LS_CURSOR,
	LS_LIMIT,
	LS_COUNT
};

/* What is printed if the list has no row.  FAILED transactions are searched whenever they failed, and ids whenever they came. */
static const char *ls_complaint(const char *const values[LS_COUNT])
{
	bool is_by_key = values[LS_ID] || values[LS_PAYMENT];
	bool is_failed = values[LS_ERROR] || (values[LS_STATUS] && strcmp(values[LS_STATUS], "FAILED") == 0);
	if (is_by_key || is_failed || values[LS_FROM] || values[LS_TO])
		return "no transaction matches";
	return "no transaction matches; without --from and --to, those of the last 24 hours are searched";
}

int ls_run(int argc, char **argv)
{
	static const struct statement LS = {"ls", INQUIRY_SELECT
		" FROM payhook.console_transactions($1::text, $2::text, $3::text, $4::text, $5::text, $6::text, $7::text, $8::text,"
		" $9::text, $10::text, $11::text, $12::text, $13::text, $14::text)"};
	const char *values[LS_COUNT] = {0}, *id = NULL;
	bool json = false;
	const struct option options[] = {{.name = "--id", .value = &values[LS_ID]},
		{.name = "--payment", .value = &values[LS_PAYMENT]}, {.name = "--source", .value = &values[LS_SOURCE]},
		{.name = "--status", .value = &values[LS_STATUS]}, {.name = "--kind", .value = &values[LS_KIND]},
		{.name = "--account", .value = &values[LS_ACCOUNT]},
		{.name = "--currency", .value = &values[LS_CURRENCY]},
		{.name = "--amount-min", .value = &values[LS_MIN]}, {.name = "--amount-max", .value = &values[LS_MAX]},
		{.name = "--from", .value = &values[LS_FROM]}, {.name = "--to", .value = &values[LS_TO]},
		{.name = "--error", .value = &values[LS_ERROR]}, {.name = "--cursor", .value = &values[LS_CURSOR]},
		{.name = "--limit", .value = &values[LS_LIMIT]}, {.name = "--json", .flag = &json}};
	struct db_params params = {0};
	if (!options_read(options, COUNT_OF(options), argc, argv, &id))
		return EXIT_WRONG;
	if (id && values[LS_ID]) {
		ctl_complain("the id is given twice, as --id and as an argument");
		return EXIT_WRONG;
	}
	if (id)
		values[LS_ID] = id;
	for (int i = 0; i < LS_COUNT; i++)
		db_params_add_text(&params, values[i]);
	struct inquiry a = INQUIRY_INIT;
	if (inquiry_ask(&a, &LS, &params) && json) {
		a.exit_status = inquiry_print(&a);
	} else if (a.exit_status == EXIT_DONE && inquiry_open(&a)) {
		if (has_rows(&a, ls_complaint(values)))
			listing_transactions(field_list(a.top, "/data"), a.now_us, "");
		listing_next(&a);
	}
	inquiry_finish(&a);
	return a.exit_status;
}

int sources_run(int argc, char **argv)
{
	static const struct statement SOURCES = {"sources", INQUIRY_SELECT " FROM payhook.console_sources()"};
	const struct db_params none = {0};
	bool json = false;
	const struct option options[] = {{.name = "--json", .flag = &json}};
	if (!options_read(options, COUNT_OF(options), argc, argv, NULL))
		return EXIT_WRONG;
	struct inquiry a = INQUIRY_INIT;
	if (inquiry_ask(&a, &SOURCES, &none) && json) {
		a.exit_status = inquiry_print(&a);
	} else if (a.exit_status == EXIT_DONE && inquiry_open(&a)) {
		if (has_rows(&a, "no source has sent a webhook yet"))
			listing_sources(field_list(a.top, "/data"), a.now_us);
	}
	inquiry_finish(&a);
	return a.exit_status;
}

int actions_run(int argc, char **argv)
{
	static const struct statement ACTIONS = {"actions", INQUIRY_SELECT
		" FROM payhook.console_actions($1::text, $2::text, $3::text, $4::text, $5::text, $6::text)"};
	const char *values[6] = {0};
	bool json = false;
	const struct option options[] = {{.name = "--source", .value = &values[0]},
		{.name = "--id", .value = &values[1]}, {.name = "--actor", .value = &values[2]},
		{.name = "--action", .value = &values[3]}, {.name = "--cursor", .value = &values[4]},
		{.name = "--limit", .value = &values[5]}, {.name = "--json", .flag = &json}};
	struct db_params params = {0};
	if (!options_read(options, COUNT_OF(options), argc, argv, NULL))
		return EXIT_WRONG;
	for (size_t i = 0; i < COUNT_OF(values); i++)
		db_params_add_text(&params, values[i]);
	struct inquiry a = INQUIRY_INIT;
	if (inquiry_ask(&a, &ACTIONS, &params) && json) {
		a.exit_status = inquiry_print(&a);
	} else if (a.exit_status == EXIT_DONE && inquiry_open(&a)) {
		if (has_rows(&a, "no action is on record that matches"))
			listing_actions(field_list(a.top, "/data"), a.now_us, "");
		listing_next(&a);
	}
	inquiry_finish(&a);
	return a.exit_status;
}
