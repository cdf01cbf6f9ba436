#pragma once

#include "base/base.h"
#include "pg/connection.h"

/* Wakes the workers after a commit that brought jobs: at most one NOTIFY every NOTIFIER_REST_MS, on a connection of
 * its own.
 *
 * Never in the transaction that stores: NOTIFY takes a lock of the whole cluster and keeps it until after the flush
 * (PreCommit_Notify() in PostgreSQL's src/backend/commands/async.c).  A notification is a hint; one that is lost
 * costs the job a second, since the workers look for themselves. */

#define NOTIFIER_REST_MS 5

struct notifier;

/* NULL: out of memory. */
MUST_USE struct notifier *notifier_create(struct connect_state *connect_state);
void notifier_destroy(struct notifier *n);

/* There are new jobs, and their commit has come back. */
void notifier_mark(struct notifier *n);
