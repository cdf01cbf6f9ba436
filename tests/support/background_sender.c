/* background_sender.c - posts webhooks from a process of its own while a test disturbs payhook.  The process shares its
 * counts with the test in shared memory. */

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
#include "support/calm.h"
#include "support/instance.h"
#include "support/instance_database.h"
#include "support/load.h"

#define CONNECTIONS 4
#define PER_SECOND 100
#define STEP_MS 5
#define BEGIN_MS 10000
#define END_MS 15000

/* Memory that the test and the sending process share. */
struct background_sender_shared {
	atomic_bool is_over;
	atomic_long answered;
	/* The sending process writes the following members before it exits. */
	long begun, accepted;
	double slowest;
	char trouble[768];
};

static const char *const parts[] = {"nginx", "payhook-app", "payhook-worker", "multiwatch"};

static struct background_sender {
	pid_t pid;
	char prefix[64];
	struct background_sender_shared *shared;
	struct pids parts[COUNT_OF(parts)];
} background_sender;

static void post_all_the_while(const char *prefix, struct background_sender_shared *shared)
{
	static struct load l;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	l = (struct load){.prefix = prefix, .connections = CONNECTIONS, .per_second = PER_SECOND};
	load_open(&l);
	while (!shared->is_over) {
		load_step(&l, STEP_MS);
		shared->answered = l.answered;
	}
	load_end(&l, CALL_TIMEOUT_MS);
	shared->begun = l.begun;
	shared->accepted = l.accepted;
	shared->answered = l.answered;
	shared->slowest = l.slowest;
	snprintf(shared->trouble, sizeof(shared->trouble), "%s", l.trouble);
	_exit(0);
}

void background_sender_begin(void)
{
	struct background_sender *sender = &background_sender;
	long long deadline = calm_ms() + BEGIN_MS;

	fresh_id("honest", sender->prefix);
	for (size_t n = 0; n < COUNT_OF(parts); n++)
		instance_parts(instance(), parts[n], &sender->parts[n]);
	sender->shared = mmap(NULL, sizeof(*sender->shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	cr_assert(sender->shared != MAP_FAILED, "%s", strerror(errno));
	sender->pid = fork();
	if (sender->pid == 0)
		post_all_the_while(sender->prefix, sender->shared);
	while (sender->shared->answered == 0) {
		cr_assert(calm_ms() < deadline, "the honest sender gets no answer");
		pause_a_little();
	}
}

static void none_was_replaced(const struct background_sender *sender)
{
	for (size_t n = 0; n < COUNT_OF(parts); n++) {
		struct pids now;
		instance_parts(instance(), parts[n], &now);
		cr_assert_eq(now.count, sender->parts[n].count, "%d of %s, now %d", sender->parts[n].count, parts[n],
			now.count);
		for (int i = 0; i < now.count; i++)
			cr_assert(process_in(&sender->parts[n], now.list[i]), "a new %s", parts[n]);
	}
}

void background_sender_end_after_faults(void)
{
	static const char of_prefix[] =
		"SELECT count(*) FROM payhook.transactions WHERE starts_with(transaction_id, $1 || '-')";
	struct background_sender *sender = &background_sender;
	int status;

	sender->shared->is_over = true;
	cr_assert(process_wait(sender->pid, END_MS, &status), "the honest sender does not end");
	cr_assert_eq(status, 0, "the honest sender ended with %d", status);
	cr_assert(sender->shared->begun > 0 && sender->shared->accepted == sender->shared->begun,
		"%ld of %ld honest posts accepted: %s", sender->shared->accepted, sender->shared->begun,
		sender->shared->trouble);
	cr_assert_eq(
		database_number_of(of_prefix, sender->prefix), sender->shared->accepted, "an accepted webhook is lost");
	cr_assert(sender->shared->slowest < BACKGROUND_SENDER_SECONDS, "an honest sender waited for %.3f s",
		sender->shared->slowest);
}

void background_sender_end(void)
{
	background_sender_end_after_faults();
	none_was_replaced(&background_sender);
}

long background_sender_posts(void)
{
	return background_sender.shared->answered;
}
