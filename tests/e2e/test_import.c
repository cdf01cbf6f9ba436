/* test_import.c - the migration from the service that payhook replaces, in the order that docs/operations.md gives. */

#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "support/extra_workers.h"
#include "support/faults.h"
#include "support/fixture.h"
#include "support/instance.h"
#include "support/instance_database.h"
#include "support/recording_processor.h"

#define STEP_MS 15000
#define COUNT 50

static struct recording_processor recording_processor;

static void begin(void)
{
	fixture_begin();
	extra_workers_dismiss_own();
	recording_processor_open(&recording_processor, 0);
}

static void end(void)
{
	database_number("DROP TABLE IF EXISTS public.transactions_transaction");
	recording_processor_close(&recording_processor);
	mend_all();
}

TestSuite(import, .init = begin, .fini = end, .timeout = 120);

/* Creates the old service's table: the transactions of these webhooks as PROCESSED, and copies with the prefix of open
 * as PROCESSING. */
static void old_service(const struct fixture *processed, struct fixture *open)
{
	open->count = processed->count;
	fresh_id("open", open->prefix);
	database_number("DROP VIEW IF EXISTS public.transactions_transaction");
	database_number(
		"CREATE TABLE public.transactions_transaction AS"
		" SELECT transaction_id::varchar(255), source_account, destination_account, amount::numeric(18,2),"
		"   currency::varchar(3), 'PROCESSED'::varchar(20) AS status, timestamptz '2026-10-01' AS created_at,"
		"   timestamptz '2026-10-02' AS processed_at"
		" FROM payhook.transactions");
	database_number_of(
		"DELETE FROM public.transactions_transaction WHERE NOT starts_with(transaction_id, $1 || '-')",
		processed->prefix);
	database_number_of(
		"INSERT INTO public.transactions_transaction"
		" SELECT $1 || regexp_replace(transaction_id, '^.*-', '-'), source_account, destination_account,"
		"   amount, currency, 'PROCESSING', created_at, NULL FROM public.transactions_transaction",
		open->prefix);
}

static void expect_calls(const struct fixture *s, int times)
{
	cr_assert_eq(recording_processor_called(&recording_processor, s->prefix, s->count, times), s->count,
		"%s: %d calls in all", s->prefix, recording_processor_calls(&recording_processor, s->prefix));
}

Test(import, a_webhook_sent_again_of_what_the_old_service_processed_is_not_processed_twice)
{
	const char *settings[] = {"PROCESSOR=http", recording_processor.url, NULL};
	const char *kept = "SELECT count(*) FROM payhook.transactions WHERE starts_with(transaction_id, $1 || '-')"
			   " AND created_at = '2026-10-01' AND processed_at = '2026-10-02'";
	struct fixture again, fresh, open;
	struct hired worker;
	char log[64 * 1024];

	database_number("SELECT length(payhook.pause())");
	extra_workers_hire(&worker, instance()->database, settings);
	fixture_post(&again, "again", COUNT, 0);
	fixture_post(&fresh, "fresh", COUNT, 0);
	old_service(&again, &open);
	bool ok = instance_run(instance(), (const char *const[]){"import", NULL}, instance_settings, 60000);
	instance_log(instance(), log, sizeof(log));
	cr_assert(ok, "%s", log);
	database_number("SELECT length(payhook.resume())");

	fixture_wait_processed(&fresh, STEP_MS);
	fixture_wait_processed(&open, STEP_MS);
	expect_calls(&again, 0);
	expect_calls(&fresh, 1);
	expect_calls(&open, 1);
	cr_assert_eq(database_number_of(kept, again.prefix), COUNT);

	/* The same webhooks once more, after the import. */
	struct load l = {.prefix = again.prefix, .connections = 4, .posts = COUNT};
	load_open(&l);
	cr_assert(load_until(&l, COUNT, STEP_MS));
	cr_assert_eq(l.accepted, COUNT, "%s", l.trouble);
	load_close(&l);
	cr_assert_eq(fixture_jobs(&again), 0);
	cr_assert_eq(database_number_of(kept, again.prefix), COUNT);
	extra_workers_dismiss(&worker);
}
