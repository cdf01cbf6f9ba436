/* test_settle_standby.c - settling with a synchronous standby: the outcome of a settlement is not reported before the
 * standby has what it rests on. */

#include <criterion/criterion.h>
#include <string.h>

#include "support/claimer.h"
#include "support/loop.h"
#include "support/pg_server.h"

static struct pg_server primary, standby;

static void begin(void)
{
	pg_server_primary(&primary);
	pg_server_standby(&standby, &primary);
	claimer_init();
}

static void end(void)
{
	pg_server_thaw(&standby);
	pg_server_set(&primary, "synchronous_standby_names", "");
	claimer_fini();
	pg_server_remove(&primary);
	pg_server_remove(&standby);
}

TestSuite(settle_standby, .init = begin, .fini = end, .timeout = 120);

#define WAITING "FROM pg_stat_activity WHERE wait_event = 'SyncRep'"

static bool awaits_standby(void *ctx)
{
	(void)ctx;
	return strcmp(pg_server_value(&primary, "postgres", "SELECT count(*) " WAITING), "1") == 0;
}

static bool is_in_trouble(void *ctx)
{
	(void)ctx;
	return me.troubles > 0;
}

static int ended(void)
{
	return me.ended[SETTLED_NOW] + me.ended[SETTLED_STALE] + me.ended[SETTLED_UNKNOWN];
}

static bool is_ended_or_awaits_standby(void *ctx)
{
	return ended() > 0 || awaits_standby(ctx);
}

Test(settle_standby, a_second_settlement_waits_for_the_standby_when_the_first_was_cancelled)
{
	enqueue(1, 1);
	claim(&me, ME, 1);
	me.room = 0;
	pg_server_set(&primary, "synchronous_standby_names", "standby");
	pg_server_await(&primary, "postgres", "SELECT sync_state FROM pg_stat_replication", "sync");
	pg_server_freeze(&standby);
	me.jobs[0]->outcome = JOB_PROCESSED;
	queue_settle(me.queue, me.jobs[0]);
	loop_until(awaits_standby, NULL, "the settlement waits for the standby");
	pg_server_value(&primary, "postgres", "SELECT pg_cancel_backend(pid) " WAITING);
	loop_until(is_in_trouble, NULL, "the cancelled wait is reported");
	cr_expect_eq(ended(), 0, "a cancelled wait is no success");
	loop_until(is_ended_or_awaits_standby, NULL, "the second settlement waits for the standby");
	cr_expect_eq(ended(), 0, "reported without the standby");
	pg_server_thaw(&standby);
	until_ended(&me, 1);
	cr_expect_eq(me.ended[SETTLED_UNKNOWN], 1);
}
