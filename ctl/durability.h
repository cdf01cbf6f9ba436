#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "base/base.h"

/* What a PostgreSQL server says about itself, and whether that keeps the promise of a 202: the transaction is not lost.
 *
 * Read by a session of the programs' role, since a role and a database can override synchronous_commit.  The texts are
 * those of SHOW; they are borrowed. */
struct durability {
	bool is_standby;       /* in recovery: it accepts no writes */
	const char *read_only; /* default_transaction_read_only */
	const char *fsync;
	const char *full_page_writes;
	const char *data_checksums;
	const char *commit;        /* synchronous_commit */
	const char *standby_names; /* synchronous_standby_names; "" if no commit waits for a standby */
	int standbys;              /* that stream now, synchronous or not */
	int synchronous;           /* those among them that a commit may wait for; 0 unless sees_standbys */
	bool sees_standbys;        /* the role may read their state (pg_read_all_stats) */
};

/* The number of standbys that a commit waits for, by the text of synchronous_standby_names: 2 of "FIRST 2 (a, b, c)", 1
 * of "a, b", 0 of "". */
int durability_needed(const char *standby_names);

/* Prints a line for each setting: its name, its value, "ok", "note" or "NOT KEPT", and what that means; then a line that
 * begins with "Promise: ".  Returns whether the promise is kept. */
MUST_USE bool durability_print(const struct durability *d, FILE *out);
