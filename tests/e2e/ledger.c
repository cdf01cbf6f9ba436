/* ledger.c - the tests' HTTP server in a process of its own, its log in memory that is shared. */

#include "ledger.h"

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

#include "../integration/http_server.h"
#include "process.h"

#define CALLS_MAX 20000
#define KEY_MAX 96
#define TRACE_MAX 64
#define LOOK_MS 2
#define ANSWER_MS 10000 /* until the other process does what it is told */

struct ledger_page {
	atomic_int port; /* 0: not listening yet */
	atomic_bool holds_wanted;
	atomic_bool holds;
	atomic_int calls; /* those before are written */
	atomic_int looks_wanted;
	atomic_int looks;
	char keys[CALLS_MAX][KEY_MAX];
	char traces[CALLS_MAX][TRACE_MAX];
};

struct keeper {
	struct http_server *server;
	struct ledger_page *page;
};

static void note_calls(struct keeper *k)
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
	struct keeper *k = arg;
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

static void keep(struct ledger_page *page, int delay_ms)
{
	struct event_base *base = event_base_new();
	struct keeper k = {.server = http_server_open(base), .page = page};
	struct event *timer = event_new(base, -1, EV_PERSIST, look, &k);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (delay_ms > 0)
		http_server_answer(k.server, INT_MAX, (struct http_answer){.delay_ms = delay_ms});
	event_add(timer, &(struct timeval){.tv_usec = LOOK_MS * 1000});
	page->port = http_server_port(k.server);
	event_base_dispatch(base);
	_exit(1);
}

void ledger_open(struct ledger *l, int delay_ms)
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

void ledger_close(struct ledger *l)
{
	kill(l->pid, SIGKILL);
	waitpid(l->pid, NULL, 0);
	munmap(l->page, sizeof(*l->page));
}

/* A call may be answered, and what came of it stored, before it is noted here: all calls so far, when this returns. */
static int calls_now(const struct ledger *l)
{
	long long deadline = now_ms() + ANSWER_MS;
	int look = ++l->page->looks_wanted;

	while (l->page->looks < look) {
		cr_assert(now_ms() < deadline, "the ledger's process does not answer");
		pause_a_little();
	}
	return l->page->calls;
}

static void set_hold(struct ledger *l, bool holds)
{
	long long deadline = now_ms() + ANSWER_MS;

	l->page->holds_wanted = holds;
	while (l->page->holds != holds) {
		cr_assert(now_ms() < deadline, "the server does not hear");
		pause_a_little();
	}
}

void ledger_hold(struct ledger *l)
{
	set_hold(l, true);
}

void ledger_release(struct ledger *l)
{
	set_hold(l, false);
}

int ledger_calls(const struct ledger *l, const char *prefix)
{
	size_t len = strlen(prefix);
	int calls = calls_now(l), count = 0;

	for (int n = 0; n < calls; n++)
		count += strncmp(l->page->keys[n], prefix, len) == 0 && l->page->keys[n][len] == '-';
	return count;
}

static int calls_among(const struct ledger *l, int calls, const char *id)
{
	int count = 0;

	for (int n = 0; n < calls; n++)
		count += strcmp(l->page->keys[n], id) == 0;
	return count;
}

int ledger_calls_of(const struct ledger *l, const char *id)
{
	return calls_among(l, calls_now(l), id);
}

const char *ledger_trace_of(const struct ledger *l, const char *id, int number)
{
	int calls = calls_now(l);

	for (int n = 0; n < calls; n++) {
		if (strcmp(l->page->keys[n], id) == 0 && number-- == 0)
			return l->page->traces[n];
	}
	return "";
}

long ledger_called(const struct ledger *l, const char *prefix, long count, int times)
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

void ledger_wait(const struct ledger *l, const char *prefix, int calls, int timeout_ms)
{
	long long deadline = now_ms() + timeout_ms;

	while (ledger_calls(l, prefix) < calls) {
		cr_assert(now_ms() < deadline, "%d of %d calls", ledger_calls(l, prefix), calls);
		pause_a_little();
	}
}
