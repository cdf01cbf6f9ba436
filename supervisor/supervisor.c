/* supervisor.c - the order in which parts and steps are started and stopped, and what happens when one ends. */

#include "supervisor.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "message.h"
#include "part.h"

#define OWN_LOGS_S 5 /* how often the length of the logs that parts write themselves is looked at */
#define STEP_END_S 5 /* a step that was asked to end and has not ended by then is killed */

struct supervisor {
	struct event_base *base;
	const struct plan *plan;
	struct part parts[PLAN_ITEMS_MAX];
	int part_count;
	struct event *signals[4]; /* SIGCHLD, and those that stop */
	struct event *own_logs;   /* timer */
	struct event *step_end;   /* timer */
	int next;                 /* index of the item that is started next, or of the step that runs */
	pid_t step;               /* 0: none runs */
	bool is_up;               /* all items have been started */
	bool stops;
	bool is_over; /* all parts have ended for good */
	int wave;     /* that is stopping */
	int status;
};

/* Parts that have been stopped are idle, as are those of later waves that were never started. */
static bool wave_is_gone(const struct supervisor *s)
{
	for (int n = 0; n < s->part_count; n++)
		if (s->parts[n].item->wave == s->wave && s->parts[n].state != PART_IDLE)
			return false;
	return true;
}

static void stop_wave(struct supervisor *s)
{
	for (int n = 0; n < s->part_count; n++)
		if (s->parts[n].item->wave == s->wave && !s->parts[n].stops)
			part_stop(&s->parts[n]);
}

/* part_stop() may call this again through the hook; the wave that is stopping then counts on. */
static void supervisor_on_gone(void *arg)
{
	struct supervisor *s = arg;
	while (s->wave <= PLAN_ITEMS_MAX && wave_is_gone(s)) {
		s->wave++;
		stop_wave(s);
	}
	if (s->wave > PLAN_ITEMS_MAX) {
		s->is_over = true;
		event_base_loopbreak(s->base);
	}
}

static void begin_waves(struct supervisor *s)
{
	s->wave = -1;
	supervisor_on_gone(s);
}

/* The last step writes this file before it announces that payhook is ready; other commands read it. */
static const char *port_file(const struct supervisor *s)
{
	static char path[4096];
	snprintf(path, sizeof path, "%s/port", s->plan->run_folder);
	return path;
}

/* The parts are stopped when the step has ended, which may be using them. */
static void stop(struct supervisor *s, int status)
{
	s->stops = true;
	s->status = status;
	unlink(port_file(s));
	if (!s->step) {
		begin_waves(s);
		return;
	}
	child_signal_group(s->step, SIGTERM);
	evtimer_add(s->step_end, &(struct timeval){.tv_sec = STEP_END_S});
}

static void supervisor_on_step_end(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	const struct supervisor *s = arg;
	if (s->step)
		child_signal_group(s->step, SIGKILL);
}

static void supervisor_on_stop(evutil_socket_t number, short what, void *arg)
{
	(void)what;
	struct supervisor *s = arg;
	if (s->stops)
		return;
	bool was_ready = s->is_up || access(port_file(s), F_OK) == 0;
	message(was_ready ? "stopping" : "interrupted");
	stop(s, was_ready ? 0 : 128 + (int)number);
}

static struct part *part_of(struct supervisor *s, const struct plan_item *item)
{
	for (int n = 0; n < s->part_count; n++)
		if (s->parts[n].item == item)
			return &s->parts[n];
	return NULL;
}

static void all_started(struct supervisor *s)
{
	s->is_up = true;
	if (s->plan->detach)
		message_detach();
	for (int n = 0; n < s->part_count && !s->plan->detach; n++)
		s->parts[n].log.is_shown = true;
}

/* Starts the next items, up to a step; its end continues. */
static void start_items(struct supervisor *s)
{
	struct fault f;
	for (; s->next < s->plan->count; s->next++) {
		const struct plan_item *item = &s->plan->items[s->next];
		if (item->is_part) {
			part_start(part_of(s, item));
			continue;
		}
		struct child_spec spec = {.command = item->command,
			.environment = item->environment,
			.output = -1,
			.death_signal = SIGTERM};
		if (!child_start(&spec, &s->step, &f)) {
			message("%s: %s", item->name, f.text);
			stop(s, 1);
		}
		return;
	}
	all_started(s);
}

static void step_ended(struct supervisor *s, int status)
{
	char how[CHILD_END_MAX];
	s->step = 0;
	if (s->stops) {
		begin_waves(s);
	} else if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		s->next++;
		start_items(s);
	} else {
		/* A step that exits has reported the reason itself. */
		if (WIFSIGNALED(status))
			message("%s ended (%s)", s->plan->items[s->next].name, child_end_text(status, how));
		stop(s, WIFEXITED(status) ? WEXITSTATUS(status) : 1);
	}
}

