/* call_rate.c - a token bucket for the calls of this worker.
 *
 * Time earns parts of a call.  At a high rate calls are given out several at a time, those of 20 ms, so that a worker does
 * not send a claim for each job.  What was not used is saved for a moment only: an idle minute must not become a burst. */

#include "call_rate.h"

#define WHOLE 1000000    /* millionths of a call */
#define IDLE_US 10000000 /* a longer time counts as that long, so that no product overflows */

static int64_t at_least_one(int64_t millionths)
{
	return millionths > WHOLE ? millionths : WHOLE;
}

/* What the worker earns in this time. */
static int64_t share(const struct call_rate *r, int workers, int64_t us)
{
	return us * r->per_second / workers;
}

static int64_t batch(const struct call_rate *r, int workers)
{
	return at_least_one(share(r, workers, (int64_t)CALL_RATE_LEAST_MS * 1000));
}

int call_rate_room(struct call_rate *r, int workers, int most, int64_t now_us)
{
	if (r->per_second == 0)
		return most;
	int64_t us = r->at_us == 0 ? 0 : now_us - r->at_us;
	r->at_us = now_us;
	if (workers == 0)
		return 0;
	int64_t stored = at_least_one(share(r, workers, (int64_t)CALL_RATE_STORE_MS * 1000));
	r->millionths += share(r, workers, us < IDLE_US ? us : IDLE_US);
	if (r->millionths > stored)
		r->millionths = stored;
	if (r->millionths < batch(r, workers))
		return 0;
	int64_t room = r->millionths / WHOLE;
	return room < most ? (int)room : most;
}

void call_rate_take(struct call_rate *r)
{
	if (r->per_second > 0)
		r->millionths -= WHOLE;
}

int64_t call_rate_wait_ms(const struct call_rate *r, int workers)
{
	if (workers == 0)
		return 1000;
	int64_t missing = batch(r, workers) - r->millionths;
	int64_t ms = missing > 0 ? missing * workers / r->per_second / 1000 + 1 : 1;
	return ms > CALL_RATE_LEAST_MS ? ms : CALL_RATE_LEAST_MS;
}
