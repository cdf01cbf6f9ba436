/* test_wakeup.c - a worker finds new jobs by notifications and by polling; each alone is sufficient. */

#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "support/expect.h"
#include "support/extra_workers.h"
#include "support/faults.h"
#include "support/fixture.h"
#include "support/instance.h"
#include "support/instance_database.h"
#include "support/pg_proxy.h"

#define STEP_MS 15000
#define TIMES 50
#define SOON_MS 100   /* a fifth of the polling interval */
#define SOON_LEAST 45 /* out of TIMES; a busy machine may delay any process for a moment */

static const char *const settings[] = {"PROCESSOR_DELAY_MS=0", NULL};

static void begin(void)
{
	fixture_begin();
	extra_workers_dismiss_own();
}

TestSuite(wakeup, .init = begin, .fini = mend_all, .timeout = 120);

/* Each webhook is posted when the one before is processed, so the worker is idle and must be woken for each. */
static void one_after_the_other(struct fixture *f, const char *word, int times)
{
	fresh_id(word, f->prefix);
	f->count = times;
	for (int n = 0; n < times; n++) {
		char body[WEBHOOK_MAX], id[96];
		snprintf(id, sizeof(id), "%s-%d", f->prefix, n);
		expect_accepted(webhook_simple(id, body));
		cr_assert_eq(database_wait("SELECT count(*) FROM payhook.transactions WHERE transaction_id = $1"
					   " AND status = 'PROCESSED'",
				     id, 1, STEP_MS),
			1, "%s is not processed", id);
	}
	fixture_wait_processed(f, STEP_MS);
}

Test(wakeup, polling_alone_finds_every_job)
{
	struct pg_proxy proxy;
	struct hired deaf;
	struct fixture few, many;
	char through[256];

	pg_proxy_deafen(&proxy, instance()->database);
	extra_workers_hire(&deaf, pg_proxy_conninfo(&proxy, through), settings);
	one_after_the_other(&few, "deaf", 10);
	fixture_post(&many, "deaf-many", 2000, 0);
	fixture_wait_processed(&many, STEP_MS);
	cr_assert(pg_proxy_deeds(&proxy) > 10, "%d notifications were kept from it", pg_proxy_deeds(&proxy));
	extra_workers_dismiss(&deaf);
	pg_proxy_stop(&proxy);
}

/* Polling cannot be disabled.  But a worker that only polls, every 400 to 600 ms, finds one job in five within SOON_MS
 * of its acceptance. */
Test(wakeup, notifications_alone_bring_each_job_to_an_idle_worker_at_once)
{
	struct hired idle;
	struct fixture f;
	const char *soon = "SELECT count(*) FROM payhook.transactions WHERE starts_with(transaction_id, $1 || '-')"
			   " AND processed_at - created_at < make_interval(secs => 0.1)";

	extra_workers_hire(&idle, instance()->database, settings);
	cr_assert_eq(database_wait("SELECT count(*) FROM payhook.workers", NULL, 1, STEP_MS), 1);
	one_after_the_other(&f, "woken", TIMES);
	long long in_time = database_number_of(soon, f.prefix);
	cr_assert(in_time >= SOON_LEAST, "%lld of %d within %d ms", in_time, TIMES, SOON_MS);
	extra_workers_dismiss(&idle);
}
