/* overview.c - shows how payhook is, from the overview that the console's page shows too.
 *
 * The server counts up to a bound and computes it once a second for all that ask, so it is as quick with millions of jobs as
 * with none.  The health is the overview's own, and so is the list of problems: page, command and scripts agree. */

#include "overview.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ctl.h"
#include "field.h"
#include "inquiry.h"
#include "options.h"
#include "shown.h"

enum { EXIT_ATTENTION = 1, EXIT_DOWN = 3 };

/* Whether a number is more than the server counts. */
static bool is_capped(struct json_value queue, const char *name)
{
	struct json_value capped;
	for (struct json_walk w = field_list(queue, "/capped"); json_walk_next(&w, NULL, &capped);) {
		if (json_value_equals(capped, name))
			return true;
	}
	return false;
}

/* Such as "12 ready", "10000+ dead". */
static void add_number(struct buf *b, struct json_value queue, const char *pointer, const char *meaning)
{
	char number[FIELD_MAX];
	field_text(queue, pointer, number);
	buf_add_format(b, "%s%.24s%s %s", b->len > 0 ? ", " : "", *number ? number : "?",
		is_capped(queue, pointer + 1) ? "+" : "", meaning);
}

static void print_queue(struct json_value queue)
{
	struct buf text = BUF_INIT(1024);
	char age[FIELD_MAX], span[MOMENT_MAX];
	add_number(&text, queue, "/ready", "ready");
	add_number(&text, queue, "/waiting", "waiting for a retry");
	add_number(&text, queue, "/claimed", "claimed");
	add_number(&text, queue, "/held", "held");
	add_number(&text, queue, "/parked", "parked");
	shown_line("queue", text.data ? text.data : "");
	buf_reset(&text, 1024);
	add_number(&text, queue, "/dead", "FAILED transactions");
	shown_line("dead", text.data ? text.data : "");
	buf_finish(&text);
	bool has_job = *field_text(queue, "/oldest_age_ms", age);
	shown_line("oldest", has_job ? moment_span(field_number(queue, "/oldest_age_ms"), span) : "no job waits");
}

static void print_pauses(struct json_value top, int64_t now_us)
{
	char time[FIELD_MAX], both[MOMENT_MAX], by[FIELD_MAX], reason[FIELD_MAX];
	struct json_value paused;
	if (!field_part(top, "/paused", &paused)) {
		shown_line("paused", "no");
		return;
	}
	moment_both(field_text(paused, "/since", time), now_us, both);
	field_text(paused, "/reason", reason);
	shown_format("paused", "since %s by %.255s%s%.2000s", both, field_text(paused, "/by", by), *reason ? ": " : "",
		reason);
}

static void print_worker(struct json_value w, const char *label, int64_t now_us)
{
	char host[FIELD_MAX], version[FIELD_MAX], processor[FIELD_MAX], beat[MOMENT_MAX], since[FIELD_MAX],
		open[MOMENT_MAX];
	bool is_open = *moment_both(field_text(w, "/circuit_open_since", since), now_us, open);
	shown_format(label, "%.255s process %" PRId64 ", %.60s, %.20s, %s%s ago, %" PRId64 " in flight, circuit %s%s",
		field_text(w, "/host", host), field_number(w, "/pid"), field_text(w, "/version", version),
		*field_text(w, "/processor", processor) ? processor : "processor unknown",
		field_is_true(w, "/is_alive") ? "beat " : "SILENT: last beat ",
		moment_span(field_number(w, "/silent_ms"), beat), field_number(w, "/in_flight"),
		is_open ? "OPEN since " : "closed", is_open ? open : "");
}

static void print_workers(struct json_value top, int64_t now_us)
{
	const char *label = "workers";
	struct json_value w;
	for (struct json_walk rows = field_list(top, "/workers"); json_walk_next(&rows, NULL, &w); label = "")
		print_worker(w, label, now_us);
	if (*label)
		shown_line(label, "none");
}

/* Of the workers that live; the settings may have changed since they started. */
static void print_processor(struct json_value top)
{
	char name[FIELD_MAX];
	bool simulated = false, http = false;
	struct json_value w;
	for (struct json_walk rows = field_list(top, "/workers"); json_walk_next(&rows, NULL, &w);) {
		if (!field_is_true(w, "/is_alive"))
			continue;
		field_text(w, "/processor", name);
		simulated = simulated || strcmp(name, "simulated") == 0;
		http = http || strcmp(name, "http") == 0;
	}
	if (simulated && http)
		shown_line("processor", "MIXED: http, and simulated, which calls nobody");
	else if (simulated)
		shown_line("processor", "simulated: it calls nobody, and transactions become PROCESSED");
	else
		shown_line("processor", http ? "http" : "unknown: no worker names one");
}

static void print_overview(const struct inquiry *a)
{
	char health[FIELD_MAX], text[FIELD_MAX];
	struct json_value queue, problem;
	shown_line("health", field_text(a->top, "/health", health));
	for (struct json_walk w = field_list(a->top, "/problems"); json_walk_next(&w, NULL, &problem);)
		shown_line("problem", field_text(problem, "/detail", text));
	print_pauses(a->top, a->now_us);
	if (field_part(a->top, "/queue", &queue))
		print_queue(queue);
	print_workers(a->top, a->now_us);
	print_processor(a->top);
	if (field_number(a->top, "/operations_running") > 0)
		shown_format("operation", "%" PRId64 " running: \"retry --operations\"",
			field_number(a->top, "/operations_running"));
	shown_format("version", "%s, schema %" PRId64, PAYHOOK_VERSION, field_number(a->top, "/schema_version"));
}

static int health_status(const struct inquiry *a)
{
	char health[FIELD_MAX];
	field_text(a->top, "/health", health);
	if (strcmp(health, "ok") == 0)
		return EXIT_DONE;
	return strcmp(health, "attention") == 0 ? EXIT_ATTENTION : EXIT_DOWN;
}

int status_run(int argc, char **argv)
{
	static const struct statement OVERVIEW = {"overview", INQUIRY_SELECT " FROM payhook.console_overview()"};
	const struct db_params none = {0};
	bool json = false;
	const struct option options[] = {{.name = "--json", .flag = &json}};
	if (!options_read(options, COUNT_OF(options), argc, argv, NULL))
		return EXIT_WRONG;
	struct inquiry a = INQUIRY_INIT;
	int status = EXIT_DOWN;
	if (inquiry_ask(&a, &OVERVIEW, &none) && inquiry_open(&a)) {
		status = health_status(&a);
		if (json && inquiry_print(&a) != EXIT_DONE)
			status = EXIT_DOWN;
		else if (!json)
			print_overview(&a);
	} else if (a.exit_status == EXIT_WRONG) {
		status = EXIT_WRONG;
	}
	inquiry_finish(&a);
	return status;
}
