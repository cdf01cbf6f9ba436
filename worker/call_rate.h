#pragma once

#include <stdint.h>

/* The share that this worker has of PROCESSOR_RATE: calls a second over all workers, divided by the number of workers that
 * live.  A token bucket.  Pure functions: the caller passes the time, by clock_us().
 *
 * No row of the database counts calls: each would wait for the others at it.  So the rate is exact while the workers are the
 * same ones, and for the two seconds in which they notice another one it may be exceeded by that one's share. */

#define CALL_RATE_LEAST_MS \
	20 /* between two claims for which the rate makes the worker wait; they then are for several jobs */
#define CALL_RATE_STORE_MS 100 /* the time for which calls that were not made are saved */

/* All zero but per_second: no call has been earned. */
struct call_rate {
	int per_second;     /* of all workers; 0: no limit */
	int64_t at_us;      /* up to this time calls are earned; 0: not begun */
	int64_t millionths; /* of a call: those that were earned and not made */
};

/* How many calls may begin now, at most most.  0: none before call_rate_wait_ms() has passed.  workers: those that live, this
 * one included; 0: their number is not known yet, so none. */
int call_rate_room(struct call_rate *r, int workers, int most, int64_t now_us);

/* Records the beginning of a call. */
void call_rate_take(struct call_rate *r);

/* After call_rate_room() has returned 0: the time after which it returns more, if the workers are the same. */
int64_t call_rate_wait_ms(const struct call_rate *r, int workers);
