#pragma once

#include <stdint.h>

/* Random numbers for load: fast, of good quality, and nobody's secret.  SplitMix64, by Sebastiano Vigna. */

struct random {
	uint64_t state;
};

/* Seeded by the kernel: no two runs send the same ids. */
void random_seed(struct random *r);

uint64_t random_next(struct random *r);

/* From 0 to below most, which is less than 2^32. */
uint64_t random_below(struct random *r, uint64_t most);

/* The pause before the next of independent events, so many a second: exponential, in nanoseconds. */
int64_t random_pause_ns(struct random *r, double per_second);
