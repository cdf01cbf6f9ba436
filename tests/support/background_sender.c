/* background_sender.c - webhooks all the while, from another process. */

#include "support/background_sender.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/base.h"
#include "support/instance.h"
#include "support/instance_database.h"
#include "support/load.h"

#define CONNECTIONS 4
#define PER_SECOND 100
#define STEP_MS 5
#define BEGIN_MS 10000
#define END_MS 15000

/* What the two processes share. */
struct background_sender_page {
	atomic_bool is_over;
	atomic_long answered;
	/* The next are written before the sender ends. */
	long begun, accepted;
	double slowest;
	char trouble[768];
};

static const char *const parts[] = {"nginx", "payhook-app", "payhook-worker", "multiwatch"};

static struct background_sender {
	pid_t pid;
	char prefix[64];
	struct background_sender_page *page;
	struct pids parts[COUNT_OF(parts)];
} background_sender;

static void post_all_the_while(const char *prefix, struct background_sender_page *page)
{
	static struct load l;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	l = (struct load){.prefix = prefix, .connections = CONNECTIONS, .per_second = PER_SECOND};
	load_open(&l);
	while (!page->is_over) {
		load_step(&l, STEP_MS);
		page->answered = l.answered;
	}
	load_end(&l, CALL_TIMEOUT_MS);
	page->begun = l.begun;
	page->accepted = l.accepted;
	page->answered = l.answered;
	page->slowest = l.slowest;
	snprintf(page->trouble, sizeof(page->trouble), "%s", l.trouble);
	_exit(0);
}

void background_sender_begin(void)
{
	struct background_sender *h = &background_sender;
	long long deadline = now_ms() + BEGIN_MS;

	fresh_id("honest", h->prefix);
	for (size_t n = 0; n < COUNT_OF(parts); n++)
		instance_parts(instance(), parts[n], &h->parts[n]);
	h->page = mmap(NULL, sizeof(*h->page), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	cr_assert(h->page != MAP_FAILED, "%s", strerror(errno));
	h->pid = fork();
	if (h->pid == 0)
		post_all_the_while(h->prefix, h->page);
	while (h->page->answered == 0) {
		cr_assert(now_ms() < deadline, "the honest sender gets no answer");
		pause_a_little();
	}
}

static void none_was_replaced(const struct background_sender *h)
{
	for (size_t n = 0; n < COUNT_OF(parts); n++) {
		struct pids now;
		instance_parts(instance(), parts[n], &now);
		cr_assert_eq(now.count, h->parts[n].count, "%d of %s, now %d", h->parts[n].count, parts[n], now.count);
		for (int i = 0; i < now.count; i++)
			cr_assert(process_in(&h->parts[n], now.list[i]), "a new %s", parts[n]);
	}
}

void background_sender_end_after_faults(void)
{
	static const char of_prefix[] =
		"SELECT count(*) FROM payhook.transactions WHERE starts_with(transaction_id, $1 || '-')";
	struct background_sender *h = &background_sender;
	int status;

	h->page->is_over = true;
	cr_assert(process_wait(h->pid, END_MS, &status), "the honest sender does not end");
	cr_assert_eq(status, 0, "the honest sender ended with %d", status);
	cr_assert(h->page->begun > 0 && h->page->accepted == h->page->begun, "%ld of %ld honest posts accepted: %s",
		h->page->accepted, h->page->begun, h->page->trouble);
	cr_assert_eq(database_number_of(of_prefix, h->prefix), h->page->accepted, "an accepted webhook is lost");
	cr_assert(h->page->slowest < BACKGROUND_SENDER_SECONDS, "an honest sender waited for %.3f s", h->page->slowest);
}

void background_sender_end(void)
{
	background_sender_end_after_faults();
	none_was_replaced(&background_sender);
}

long background_sender_posts(void)
{
	return background_sender.page->answered;
}
