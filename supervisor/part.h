#pragma once

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "base/base.h"
#include "base/fault.h"
#include "child.h"
#include "part_log.h"
#include "plan.h"

/* A part of payhook: a process that is started, started again when it ends, and stopped.
 *
 * A part that ends may leave children behind, which still hold its port or its socket.  They become children of the
 * supervisor, which is a subreaper (prctl(2), PR_SET_CHILD_SUBREAPER).  Every child of the supervisor that is neither
 * a part nor a step is therefore an orphan, and a part that has ended starts again only when there are none. */

enum part_state {
	PART_IDLE,     /* not started yet, or ended for good */
	PART_RUNS,     /* its process lives */
	PART_ORPHANED, /* its process has ended, and orphans may be left */
	PART_PAUSES,   /* will start again when a second has passed since its last start */
};

struct part_hooks {
	/* Lists the orphans. */
	void (*orphans)(void *arg, struct child_list *ret);
	/* The part was to stop, and has ended. */
	void (*gone)(void *arg);
	void *arg;
};

struct part {
	const struct plan_item *item;
	const char *run_folder;
	struct part_hooks hooks;
	struct part_log log;
	struct event *timer;
	enum part_state state;
	bool stops;       /* it was asked to end for good */
	int signals;      /* of those that ask it to end, how many were sent */
	pid_t pid;        /* while PART_RUNS */
	int64_t began_ms; /* time of the last start, by clock_ms() */
	int restarts;
};

/* Prepares a part and opens its log; the item and the folder's path stay borrowed.  False: call part_finish(). */
MUST_USE bool part_init(struct part *p, struct event_base *base, const struct plan *plan, const struct plan_item *item,
	struct part_hooks hooks, struct fault *f);

void part_finish(struct part *p);

/* Starts an idle part and writes its record, RUN_FOLDER/NAME.pid: "pid start restarts since", where start is in clock
 * ticks since boot and since in seconds since 1970.  After a failure, which is reported, it tries again a second
 * later. */
void part_start(struct part *p);

/* Its process has ended with this status of waitpid(), but is not reaped yet. */
void part_ended(struct part *p, int status);

/* Children of the supervisor have been reaped, and there are no orphans. */
void part_no_orphans(struct part *p);

/* Asks the part to end for good.  The hook gone may be called before this returns. */
void part_stop(struct part *p);

/* Makes the part open its own log again if that had to be renamed. */
void part_bound_own_log(const struct part *p, const char *log_folder);

/* Writes a record like that of a part. */
void part_record(const char *run_folder, const char *name, pid_t pid, int restarts);
