/* recording_processor.c - the tests' HTTP server in a process of its own, its log in memory that is shared. */

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

#include "support/http_server.h"
#include "support/process.h"

#define CALLS_MAX 20000
#define KEY_MAX 96
#define TRACE_MAX 64
#define LOOK_MS 2
#define ANSWER_MS 10000 /* until the other process does what it is told */

struct recording_processor_page {
	atomic_int port; /* 0: not listening yet */
	atomic_bool holds_wanted;
	atomic_bool holds;
	atomic_int calls; /* those before are written */
	atomic_int looks_wanted;
	atomic_int looks;
	char keys[CALLS_MAX][KEY_MAX];
	char traces[CALLS_MAX][TRACE_MAX];
};

struct maintenance_connection {
	struct http_server *server;
	struct recording_processor_page *page;
};

static void note_calls(struct maintenance_connection *k)
{
	int heard = http_server_calls(k->server);

	for (int n = k->page->calls; n < heard && n < CALLS_MAX; n++) {
		const struct http_heard *call = http_server_heard(k->server, n);
		const char *key = http_heard_value(call, "Idempotency-Key");
		snprintf(k->page->keys[n], KEY_MAX, "%s", key == NULL ? "" : key);
		const char *trace = http_heard_value(call, "traceparent");
		snprintf(k->page->traces[n], TRACE_MAX, "%s", trace == NULL ? "" : trace);
		k->page->calls = n + 1;
	}
}

static void look(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	struct maintenance_connection *k = arg;
	int looks = k->page->looks_wanted;

	note_calls(k);
	k->page->looks = looks;
	if (k->page->holds_wanted == k->page->holds)
		return;
	if (k->page->holds_wanted)
		http_server_hold(k->server);
	else
		http_server_release(k->server);
	k->page->holds = k->page->holds_wanted;
}

static void keep(struct recording_processor_page *page, int delay_ms)
{
	struct event_base *base = event_base_new();
	struct maintenance_connection k = {.server = http_server_open(base), .page = page};
	struct event *timer = event_new(base, -1, EV_PERSIST, look, &k);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (delay_ms > 0)
		http_server_answer(k.server, INT_MAX, (struct http_answer){.delay_ms = delay_ms});
	event_add(timer, &(struct timeval){.tv_usec = LOOK_MS * 1000});
	page->port = http_server_port(k.server);
	event_base_dispatch(base);
	_exit(1);
}

void recording_processor_open(struct recording_processor *l, int delay_ms)
{
	long long deadline = now_ms() + ANSWER_MS;

	l->page = mmap(NULL, sizeof(*l->page), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	cr_assert(l->page != MAP_FAILED, "%s", strerror(errno));
	l->pid = fork();
	if (l->pid == 0)
		keep(l->page, delay_ms);
	while (l->page->port == 0) {
		cr_assert(now_ms() < deadline, "no server");
		pause_a_little();
	}
	snprintf(l->url, sizeof(l->url), "PROCESSOR_URL=http://127.0.0.1:%d/", l->page->port);
}

void recording_processor_close(struct recording_processor *l)
{
	kill(l->pid, SIGKILL);
	waitpid(l->pid, NULL, 0);
	munmap(l->page, sizeof(*l->page));
}

/* A call may be answered, and what came of it stored, before it is noted here: all calls so far, when this returns. */
static int calls_now(const struct recording_processor *l)
{
	long long deadline = now_ms() + ANSWER_MS;
	int look = ++l->page->looks_wanted;

	while (l->page->looks < look) {
		cr_assert(now_ms() < deadline, "the ledger's process does not answer");
		pause_a_little();
	}
	return l->page->calls;
}

static void set_hold(struct recording_processor *l, bool holds)
{
	long long deadline = now_ms() + ANSWER_MS;

	l->page->holds_wanted = holds;
	while (l->page->holds != holds) {
		cr_assert(now_ms() < deadline, "the server does not hear");
		pause_a_little();
	}
}

void recording_processor_hold(struct recording_processor *l)
{
	set_hold(l, true);
}

void recording_processor_release(struct recording_processor *l)
{
	set_hold(l, false);
}

int recording_processor_calls(const struct recording_processor *l, const char *prefix)
{
	size_t len = strlen(prefix);
	int calls = calls_now(l), count = 0;

	for (int n = 0; n < calls; n++)
		count += strncmp(l->page->keys[n], prefix, len) == 0 && l->page->keys[n][len] == '-';
	return count;
}

static int calls_among(const struct recording_processor *l, int calls, const char *id)
{
	int count = 0;

	for (int n = 0; n < calls; n++)
		count += strcmp(l->page->keys[n], id) == 0;
	return count;
}

int recording_processor_calls_of(const struct recording_processor *l, const char *id)
{
	return calls_among(l, calls_now(l), id);
}

const char *recording_processor_trace_of(const struct recording_processor *l, const char *id, int number)
{
	int calls = calls_now(l);

	for (int n = 0; n < calls; n++) {
		if (strcmp(l->page->keys[n], id) == 0 && number-- == 0)
			return l->page->traces[n];
	}
	return "";
}

long recording_processor_called(const struct recording_processor *l, const char *prefix, long count, int times)
{
	int calls = calls_now(l);
	long found = 0;

	for (long n = 0; n < count; n++) {
		char id[KEY_MAX];
		snprintf(id, sizeof(id), "%s-%ld", prefix, n);
		found += calls_among(l, calls, id) == times;
	}
	return found;
}

void recording_processor_wait(const struct recording_processor *l, const char *prefix, int calls, int timeout_ms)
{
	long long deadline = now_ms() + timeout_ms;

	while (recording_processor_calls(l, prefix) < calls) {
		cr_assert(now_ms() < deadline, "%d of %d calls", recording_processor_calls(l, prefix), calls);
		pause_a_little();
	}
}