static void supervisor_orphans(void *arg, struct child_list *ret)
{
	const struct supervisor *s = arg;
	struct child_list all;
	child_list_of(getpid(), &all);
	ret->count = 0;
	for (int n = 0; n < all.count; n++) {
		bool is_known = all.pids[n] == s->step;
		for (int m = 0; m < s->part_count; m++)
			is_known = is_known || all.pids[n] == s->parts[m].pid;
		if (!is_known)
			ret->pids[ret->count++] = all.pids[n];
	}
}

static void reaped(struct supervisor *s)
{
	struct child_list orphans;
	supervisor_orphans(s, &orphans);
	for (int n = 0; n < s->part_count && orphans.count == 0; n++)
		part_no_orphans(&s->parts[n]);
}

/* A part's process is looked at before it is reaped; see part_ended(). */
static void supervisor_on_child(evutil_socket_t number, short what, void *arg)
{
	(void)number, (void)what;
	struct supervisor *s = arg;
	siginfo_t info;
	int status;
	while (info.si_pid = 0, waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid > 0) {
		pid_t pid = info.si_pid;
		status = info.si_code == CLD_EXITED ? info.si_status << 8 : info.si_status & 0x7f;
		for (int n = 0; n < s->part_count; n++)
			if (s->parts[n].pid == pid)
				part_ended(&s->parts[n], status);
		waitpid(pid, &status, 0);
		if (pid == s->step)
			step_ended(s, status);
	}
	reaped(s);
}

static void supervisor_on_own_logs(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	struct supervisor *s = arg;
	for (int n = 0; n < s->part_count; n++)
		part_bound_own_log(&s->parts[n], s->plan->log_folder);
}

/* As after "nohup ./payhook up &". */
static bool is_ignored(int number)
{
	struct sigaction now;
	return sigaction(number, NULL, &now) == 0 && now.sa_handler == SIG_IGN;
}

static bool add_events(struct supervisor *s, struct fault *f)
{
	static const int stops[] = {SIGINT, SIGTERM, SIGHUP};
	bool ok = (s->signals[0] = evsignal_new(s->base, SIGCHLD, supervisor_on_child, s)) &&
		  event_add(s->signals[0], NULL) == 0;
	for (size_t n = 0; n < COUNT_OF(stops); n++)
		if (stops[n] != SIGHUP || !is_ignored(SIGHUP))
			ok = ok && (s->signals[n + 1] = evsignal_new(s->base, stops[n], supervisor_on_stop, s)) &&
			     event_add(s->signals[n + 1], NULL) == 0;
	ok = ok && (s->step_end = evtimer_new(s->base, supervisor_on_step_end, s)) &&
	     (s->own_logs = event_new(s->base, -1, EV_PERSIST, supervisor_on_own_logs, s)) &&
	     event_add(s->own_logs, &(struct timeval){.tv_sec = OWN_LOGS_S}) == 0;
	return ok || fault_set(f, FAULT_BUSY, "no memory for signals and timers");
}

static bool prepare(struct supervisor *s, struct fault *f)
{
	struct part_hooks hooks = {supervisor_orphans, supervisor_on_gone, s};
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0)
		return fault_set(f, FAULT_BUG, "prctl: %s", strerror(errno));
	for (int n = 0; n < s->plan->count; n++)
		if (s->plan->items[n].is_part &&
			!part_init(&s->parts[s->part_count++], s->base, s->plan, &s->plan->items[n], hooks, f))
			return false;
	return add_events(s, f);
}

static void finish(struct supervisor *s)
{
	struct event *events[] = {s->signals[0], s->signals[1], s->signals[2], s->signals[3], s->step_end, s->own_logs};
	for (int n = 0; n < s->part_count; n++)
		part_finish(&s->parts[n]);
	for (size_t n = 0; n < COUNT_OF(events); n++)
		if (events[n])
			event_free(events[n]);
}

int supervisor_run(struct event_base *base, const struct plan *plan)
{
	static struct supervisor s;
	struct fault f;
	s = (struct supervisor){.base = base, .plan = plan};
	if (prepare(&s, &f)) {
		part_record(plan->run_folder, "payhook", getpid(), 0);
		start_items(&s);
		/* The loop would not know that it has been ended before it began. */
		if (!s.is_over)
			event_base_dispatch(base);
	} else {
		message("cannot start: %s", f.text);
		s.status = 1;
	}
	finish(&s);
	return s.status;
}
