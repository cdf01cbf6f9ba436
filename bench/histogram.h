#pragma once

#include <stdint.h>

/* How often which value was seen, over a wide range in little memory.
 *
 * Log-linear, the idea of Gil Tene's HdrHistogram (hdrhistogram.org): each power of two is cut into the same number of
 * equal parts.  Below 2 * HISTOGRAM_PARTS every value has a bucket of its own; above, a bucket is as wide as 1/128 of its
 * least value or less.  So what is read from it is never less than what was seen, and less than 1/128 (0.8 %) more. */

#define HISTOGRAM_BITS 7
#define HISTOGRAM_PARTS (1 << HISTOGRAM_BITS)
#define HISTOGRAM_BUCKETS ((64 - HISTOGRAM_BITS + 1) * HISTOGRAM_PARTS)

struct histogram {
	uint64_t count;
	uint64_t most; /* the largest value, as it was */
	uint64_t buckets[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *h, uint64_t value);

/* Adds all that the other has seen. */
void histogram_merge(struct histogram *h, const struct histogram *other);

/* The value that this share of all did not exceed, from 0 to 1; 0 when nothing was seen. */
uint64_t histogram_at(const struct histogram *h, double share);
