#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "base/buf.h"
#include "json/value.h"
#include "pg/db.h"

/* One call of a function behind the console's API, which docs/console-api.md describes: an HTTP status and JSON.  The
 * actor of an act is the database user, since the command connects as one. */

/* The columns of each statement, before " FROM payhook.console_...". */
#define INQUIRY_SELECT "SELECT status, body::text, to_char(now() AT TIME ZONE 'UTC', " DB_TIME_FORMAT ")"

#define INQUIRY_MAX (8 * 1024 * 1024) /* bytes of the JSON */

enum inquiry_exit {
	EXIT_DONE = 0,
	EXIT_NOTHING = 1, /* there is nothing by that name, or nothing to do; or the database cannot be asked */
	EXIT_WRONG = 2,   /* an argument or a setting is wrong */
};

struct inquiry {
	bool is_reached; /* the database has answered */
	int exit_status; /* enum inquiry_exit */
	int status;      /* HTTP's */
	struct buf body; /* the JSON */
	bool is_read;    /* top may be used */
	struct json_value top;
	int64_t now_us; /* the server's time */
};

#define INQUIRY_INIT ((struct inquiry){.body = BUF_INIT(INQUIRY_MAX)})

/* Calls the function, in place of the answer before.  Complains, sets exit_status and returns false if the settings have
 * an error, if the database cannot be asked, or if the status is 400 or more. */
MUST_USE bool inquiry_ask(struct inquiry *a, const struct statement *s, const struct db_params *params);

/* Whether the answer can be shown to people.  It is JSON as PostgreSQL writes it; one that is too long, or that is none
 * for json_scan(), is complained of, and exit_status is set. */
MUST_USE bool inquiry_open(struct inquiry *a);

/* Prints the JSON and a line feed, as shown_add_json() makes it fit for a terminal.  Returns the exit status. */
int inquiry_print(const struct inquiry *a);

void inquiry_finish(struct inquiry *a);
