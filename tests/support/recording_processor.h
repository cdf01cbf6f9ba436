#pragma once

#include <stdbool.h>
#include <sys/types.h>

/* An HTTP processor that records every call by its Idempotency-Key: what workers really called, whatever the database
 * contains.  It runs in a process of its own, so it answers while the test waits for something. */

struct recording_processor_shared;

struct recording_processor {
	pid_t pid;
	char url[64]; /* "PROCESSOR_URL=...", a setting for workers */
	struct recording_processor_shared *shared;
};

/* Every call is answered 200 after this delay. */
void recording_processor_open(struct recording_processor *p, int delay_ms);
void recording_processor_close(struct recording_processor *p);

/* hold: from now on calls are not answered.  release: calls are answered again, including those that were held.  Both
 * have taken effect when they return. */
void recording_processor_hold(struct recording_processor *p);
void recording_processor_release(struct recording_processor *p);

/* The number of calls for the ids "<prefix>-<n>", all n together. */
int recording_processor_calls(const struct recording_processor *p, const char *prefix);

/* The same for one transaction. */
int recording_processor_calls_of(const struct recording_processor *p, const char *id);

/* The traceparent of the nth call, from 0, for one transaction; "" if there is none. */
const char *recording_processor_trace_of(const struct recording_processor *p, const char *id, int number);

/* The number of n in 0..count-1 that were called exactly this number of times. */
long recording_processor_called(const struct recording_processor *p, const char *prefix, long count, int times);

/* Waits until this number of calls have arrived; fails the test at the deadline. */
void recording_processor_wait(const struct recording_processor *p, const char *prefix, int calls, int timeout_ms);
