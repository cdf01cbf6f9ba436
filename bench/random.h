#pragma once

#include <stdint.h>

/* Random numbers for load: fast and of good quality, but predictable, so not for secrets.  SplitMix64 (Guy Steele,
 * Doug Lea, Christine Flood, "Fast Splittable Pseudorandom Number Generators", 2014; code by Sebastiano Vigna). */

struct random {
	uint64_t state;
};

/* Seeds from the kernel, so no two runs send the same ids. */
void random_seed(struct random *r);

/* 64 random bits. */
uint64_t random_next(struct random *r);

/* A number from 0 to most - 1; most is less than 2^32. */
uint64_t random_below(struct random *r, uint64_t most);

/* The pause, in nanoseconds, before the next of independent events that occur per_second times a second on average: an
 * exponential distribution. */
int64_t random_pause_ns(struct random *r, double per_second);
