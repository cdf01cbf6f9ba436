#pragma once

#include "base/base.h"
#include "pg/connection.h"

/* Notifies the workers after a commit that added jobs: at most one NOTIFY every NOTIFIER_REST_MS, on a connection of
 * its own.  Before it, the jobs that the commit parked are activated, so that a worker finds them.
 *
 * NOTIFY is never part of the transaction that stores: PostgreSQL takes a cluster-wide lock for it and holds that lock
 * until after the flush (PreCommit_Notify() in src/backend/commands/async.c), which would end group commit.  A
 * notification is a hint: a lost one delays its jobs by about half a second, since the workers look for jobs by
 * themselves. */

#define NOTIFIER_REST_MS 5

struct notifier;

/* connect_state must outlive it.  Returns NULL if out of memory. */
MUST_USE struct notifier *notifier_create(struct connect_state *connect_state);
void notifier_destroy(struct notifier *n); /* accepts NULL; a notification not yet sent is dropped */

/* To be called after the commit that added jobs, and for each lane in which it parked one.  Neither waits, and neither
 * fails.  If a lane cannot be activated, a look of the workers finds it. */
void notifier_mark(struct notifier *n);
void notifier_activate(struct notifier *n, int64_t lane);
