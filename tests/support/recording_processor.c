/* recording_processor.c - the tests' HTTP server in a process of its own, with its log of calls in shared memory. */

#include "support/recording_processor.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>
#include <event2/event.h>

#include "support/calm.h"
#include "support/http_server.h"
#include "support/process.h"

#define CALLS_MAX 20000
#define KEY_MAX 96
#define TRACE_MAX 64
#define LOOK_MS 2
#define ANSWER_MS 10000 /* time allowed for the other process to follow a command */

struct recording_processor_shared {
	atomic_int port; /* 0: not listening yet */
	atomic_bool holds_wanted;
	atomic_bool holds;
	atomic_int calls; /* the entries before this index are complete */
	atomic_int looks_wanted;
	atomic_int looks;
	char keys[CALLS_MAX][KEY_MAX];
	char traces[CALLS_MAX][TRACE_MAX];
};

struct server_process {
	struct http_server *server;
	struct recording_processor_shared *shared;
};

static void note_calls(struct server_process *s)
{
	int heard = http_server_calls(s->server);

	for (int n = s->shared->calls; n < heard && n < CALLS_MAX; n++) {
		const struct http_heard *call = http_server_heard(s->server, n);
		const char *key = http_heard_value(call, "Idempotency-Key");
		snprintf(s->shared->keys[n], KEY_MAX, "%s", key == NULL ? "" : key);
		const char *trace = http_heard_value(call, "traceparent");
		snprintf(s->shared->traces[n], TRACE_MAX, "%s", trace == NULL ? "" : trace);
		s->shared->calls = n + 1;
	}
}

static void look(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	struct server_process *s = arg;
	int looks = s->shared->looks_wanted;

	note_calls(s);
	s->shared->looks = looks;
	if (s->shared->holds_wanted == s->shared->holds)
		return;
	if (s->shared->holds_wanted)
		http_server_hold(s->server);
	else
		http_server_release(s->server);
	s->shared->holds = s->shared->holds_wanted;
}

static void serve(struct recording_processor_shared *shared, int delay_ms)
{
	struct event_base *base = event_base_new();
	struct server_process s = {.server = http_server_open(base), .shared = shared};
	struct event *timer = event_new(base, -1, EV_PERSIST, look, &s);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (delay_ms > 0)
		http_server_answer(s.server, INT_MAX, (struct http_answer){.delay_ms = delay_ms});
	event_add(timer, &(struct timeval){.tv_usec = LOOK_MS * 1000});
	shared->port = http_server_port(s.server);
	event_base_dispatch(base);
	_exit(1);
}

void recording_processor_open(struct recording_processor *p, int delay_ms)
{
	long long deadline = calm_ms() + ANSWER_MS;

	p->shared = mmap(NULL, sizeof(*p->shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	cr_assert(p->shared != MAP_FAILED, "%s", strerror(errno));
	p->pid = fork();
	if (p->pid == 0)
		serve(p->shared, delay_ms);
	while (p->shared->port == 0) {
		cr_assert(calm_ms() < deadline, "no server");
		pause_a_little();
	}
	snprintf(p->url, sizeof(p->url), "PROCESSOR_URL=http://127.0.0.1:%d/", p->shared->port);
}

void recording_processor_close(struct recording_processor *p)
{
	kill(p->pid, SIGKILL);
	waitpid(p->pid, NULL, 0);
	munmap(p->shared, sizeof(*p->shared));
}

/* A call may be answered, and its result stored, before it is entered in the log.  Waits until all calls made so far
 * are entered. */
static int calls_now(const struct recording_processor *p)
{
	long long deadline = calm_ms() + ANSWER_MS;
	int look = ++p->shared->looks_wanted;

	while (p->shared->looks < look) {
		cr_assert(calm_ms() < deadline, "the ledger's process does not answer");
		pause_a_little();
	}
	return p->shared->calls;
}

static void set_hold(struct recording_processor *p, bool holds)
{
	long long deadline = calm_ms() + ANSWER_MS;

	p->shared->holds_wanted = holds;
	while (p->shared->holds != holds) {
		cr_assert(calm_ms() < deadline, "the server does not hear");
		pause_a_little();
	}
}

void recording_processor_hold(struct recording_processor *p)
{
	set_hold(p, true);
}

void recording_processor_release(struct recording_processor *p)
{
	set_hold(p, false);
}

int recording_processor_calls(const struct recording_processor *p, const char *prefix)
{
	size_t len = strlen(prefix);
	int calls = calls_now(p), count = 0;

	for (int n = 0; n < calls; n++)
		count += strncmp(p->shared->keys[n], prefix, len) == 0 && p->shared->keys[n][len] == '-';
	return count;
}

static int calls_among(const struct recording_processor *p, int calls, const char *id)
{
	int count = 0;

	for (int n = 0; n < calls; n++)
		count += strcmp(p->shared->keys[n], id) == 0;
	return count;
}

int recording_processor_calls_of(const struct recording_processor *p, const char *id)
{
	return calls_among(p, calls_now(p), id);
}

const char *recording_processor_trace_of(const struct recording_processor *p, const char *id, int number)
{
	int calls = calls_now(p);

	for (int n = 0; n < calls; n++) {
		if (strcmp(p->shared->keys[n], id) == 0 && number-- == 0)
			return p->shared->traces[n];
	}
	return "";
}

long recording_processor_called(const struct recording_processor *p, const char *prefix, long count, int times)
{
	int calls = calls_now(p);
	long found = 0;

	for (long n = 0; n < count; n++) {
		char id[KEY_MAX];
		snprintf(id, sizeof(id), "%s-%ld", prefix, n);
		found += calls_among(p, calls, id) == times;
	}
	return found;
}

void recording_processor_wait(const struct recording_processor *p, const char *prefix, int calls, int timeout_ms)
{
	long long deadline = calm_ms() + timeout_ms;

	while (recording_processor_calls(p, prefix) < calls) {
		cr_assert(calm_ms() < deadline, "%d of %d calls", recording_processor_calls(p, prefix), calls);
		pause_a_little();
	}
}
