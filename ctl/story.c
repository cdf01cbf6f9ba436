/* story.c - shows one transaction or one payment.
 *
 * Sources number their transactions as they like, so an id may be that of several.  Without --source the command looks it
 * up first, by its key, and asks only if there is a choice. */

#include "story.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ctl.h"
#include "field.h"
#include "listing.h"
#include "options.h"
#include "shown.h"
#include "table.h"

/* ---- the source ---- */

static int complain_of_id(const char *before, const char *id, const char *behind)
{
	struct buf shown = BUF_INIT(INQUIRY_MAX);
	shown_add(&shown, id);
	fprintf(stderr, CTL_PROGRAM ": %s %s%s\n", before, shown.data ? shown.data : "", behind);
	buf_finish(&shown);
	return EXIT_NOTHING;
}

/* Several sources have it: the list with them. */
static int complain_of_choice(const struct inquiry *a, const char *id, bool as_payment)
{
	complain_of_id(as_payment ? "several sources have a payment" : "several sources have a transaction", id,
		"; name one with --source:");
	listing_transactions(field_list(a->top, "/data"), a->now_us, "  ");
	return EXIT_NOTHING;
}

bool story_source(struct inquiry *a, const char *id, bool as_payment, char source[STORY_SOURCE_MAX])
{
	static const struct statement FIND = {"find", INQUIRY_SELECT
		" FROM payhook.console_transactions($1::text, $2::text, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,"
		" NULL, '200')"};
	struct db_params params = {0};
	struct json_value row, name;
	size_t found = 0, len;
	bool is_several = false;
	db_params_add_text(&params, as_payment ? NULL : id);
	db_params_add_text(&params, as_payment ? id : NULL);
	if (!inquiry_ask(a, &FIND, &params) || !inquiry_open(a))
		return false;
	struct json_walk rows = field_list(a->top, "/data");
	bool is_payment = json_walk_next(&rows, NULL, &row);
	for (rows = field_list(a->top, "/data"); json_walk_next(&rows, NULL, &row);) {
		struct json_value own;
		if (!json_value_find(row, as_payment ? "/payment_id" : "/transaction_id", &own) ||
			!json_value_equals(own, id) || !json_value_find(row, "/source", &name))
			continue;
		is_several = is_several || (found > 0 && !json_value_equals(name, source));
		if (found++ == 0 && !json_value_text(name, source, STORY_SOURCE_MAX, &len))
			source[0] = '\0';
	}
	if (is_several)
		a->exit_status = complain_of_choice(a, id, as_payment);
	else if (found == 0)
		a->exit_status = complain_of_id(as_payment ? "there is no payment" : "there is no transaction", id,
			is_payment ? "; it is the id of a payment: \"payment\" shows it" : "");
	return found > 0 && !is_several;
}

/* ---- lines ---- */

static void line(struct json_value v, const char *label, const char *pointer)
{
	char text[FIELD_MAX];
	if (*field_text(v, pointer, text))
		shown_line(label, text);
}

static void time_line(struct json_value v, const char *label, const char *pointer, int64_t now_us)
{
	char text[FIELD_MAX], both[MOMENT_MAX];
	if (*moment_both(field_text(v, pointer, text), now_us, both))
		shown_line(label, both);
}

static void heading(const char *title)
{
	printf("\n%s\n", title);
}

/* Whether the member is a list with an element. */
static bool is_listed(struct json_value v, const char *pointer)
{
	struct json_walk w = field_list(v, pointer);
	struct json_value first;
	return json_walk_next(&w, NULL, &first);
}

/* ---- a payment ---- */

static void show_sums(struct json_value sums)
{
	char name[FIELD_MAX], text[FIELD_MAX];
	struct buf all = BUF_INIT(FIELD_MAX);
	struct json_value key, value;
	size_t len;
	for (struct json_walk w = json_walk_into(sums); json_walk_next(&w, &key, &value);) {
		if (json_value_text(key, name, sizeof name, &len) && *field_text(value, "", text))
			buf_add_format(&all, "%s%.60s %.60s", all.len > 0 ? ", " : "", name, text);
	}
	if (all.data)
		shown_line("sums", all.data);
	buf_finish(&all);
}

