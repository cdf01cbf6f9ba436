#pragma once

#include <stdbool.h>
#include <stdint.h>

/* A circuit breaker for the processor (Michael Nygard, "Release It!").
 *
 * After a number of consecutive failed calls the circuit opens.  The worker then claims no jobs for a processor that is
 * evidently down, and failed calls do not count as attempts.  One job at a time is tried as a probe, after pauses that
 * double.  Any answer of the processor closes the circuit: the answer to a probe, or to a call that began before the
 * circuit opened.
 *
 * Each worker has a circuit of its own, because workers differ in what they can reach.  The caller passes the time, by
 * clock_ms(), and random bits. */

#define CIRCUIT_PAUSE_LEAST_MS 1000 /* before the first probe; doubled after each probe that fails */
#define CIRCUIT_PAUSE_MOST_MS 60000

/* Closed when all members but limit are zero. */
struct circuit {
	int limit;              /* consecutive failures that open it; 0: it never opens */
	int failures;           /* consecutive ones so far */
	int64_t open_since_ms;  /* 0: it is closed */
	int64_t pause_ms;       /* before the next probe, without the jitter */
	int64_t probe_after_ms; /* when the next probe may begin */
	bool probing;           /* a probe is under way */
};

bool circuit_is_open(const struct circuit *c);

/* True if a call may begin now: the circuit is closed, or a probe is due and none is under way. */
bool circuit_admits(const struct circuit *c, int64_t now_ms);

/* How many jobs may be claimed where there is room for that many: all if the circuit is closed; else one if a probe is
 * due, or none. */
int circuit_room(const struct circuit *c, int room, int64_t now_ms);

/* Records the beginning of a call that circuit_admits() allowed.  Returns true if it is a probe; the caller passes that
 * on when the call ends. */
bool circuit_begin(struct circuit *c);

/* Records a temporary failure of a call.  Returns true if it opened the circuit. */
bool circuit_fail(struct circuit *c, bool probe, int64_t now_ms, uint64_t random);

/* Records an answer of the processor, a permanent failure included.  Returns true if it closed the circuit. */
bool circuit_answer(struct circuit *c);

/* Records that a call was cancelled, which shows nothing about the processor. */
void circuit_cancel(struct circuit *c, bool probe);
