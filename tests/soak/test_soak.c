/* test_soak.c - a hundred thousand transactions wait for 20 s in one worker, which uses hardly any processor time for
 * them.  The worker is paused until all are accepted, so that how fast they are accepted does not matter: they begin to
 * wait together. */

#include <criterion/criterion.h>

#include "support/faults.h"
#include "support/instance.h"
#include "support/instance_database.h"
#include "support/load.h"

#define COUNT 100000
#define DELAY_MS 20000
#define LATE_MS 5000 /* from the end of the last call to the last settlement */
#define MEMORY_MOST_KB 153600
#define BUSY_MOST 0.05       /* of one core, while all of them wait */
#define WINDOW_LEAST_MS 2000 /* shortest measured period of such waiting, longer than the interval between heartbeats */

const char *const instance_settings[] = {"PROCESSOR_DELAY_MS=20000", NULL};

#define CLAIMED "SELECT count(*) FROM payhook.jobs WHERE owner IS NOT NULL"
#define LEFT "SELECT count(*) FROM payhook.jobs"
#define PROCESSED "SELECT count(*) FROM payhook.transactions WHERE status = 'PROCESSED'"
/* In milliseconds since 1970, by the clock of the database, as processed_at is. */
#define RESUME "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint FROM (SELECT payhook.resume()) r"
#define LATEST "SELECT (extract(epoch FROM max(processed_at)) * 1000)::bigint FROM payhook.transactions"
#define SOONEST "SELECT (extract(epoch FROM min(processed_at)) * 1000)::bigint FROM payhook.transactions"

/* The share of one core that a process uses until the deadline. */
static double busy_until(pid_t pid, long long until_ms)
{
	long long since = now_ms(), before = process_cpu_ms(pid);

	while (now_ms() < until_ms)
		pause_a_little();
	return (double)(process_cpu_ms(pid) - before) / (double)(now_ms() - since);
}

Test(soak, a_hundred_thousand_waiting_transactions_cost_one_worker_little, .timeout = 200)
{
	struct load l = {.prefix = "soak", .connections = 64, .posts = COUNT};
	pid_t worker = instance_first(instance(), "payhook-worker");
	long long began = now_ms();

	cr_assert(worker > 0);
	database_number("SELECT 1 FROM (SELECT payhook.pause()) p");
	load_open(&l);
	cr_assert(load_until(&l, COUNT, 60000), "%ld of %d answered", l.answered, COUNT);
	cr_assert_eq(l.accepted, COUNT, "%s", l.trouble);
	cr_assert_eq(database_number(CLAIMED), 0, "the pause has not held");
	long long accepted = now_ms(), resumed = database_number(RESUME);
	cr_assert_eq(database_wait(CLAIMED, NULL, COUNT, 10000), COUNT, "they did not wait all at once");
	/* From here to the end of the first one, the worker has nothing to do. */
	long long waiting = now_ms(), first_end = accepted + DELAY_MS - 500;
	cr_assert(first_end - waiting >= WINDOW_LEAST_MS, "claiming took %lld ms: too short a wait is left to measure",
		waiting - accepted);
	cr_assert(process_cpu_ms(worker) > 0, "its processor time cannot be seen");
	double busy = busy_until(worker, first_end);
	cr_assert_eq(database_number(PROCESSED), 0);

	cr_assert_eq(database_wait("SELECT (count(*) = 0)::int FROM payhook.jobs", NULL, 1, 90000), 1, "%lld are left",
		database_number(LEFT));
	cr_assert_eq(database_number(PROCESSED), COUNT);
	cr_assert_eq(database_number("SELECT count(*) FROM payhook.reconciliation WHERE difference <> 0"), 0);
	cr_assert_eq(load_lost(&l), 0);
	long long latest = database_number(LATEST) - resumed, soonest = database_number(SOONEST) - resumed;
	long memory = process_memory_most_kb(worker);
	cr_log_info(
		"accepted in %lld ms; processed %lld to %lld ms after the pause; %ld kB; %.2f %% of a core for %lld ms\n",
		accepted - began, soonest, latest, memory, busy * 100, first_end - waiting);
	cr_assert(soonest >= DELAY_MS, "one was processed %lld ms after the pause", soonest);
	cr_assert(latest < waiting - accepted + DELAY_MS + LATE_MS,
		"claimed in %lld ms, and one was processed %lld ms after the pause", waiting - accepted, latest);
	cr_assert(memory > 0 && memory < MEMORY_MOST_KB, "%ld kB", memory);
	cr_assert(busy < BUSY_MOST, "%.1f %% of a core while waiting", busy * 100);
	cr_assert_eq(instance_first(instance(), "payhook-worker"), worker, "another worker by now");
	load_close(&l);
}
