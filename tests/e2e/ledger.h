#pragma once

#include <stdbool.h>
#include <sys/types.h>

/* An HTTP processor that remembers every call it heard, by its Idempotency-Key: what workers really did, whatever the
 * database says.  A process of its own, so that it answers while the test waits for something. */

struct ledger_page;

struct ledger {
	pid_t pid;
	char url[64]; /* "PROCESSOR_URL=...", a worker's setting */
	struct ledger_page *page;
};

/* Every call is answered with 200 after so long. */
void ledger_open(struct ledger *l, int delay_ms);
void ledger_close(struct ledger *l);

/* From now on calls are not answered; those that wait are when it is released.  Both are in effect when they return. */
void ledger_hold(struct ledger *l);
void ledger_release(struct ledger *l);

/* The calls heard for "<prefix>-<n>", of all n. */
int ledger_calls(const struct ledger *l, const char *prefix);

/* The same for one transaction. */
int ledger_calls_of(const struct ledger *l, const char *id);

/* The traceparent of the call for one transaction of that number, from 0; "" if there is none. */
const char *ledger_trace_of(const struct ledger *l, const char *id, int number);

/* How many of n in 0..count-1 were called exactly so many times. */
long ledger_called(const struct ledger *l, const char *prefix, long count, int times);

/* Waits until so many calls were heard; fails the test at the deadline. */
void ledger_wait(const struct ledger *l, const char *prefix, int calls, int timeout_ms);
