#pragma once

#include <stdint.h>

#include "json/value.h"

/* The lists of the console: "ls", "sources" and "actions".  Each command returns the exit status. */

int ls_run(int argc, char **argv);
int sources_run(int argc, char **argv);
int actions_run(int argc, char **argv);

/* Prints rows as those of the console's list of transactions, or of a payment's events; nothing if there is none.  Shared
 * with the other commands that show transactions. */
void listing_transactions(struct json_walk rows, int64_t now_us, const char *indent);

/* The same for rows of the list of actions. */
void listing_actions(struct json_walk rows, int64_t now_us, const char *indent);
