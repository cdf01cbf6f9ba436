/* part.c - starts, restarts and stops one part. */

#include "part.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "message.h"

#define STEADY_MS 1000 /* the least time between two starts */
#define ORPHANS_MS 500 /* orphans that have not ended by then are killed */
#define LAST_MS 3000   /* from the second signal to SIGKILL */

static void part_timer_set(struct part *p, int ms)
{
	struct timeval after = clock_timeval(ms);
	evtimer_add(p->timer, &after);
}

void part_record(const char *run_folder, const char *name, pid_t pid, int restarts)
{
	char path[4096];
	snprintf(path, sizeof path, "%s/%s.pid", run_folder, name);
	FILE *file = fopen(path, "we");
	if (!file) {
		message("%s: %s", path, strerror(errno));
		return;
	}
	fprintf(file, "%d %llu %d %lld\n", (int)pid, child_start_ticks(pid), restarts, (long long)time(NULL));
	fclose(file);
}

void part_start(struct part *p)
{
	struct fault f;
	struct child_spec spec = {
		.command = p->item->command,
		.environment = p->item->environment,
		.user = p->item->user,
		.output = p->log.pipe[1],
		.death_signal = p->item->stop,
	};
	p->began_ms = clock_ms();
	if (!child_start(&spec, &p->pid, &f)) {
		message("%s: %s", p->item->name, f.text);
		p->state = PART_PAUSES;
		part_timer_set(p, STEADY_MS);
		return;
	}
	p->state = PART_RUNS;
	part_record(p->run_folder, p->item->name, p->pid, p->restarts);
}

static void start_again(struct part *p)
{
	int64_t wait_ms = p->began_ms + STEADY_MS - clock_ms();
	if (wait_ms <= 0) {
		part_start(p);
		return;
	}
	p->state = PART_PAUSES;
	part_timer_set(p, (int)wait_ms);
}

/* The orphans of a part are still in its process group.  Its number cannot be taken by others before the part's
 * process is reaped. */
void part_ended(struct part *p, int status)
{
	char how[CHILD_END_MAX];
	if (!p->stops) {
		p->restarts++;
		message("%s ended (%s); starting it again", p->item->name, child_end_text(status, how));
	}
	if (p->item->orphans)
		kill(-p->pid, p->item->orphans);
	p->state = PART_ORPHANED;
	p->pid = 0;
	part_timer_set(p, ORPHANS_MS);
}

void part_no_orphans(struct part *p)
{
	if (p->state != PART_ORPHANED)
		return;
	evtimer_del(p->timer);
	if (!p->stops) {
		start_again(p);
		return;
	}
	p->state = PART_IDLE;
	p->hooks.gone(p->hooks.arg);
}

static void kill_orphans(struct part *p)
{
	struct child_list list;
	p->hooks.orphans(p->hooks.arg, &list);
	for (int n = 0; n < list.count; n++)
		kill(list.pids[n], SIGKILL);
	part_timer_set(p, ORPHANS_MS);
}

/* SIGCONT first, so that frozen processes receive the signal.  In this order because a process that handles the signal
 * may stop itself on purpose: the leak sanitizer attaches to its process like a debugger, and hangs if SIGCONT resumes
 * it. */
static void ask_to_end(struct part *p)
{
	p->signals++;
	child_signal_descendants(p->pid, SIGCONT);
	kill(p->pid, SIGCONT);
	kill(p->pid, p->signals == 1 ? p->item->stop : p->item->stop_again);
	part_timer_set(p, p->signals == 1 ? p->item->patience_ms : LAST_MS);
}

static void end_slow(struct part *p)
{
	if (p->signals == 1) {
		message("%s did not stop within %d s; ending it", p->item->name, p->item->patience_ms / 1000);
		ask_to_end(p);
		return;
	}
	child_signal_descendants(p->pid, SIGKILL);
	kill(p->pid, SIGKILL);
}

static void part_on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	struct part *p = arg;
	switch (p->state) {
	case PART_PAUSES:
		part_start(p);
		break;
	case PART_ORPHANED:
		kill_orphans(p);
		break;
	case PART_RUNS:
		end_slow(p);
		break;
	case PART_IDLE:
		break;
	}
}

void part_stop(struct part *p)
{
	p->stops = true;
	if (p->state == PART_RUNS) {
		ask_to_end(p);
	} else if (p->state != PART_ORPHANED) {
		evtimer_del(p->timer);
		p->state = PART_IDLE;
		p->hooks.gone(p->hooks.arg);
	}
}

void part_bound_own_log(const struct part *p, const char *log_folder)
{
	if (p->state == PART_RUNS && p->item->own_log &&
		part_log_rename_own(log_folder, p->item->own_log, PART_LOG_MOST))
		kill(p->pid, p->item->reopen);
}

bool part_init(struct part *p, struct event_base *base, const struct plan *plan, const struct plan_item *item,
	struct part_hooks hooks, struct fault *f)
{
	*p = (struct part){.item = item, .run_folder = plan->run_folder, .hooks = hooks};
	p->timer = evtimer_new(base, part_on_timer, p);
	if (!p->timer)
		return fault_set(f, FAULT_BUSY, "no memory for the timer of %s", item->name);
	return part_log_open(&p->log, base, plan->log_folder, item->name, f);
}

void part_finish(struct part *p)
{
	part_log_close(&p->log);
	if (p->timer)
		event_free(p->timer);
	*p = (struct part){0};
}
