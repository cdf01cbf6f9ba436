/* loop.c - runs the event loop of a test until a condition holds or a time is over. */

#include "support/loop.h"

#include <criterion/criterion.h>
#include <event2/event.h>

#include "base/clock.h"
#include "support/fresh_database.h"

#define PATIENCE_MS 10000
#define STEP_MS 5

static struct connect_state connect_state;

struct connect_state *loop_open(void)
{
	connect_state = (struct connect_state){.base = event_base_new(), .conninfo = database_conninfo()};
	cr_assert_not_null(connect_state.base);
	return &connect_state;
}

struct event_base *loop_base(void)
{
	return connect_state.base;
}

void loop_close(void)
{
	event_base_free(connect_state.base);
	libevent_global_shutdown();
}

static void turn(void)
{
	struct timeval step = clock_timeval(STEP_MS);
	event_base_loopexit(connect_state.base, &step);
	event_base_dispatch(connect_state.base);
}

void loop_until(bool (*holds)(void *ctx), void *ctx, const char *what)
{
	int64_t end = clock_ms() + PATIENCE_MS;
	while (!holds(ctx)) {
		cr_assert_lt(clock_ms(), end, "in vain: %s", what);
		turn();
	}
}

void loop_for(int ms)
{
	int64_t end = clock_ms() + ms;
	while (clock_ms() < end)
		turn();
}
