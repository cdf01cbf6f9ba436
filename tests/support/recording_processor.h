#pragma once

#include <stdbool.h>
#include <sys/types.h>

/* An HTTP processor that remembers every call it heard, by its Idempotency-Key: what workers really did, whatever the
 * database says.  A process of its own, so that it answers while the test waits for something. */

struct recording_processor_page;

struct recording_processor {
	pid_t pid;
	char url[64]; /* "PROCESSOR_URL=...", a worker's setting */
	struct recording_processor_page *page;
};

/* Every call is answered with 200 after so long. */
void recording_processor_open(struct recording_processor *l, int delay_ms);
void recording_processor_close(struct recording_processor *l);

/* From now on calls are not answered; those that wait are when it is released.  Both are in effect when they return. */
void recording_processor_hold(struct recording_processor *l);
void recording_processor_release(struct recording_processor *l);

/* The calls heard for "<prefix>-<n>", of all n. */
int recording_processor_calls(const struct recording_processor *l, const char *prefix);

/* The same for one transaction. */
int recording_processor_calls_of(const struct recording_processor *l, const char *id);

/* The traceparent of the call for one transaction of that number, from 0; "" if there is none. */
const char *recording_processor_trace_of(const struct recording_processor *l, const char *id, int number);

/* How many of n in 0..count-1 were called exactly so many times. */
long recording_processor_called(const struct recording_processor *l, const char *prefix, long count, int times);

/* Waits until so many calls were heard; fails the test at the deadline. */
void recording_processor_wait(const struct recording_processor *l, const char *prefix, int calls, int timeout_ms);
