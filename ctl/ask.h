#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "base/fault.h"
#include "pg/db.h"

/* One statement, asked of the database that the settings name. */

/* Called once with the answer, which is borrowed for the call. */
typedef void ask_answer(void *ctx, const struct pg_result *r);

/* Sends the statement on a connection as the programs make it, and waits for the answer, ASK_MS at most.  Gives up
 * after a few attempts to connect, each of which tries every host.  False: there was no answer; *f is the reason, and
 * may have the server's own words. */
#define ASK_MS 15000
MUST_USE bool ask_server(const char *conninfo, const struct statement *s, const struct db_params *params,
	ask_answer *answer, void *ctx, struct fault *f);

/* The connection string in the settings.  Complains and returns NULL if a setting has an error, or if they name no
 * database. */
MUST_USE const char *ask_database(void);

/* Waits for so long, for a command that asks again. */
void ask_wait(int64_t ms);
