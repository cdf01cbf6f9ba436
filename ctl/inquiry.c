/* inquiry.c - calls a function of the console and keeps its answer.
 *
 * The statement is sent once: an act whose connection breaks is not repeated, since nobody knows whether it was done; the
 * list of actions shows it.  Errors of the server and details of an answer may quote what a sender chose, so they are
 * printed without control characters. */

#include "inquiry.h"

#include <stdio.h>
#include <string.h>

#include "ask.h"
#include "base/clock.h"
#include "base/utf8.h"
#include "ctl.h"
#include "field.h"
#include "json/scan.h"
#include "shown.h"

/* Prints an error with a text from outside. */
static void complain_of(const char *before, const char *text, const char *behind)
{
	char shown[FIELD_MAX];
	fprintf(stderr, CTL_PROGRAM ": %s%s%s\n", before, utf8_printable(shown, sizeof shown, text), behind);
}

/* Why the database did not answer, and what to do. */
static void complain_of_database(const struct fault *f)
{
	const char *hint = "";
	if (strstr(f->text, "reports 42883") || strstr(f->text, "reports 3F000"))
		hint = "; its schema is of an earlier version: migrate it, as an upgrade does";
	else if (strstr(f->text, "reports 42501"))
		hint = "; connect as the owner of the tables or as a member of payhook_operator";
	complain_of("the database cannot be asked: ", f->text, hint);
}

static void inquiry_on_row(void *ctx, const struct pg_result *r)
{
	struct inquiry *a = ctx;
	if (db_rows(r) != 1)
		return;
	a->is_reached = true;
	a->status = (int)db_int8(r, 0, 0);
	buf_add_text(&a->body, db_text(r, 0, 1));
	if (!clock_read_us(db_text(r, 0, 2), &a->now_us))
		a->now_us = 0;
}

/* The detail of an answer from 400 on. */
static void complain_of_problem(struct inquiry *a)
{
	char detail[FIELD_MAX];
	a->exit_status = a->status == 422 ? EXIT_WRONG : EXIT_NOTHING;
	if (inquiry_open(a))
		complain_of("", field_text(a->top, "/detail", detail), "");
}

bool inquiry_ask(struct inquiry *a, const struct statement *s, const struct db_params *params)
{
	const char *database = ask_database();
	struct fault f;
	buf_reset(&a->body, INQUIRY_MAX);
	a->is_reached = a->is_read = false;
	a->exit_status = database ? EXIT_NOTHING : EXIT_WRONG;
	if (!database)
		return false;
	fault_write(&f, FAULT_BUG, "it returned no row");
	if (!ask_server(database, s, params, inquiry_on_row, a, &f) || !a->is_reached) {
		complain_of_database(&f);
		return false;
	}
	if (a->status >= 400) {
		complain_of_problem(a);
		return false;
	}
	a->exit_status = EXIT_DONE;
	return true;
}

bool inquiry_open(struct inquiry *a)
{
	struct fault f;
	fault_write(&f, FAULT_TOO_LARGE, "it has more than %d bytes", INQUIRY_MAX);
	if (!buf_ok(&a->body) || !a->body.data || !json_scan(a->body.data, a->body.len, &f)) {
		a->exit_status = EXIT_NOTHING;
		complain_of("the answer cannot be shown: ", f.text, "; take a smaller --limit, or --json");
		return false;
	}
	a->is_read = true;
	a->top = json_value_of(a->body.data, a->body.len);
	return true;
}

int inquiry_print(const struct inquiry *a)
{
	struct buf shown = BUF_INIT(2 * INQUIRY_MAX);
	if (a->body.data)
		shown_add_json(&shown, a->body.data);
	bool is_whole = buf_ok(&a->body) && buf_ok(&shown) && shown.data;
	if (!is_whole)
		ctl_complain("the answer is too long; take a smaller --limit");
	else if (puts(shown.data) < 0 || fflush(stdout) != 0 || ferror(stdout))
		ctl_complain("the answer cannot be written to standard output");
	buf_finish(&shown);
	return is_whole && !ferror(stdout) ? EXIT_DONE : EXIT_NOTHING;
}

void inquiry_finish(struct inquiry *a)
{
	buf_finish(&a->body);
}