static void show_payment(struct json_value p, int64_t now_us)
{
	struct json_value part, anomaly;
	char text[FIELD_MAX];
	line(p, "payment", "/payment_id");
	line(p, "source", "/source");
	line(p, "state", "/state");
	line(p, "currency", "/currency");
	if (field_part(p, "/sums", &part) && json_value_kind(part) == JSON_IS_OBJECT)
		show_sums(part);
	for (struct json_walk w = field_list(p, "/anomalies"); json_walk_next(&w, NULL, &anomaly);)
		shown_line("anomaly", field_text(anomaly, "", text));
	time_line(p, "first", "/first_at", now_us);
	time_line(p, "last", "/last_at", now_us);
	line(p, "events", "/events_total");
	listing_transactions(field_list(p, "/events"), now_us, "  ");
}

/* ---- a transaction ---- */

static void show_transaction(struct json_value story, int64_t now_us)
{
	char amount[FIELD_MAX], currency[FIELD_MAX];
	struct json_value t;
	if (!field_part(story, "/transaction", &t))
		return;
	line(t, "id", "/transaction_id");
	line(t, "source", "/source");
	line(t, "status", "/status");
	line(t, "kind", "/kind");
	line(t, "payment", "/payment_id");
	shown_format("amount", "%.100s %.20s%s", field_text(t, "/amount", amount), field_text(t, "/currency", currency),
		field_is_true(t, "/is_total") ? " (total)" : "");
	line(t, "from", "/source_account");
	line(t, "to", "/destination_account");
	time_line(t, "occurred", "/occurred_at", now_us);
	time_line(t, "accepted", "/created_at", now_us);
	time_line(t, "processed", "/processed_at", now_us);
	time_line(t, "failed", "/failed_at", now_us);
	line(t, "failure", "/failure");
	line(t, "trace", "/trace_id");
}

static void show_job(struct json_value story, int64_t now_us)
{
	struct json_value job;
	if (!field_part(story, "/job", &job))
		return;
	heading("job");
	line(job, "state", "/state");
	line(job, "attempt", "/attempt");
	line(job, "behind", "/behind");
	time_line(job, "stored", "/enqueued_at", now_us);
	time_line(job, "next run", "/run_at", now_us);
	time_line(job, "claimed", "/claimed_at", now_us);
	line(job, "by worker", "/worker_host");
	line(job, "process", "/worker_pid");
	line(job, "error", "/last_error");
}

static void show_dead(struct json_value story, int64_t now_us)
{
	struct json_value dead;
	if (!field_part(story, "/dead", &dead))
		return;
	heading("given up");
	line(dead, "attempts", "/attempts");
	time_line(dead, "at", "/died_at", now_us);
	line(dead, "error", "/error");
}

static void show_attempts(struct json_value story, int64_t now_us)
{
	static const struct column COLUMNS[] = {{.title = "ATTEMPT", .is_number = true}, {.title = "FINISHED"},
		{.title = "AGO"}, {.title = "MS", .is_number = true}, {.title = "OUTCOME"},
		{.title = "WORKER", .is_optional = true}, {.title = "ERROR", .is_optional = true}};
	struct table t = TABLE_INIT(COLUMNS, COUNT_OF(COLUMNS));
	struct json_value row;
	if (!is_listed(story, "/attempts"))
		return;
	printf("\nattempts: %" PRId64 "%s\n", field_number(story, "/attempts_total"),
		field_number(story, "/attempts_total") > 100 ? ", the newest 100" : "");
	for (struct json_walk w = field_list(story, "/attempts"); json_walk_next(&w, NULL, &row);) {
		field_cell(&t, row, "/attempt");
		field_time_cells(&t, row, "/finished_at", now_us);
		field_cell(&t, row, "/duration_ms");
		field_cell(&t, row, "/outcome");
		field_cell(&t, row, "/worker_host");
		field_cell(&t, row, "/error");
	}
	table_print(&t, "  ");
	table_finish(&t);
}

