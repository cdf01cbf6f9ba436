/* random.c - random numbers for load. */

#include "random.h"

#include <math.h>
#include <stdlib.h>

void random_seed(struct random *r)
{
	arc4random_buf(&r->state, sizeof r->state);
}

uint64_t random_next(struct random *r)
{
	uint64_t x = r->state += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

/* By multiplication, not by a remainder: no division, and a bias of at most most / 2^32 (Daniel Lemire, "Fast Random
 * Integer Generation in an Interval", 2019). */
uint64_t random_below(struct random *r, uint64_t most)
{
	return ((random_next(r) >> 32) * most) >> 32;
}

/* The inverse of the exponential distribution; the 53 bits of a double, above 0 because the logarithm of 0 is
 * infinite. */
int64_t random_pause_ns(struct random *r, double per_second)
{
	double even = ((double)(random_next(r) >> 11) + 1) / 9007199254740992.0; /* above 0, up to 1 */
	return (int64_t)(-log(even) / per_second * 1e9);
}
