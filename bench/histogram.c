/* histogram.c - values to buckets and back.
 *
 * A bucket's number is the exponent of the value followed by its next seven bits, so numbers ascend with the values. */

#include "histogram.h"

static int bucket_of(uint64_t value)
{
	if (value < HISTOGRAM_PARTS)
		return (int)value;
	int exponent = 63 - __builtin_clzll(value);
	int shift = exponent - HISTOGRAM_BITS;
	return (shift + 1) * HISTOGRAM_PARTS + (int)(value >> shift) - HISTOGRAM_PARTS;
}

/* The largest value of a bucket: a percentile is rounded up, never down. */
static uint64_t top_of(int bucket)
{
	if (bucket < 2 * HISTOGRAM_PARTS)
		return (uint64_t)bucket;
	int shift = bucket / HISTOGRAM_PARTS - 1;
	uint64_t least = (uint64_t)(bucket % HISTOGRAM_PARTS + HISTOGRAM_PARTS) << shift;
	return least + ((uint64_t)1 << shift) - 1;
}

void histogram_add(struct histogram *h, uint64_t value)
{
	h->count++;
	h->buckets[bucket_of(value)]++;
	if (value > h->most)
		h->most = value;
}

void histogram_merge(struct histogram *h, const struct histogram *other)
{
	h->count += other->count;
	if (other->most > h->most)
		h->most = other->most;
	for (int i = 0; i < HISTOGRAM_BUCKETS; i++)
		h->buckets[i] += other->buckets[i];
}

uint64_t histogram_at(const struct histogram *h, double share)
{
	uint64_t seen = 0;
	double rank = share * (double)h->count;
	for (int i = 0; i < HISTOGRAM_BUCKETS; i++) {
		seen += h->buckets[i];
		if (h->buckets[i] > 0 && (double)seen >= rank)
			return top_of(i) < h->most ? top_of(i) : h->most;
	}
	return h->most;
}

double histogram_ms_at(const struct histogram *h, double share)
{
	return (double)histogram_at(h, share) / 1e6;
}
