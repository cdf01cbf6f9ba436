/* test_operations.c - the workers' maintenance carries out operations, whatever is lost meanwhile, and adds the counts. */

#include <criterion/criterion.h>

#include "queue/maintenance.h"
#include "support/fresh_database.h"
#include "support/loop.h"

static struct connect_state *connect_state;
static int troubles;

static void on_trouble(void *ctx, const char *doing, const struct fault *f)
{
	(void)ctx, (void)doing, (void)f;
	troubles++;
}

static void on_partitions(void *ctx, const char *done)
{
	(void)ctx, (void)done;
}

static void on_transactions(void *ctx, int64_t count)
{
	(void)ctx, (void)count;
}

static void on_jump(void *ctx, int64_t ms)
{
	(void)ctx, (void)ms;
}

static const struct maintenance_events EVENTS = {
	.trouble = on_trouble, .partitions = on_partitions, .jump = on_jump, .transactions = on_transactions};

static const struct maintenance_days DAYS = {.payloads = 30};

static void init(void)
{
	database_init();
	connect_state = loop_open();
}

static void fini(void)
{
	loop_close();
	database_drop();
}

TestSuite(operations, .init = init, .fini = fini, .timeout = 120);

static void start_operation(int members, int rate)
{
	database_exec(
		"INSERT INTO payhook.transactions (transaction_id, source, source_account, destination_account, amount,"
		" currency, status, failure) SELECT 'd' || g, 'stripe', 'a', 'b', 1, 'EUR', 'FAILED', 'x'"
		" FROM generate_series(1, %d) g",
		members);
	database_exec("INSERT INTO payhook.dead_jobs (transaction_id, source, attempts, error, enqueued_at)"
		      " SELECT 'd' || g, 'stripe', 3, 'timeout', now() FROM generate_series(1, %d) g",
		members);
	cr_assert_eq(
		database_number(
			"SELECT status FROM payhook.console_start_operation('retry', '{\"source\": \"stripe\"}', '',"
			" '%d', 'the processor works again', 'key', 'r')",
			rate),
		200);
}

static bool is_done(void *ctx)
{
	(void)ctx;
	return database_number("SELECT count(*) FROM payhook.operations WHERE state = 'done'") == 1;
}

static bool is_begun(void *ctx)
{
	(void)ctx;
	return database_number("SELECT count(*) FROM payhook.operations WHERE handled > %d OR state = 'done'",
		       *(const int *)ctx) == 1;
}

static void carry_out(void)
{
	struct maintenance *m = maintenance_create(connect_state, &DAYS, &EVENTS, NULL);
	cr_assert_not_null(m);
	loop_until(is_done, NULL, "the operation is done");
	maintenance_destroy(m);
}

#define EXPECT_SUMS(expected)                                                                                       \
	cr_expect_str_eq(database_value("SELECT concat_ws(' ', o.total, o.handled, o.retried,"                      \
					" (SELECT count(*) FROM payhook.jobs WHERE source = 'stripe'),"             \
					" (SELECT count(DISTINCT transaction_id) FROM payhook.jobs),"               \
					" (SELECT count(*) FROM payhook.dead_jobs),"                                \
					" (SELECT count(*) FROM payhook.transactions WHERE status = 'PROCESSING'))" \
					" FROM payhook.operations o"),                                              \
		expected)

Test(operations, carries_out_an_operation)
{
	start_operation(300, 2000);
	carry_out();
	EXPECT_SUMS("300 300 300 300 300 0 300");
}

/* A member that was brought back meanwhile is passed over. */
Test(operations, passes_over_members_that_are_no_longer_failed)
{
	start_operation(20, 2000);
	database_exec("SELECT payhook.retry('d7', 'stripe')");
	carry_out();
	EXPECT_SUMS("20 20 19 20 20 0 20");
}

/* Of one worker after another that is broken off, in the middle of statements too, the next goes on. */
Test(operations, goes_on_with_an_operation_when_workers_are_lost)
{
	start_operation(3000, 1000);
	for (int killed = 0; killed < 5; killed++) {
		int before = (int)database_number("SELECT handled FROM payhook.operations");
		struct maintenance *a = maintenance_create(connect_state, &DAYS, &EVENTS, NULL),
				   *b = maintenance_create(connect_state, &DAYS, &EVENTS, NULL);
		loop_until(is_begun, &before, "a batch is done");
		database_exec(
			"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
			" AND application_name = 'payhook-worker maintenance'");
		maintenance_destroy(a);
		maintenance_destroy(b);
		cr_expect_eq(
			database_number("SELECT handled - (SELECT count(*) FROM payhook.jobs) FROM payhook.operations"),
			0, "a batch and the progress are one transaction");
	}
	carry_out();
	EXPECT_SUMS("3000 3000 3000 3000 3000 0 3000");
}

Test(operations, keeps_the_rate_of_an_operation_over_all_workers)
{
	start_operation(60, 20);
	struct maintenance *a = maintenance_create(connect_state, &DAYS, &EVENTS, NULL),
			   *b = maintenance_create(connect_state, &DAYS, &EVENTS, NULL);
	loop_until(is_done, NULL, "it is done");
	maintenance_destroy(a);
	maintenance_destroy(b);
	/* 60 at 20 a second: not before 2 s, also if the first second was granted at once. */
	cr_expect_str_eq(
		database_value("SELECT finished_at - created_at BETWEEN '2 s' AND '30 s' FROM payhook.operations"),
		"t");
	EXPECT_SUMS("60 60 60 60 60 0 60");
}

static bool are_counted(void *ctx)
{
	return database_number("SELECT coalesce(sum(processed + failed), 0) FROM payhook.rates") == *(const int *)ctx;
}

Test(operations, adds_the_counts_of_each_second)
{
	struct maintenance *m = maintenance_create(connect_state, &DAYS, &EVENTS, NULL);
	int first = 3, all = 5;
	maintenance_count(m, "stripe", RATE_PROCESSED);
	maintenance_count(m, "adyen", RATE_FAILED);
	maintenance_count(m, "stripe", RATE_PROCESSED);
	loop_until(are_counted, &first, "the counts are added");
	maintenance_count(m, "stripe", RATE_FAILED);
	maintenance_count(m, "stripe", RATE_PROCESSED);
	loop_until(are_counted, &all, "and those after them");
	maintenance_destroy(m);
	cr_expect_str_eq(
		database_value(
			"SELECT string_agg(source || ' ' || processed || ' ' || failed, ', ' ORDER BY source) FROM"
			" (SELECT source, sum(processed) AS processed, sum(failed) AS failed"
			" FROM payhook.rates GROUP BY source) r"),
		"adyen 0 1, stripe 3 1");
	cr_expect_eq(troubles, 0);
}
