#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Whether the processor is worth calling.
 *
 * After so many failed calls in a row the circuit is open: no more jobs are claimed for a processor that is plainly
 * down, and what still fails does not count as an attempt.  One job at a time is tried, the probe, after pauses that
 * grow.  Whatever shows that the processor answers closes it: a probe, or a call that began before.
 *
 * Time is a parameter: clock_ms(). */

#define CIRCUIT_PAUSE_LEAST_MS 1000 /* before the first probe; doubled after each that fails */
#define CIRCUIT_PAUSE_MOST_MS 60000

/* All zero but limit: closed. */
struct circuit {
	int limit;              /* failures in a row that open it; 0: it stays closed */
	int failures;           /* in a row */
	int64_t open_since_ms;  /* 0: it is closed */
	int64_t pause_ms;       /* before the next probe, its jitter aside */
	int64_t probe_after_ms; /* the next probe may begin */
	bool probing;           /* a probe is under way */
};

bool circuit_is_open(const struct circuit *c);

/* Whether a call may begin now. */
bool circuit_admits(const struct circuit *c, int64_t now_ms);

/* How many of so many jobs to claim. */
int circuit_room(const struct circuit *c, int room, int64_t now_ms);

/* A call begins that was admitted.  Returns whether it is a probe, to be told at its end. */
bool circuit_begin(struct circuit *c);

/* A call failed in a way that another might not.  Returns whether this opened the circuit. */
bool circuit_fail(struct circuit *c, bool probe, int64_t now_ms, uint64_t random);

/* The processor gave an answer.  Returns whether this closed the circuit. */
bool circuit_answer(struct circuit *c);

/* A call was cancelled: nothing was learnt. */
void circuit_cancel(struct circuit *c, bool probe);