static void show_conflicts(struct json_value story, int64_t now_us)
{
	static const struct column COLUMNS[] = {{.title = "CONFLICT", .is_number = true},
		{.title = "TIMES", .is_number = true}, {.title = "FIRST SEEN"}, {.title = "AGO"},
		{.title = "BYTES", .is_number = true}, {.title = "DIFFERS"}, {.title = "STORED"},
		{.title = "OFFERED", .is_optional = true}};
	struct table t = TABLE_INIT(COLUMNS, COUNT_OF(COLUMNS));
	struct json_value row;
	if (!is_listed(story, "/conflicts"))
		return;
	heading("conflicts: the same id with another content");
	for (struct json_walk w = field_list(story, "/conflicts"); json_walk_next(&w, NULL, &row);) {
		field_cell(&t, row, "/ordinal");
		field_cell(&t, row, "/count");
		field_time_cells(&t, row, "/first_seen", now_us);
		field_cell(&t, row, "/size");
		field_cell(&t, row, "/differs");
		field_cell(&t, row, "/stored");
		field_cell(&t, row, "/offered");
	}
	table_print(&t, "  ");
	table_finish(&t);
}

static void show_payload(struct json_value story, int64_t now_us)
{
	struct json_value payload;
	if (!field_part(story, "/payload", &payload))
		return;
	heading("webhook, as \"payload\" shows it");
	line(payload, "bytes", "/size");
	line(payload, "type", "/content_type");
	line(payload, "sha256", "/sha256");
	line(payload, "request", "/request_id");
	time_line(payload, "received", "/received_at", now_us);
}

static void show_story(const struct inquiry *a)
{
	struct json_value payment;
	show_transaction(a->top, a->now_us);
	show_job(a->top, a->now_us);
	show_dead(a->top, a->now_us);
	show_attempts(a->top, a->now_us);
	show_conflicts(a->top, a->now_us);
	if (field_part(a->top, "/payment", &payment)) {
		heading("payment");
		show_payment(payment, a->now_us);
	}
	show_payload(a->top, a->now_us);
	if (is_listed(a->top, "/actions")) {
		heading("actions");
		listing_actions(field_list(a->top, "/actions"), a->now_us, "  ");
	}
	if (field_is_true(a->top, "/may/retry"))
		heading("\"retry\" gives it a new job with all its attempts");
	if (field_is_true(a->top, "/may/skip"))
		heading("it holds the later events of its payment: retry it, or skip it in the console");
}

/* ---- commands ---- */

static void show_answer(const struct inquiry *a, bool as_payment)
{
	if (as_payment)
		show_payment(a->top, a->now_us);
	else
		show_story(a);
}

/* One id, and its source if that is not given. */
static int story_run(int argc, char **argv, const struct statement *s, bool as_payment)
{
	char found[STORY_SOURCE_MAX];
	const char *id = NULL, *source = NULL;
	bool json = false;
	const struct option options[] = {{.name = "--source", .value = &source}, {.name = "--json", .flag = &json}};
	struct db_params params = {0};
	if (!options_read(options, COUNT_OF(options), argc, argv, &id))
		return EXIT_WRONG;
	if (!id) {
		ctl_complain("an id is missing");
		return EXIT_WRONG;
	}
	struct inquiry a = INQUIRY_INIT;
	if (source || story_source(&a, id, as_payment, found)) {
		db_params_add_text(&params, source ? source : found);
		db_params_add_text(&params, id);
		if (inquiry_ask(&a, s, &params) && json)
			a.exit_status = inquiry_print(&a);
		else if (a.exit_status == EXIT_DONE && inquiry_open(&a))
			show_answer(&a, as_payment);
	}
	inquiry_finish(&a);
	return a.exit_status;
}

int show_run(int argc, char **argv)
{
	static const struct statement SHOW = {
		"show", INQUIRY_SELECT " FROM payhook.console_transaction($1::text, $2::text)"};
	return story_run(argc, argv, &SHOW, false);
}

int payment_run(int argc, char **argv)
{
	static const struct statement PAYMENT = {
		"payment", INQUIRY_SELECT " FROM payhook.console_payment($1::text, $2::text)"};
	return story_run(argc, argv, &PAYMENT, true);
}
