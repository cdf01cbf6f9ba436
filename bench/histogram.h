#pragma once

#include <stdint.h>

/* A histogram of a wide range of values in little memory: 58 KiB, of fixed size.
 *
 * The buckets are log-linear, as in Gil Tene's HdrHistogram (hdrhistogram.org): each power of two is divided into
 * the same number of equal parts.  Below 2 * HISTOGRAM_PARTS each value has a bucket of its own; above, a bucket is
 * at most as wide as 1/128 of its least value.  So a value that is read from the histogram is never less than the
 * value that was added, and exceeds it by less than 1/128 (0.8 %).  All zero: empty. */

#define HISTOGRAM_BITS 7
#define HISTOGRAM_PARTS (1 << HISTOGRAM_BITS)
#define HISTOGRAM_BUCKETS ((64 - HISTOGRAM_BITS + 1) * HISTOGRAM_PARTS)

struct histogram {
	uint64_t count;
	uint64_t most; /* the largest value, exactly */
	uint64_t buckets[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *h, uint64_t value);

/* Adds all values of another histogram. */
void histogram_merge(struct histogram *h, const struct histogram *other);

/* The value that a share of all values, from 0 to 1, did not exceed: 0.99 returns p99.  0 if the histogram is empty. */
uint64_t histogram_at(const struct histogram *h, double share);

/* The same, of nanoseconds, in milliseconds. */
double histogram_ms_at(const struct histogram *h, double share);
