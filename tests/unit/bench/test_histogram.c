/* test_histogram.c - the histogram from which the benchmark reads percentiles, and its bound on the error. */

#include "histogram.h"

#include <criterion/criterion.h>
#include <stdlib.h>

Test(histogram, of_nothing_is_zero)
{
	static struct histogram h;
	cr_expect_eq(histogram_at(&h, 0.5), 0);
}

Test(histogram, keeps_small_values_as_they_are)
{
	for (uint64_t value = 0; value < 2 * HISTOGRAM_PARTS; value++) {
		static struct histogram h;
		h = (struct histogram){0};
		histogram_add(&h, value);
		histogram_add(&h, UINT64_MAX);
		cr_assert_eq(histogram_at(&h, 0.5), value);
	}
}

/* Around every power of two, and at random values between them.  A larger value is recorded as well: the maximum is
 * returned exactly, and would not test the bound. */
Test(histogram, never_returns_less_and_never_a_128th_more)
{
	static struct histogram h;
	for (int bit = 0; bit < 63; bit++) {
		for (int try = -2; try < 100; try++) {
			uint64_t value = ((uint64_t)1 << bit) +
					 (uint64_t)(try < 3 ? try : rand() % (1 << (bit < 30 ? bit : 30)));
			h = (struct histogram){0};
			histogram_add(&h, value);
			histogram_add(&h, UINT64_MAX);
			uint64_t parsed = histogram_at(&h, 0.5);
			cr_assert(
				parsed >= value, "%lu is said to be %lu", (unsigned long)value, (unsigned long)parsed);
			cr_assert(parsed - value <= value / 128, "%lu is said to be %lu", (unsigned long)value,
				(unsigned long)parsed);
		}
	}
}

Test(histogram, knows_the_largest_as_it_was)
{
	static struct histogram h;
	histogram_add(&h, 1000003);
	histogram_add(&h, 999);
	cr_expect_eq(histogram_at(&h, 1), 1000003);
	cr_expect_eq(h.most, 1000003);
}

Test(histogram, reads_shares_of_what_it_has_seen)
{
	static struct histogram h;
	for (uint64_t value = 1; value <= 100000; value++)
		histogram_add(&h, value);
	cr_expect_eq(h.count, 100000);
	static const struct {
		double share;
		uint64_t value;
	} CASES[] = {{0, 1}, {0.5, 50000}, {0.99, 99000}, {0.999, 99900}, {1, 100000}};
	for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
		uint64_t parsed = histogram_at(&h, CASES[i].share);
		cr_expect(parsed >= CASES[i].value && parsed <= CASES[i].value + CASES[i].value / 128, "%g: %lu",
			CASES[i].share, (unsigned long)parsed);
	}
}

Test(histogram, a_merge_is_as_if_one_had_seen_it_all)
{
	static struct histogram one, other, both;
	for (uint64_t value = 1; value < 5000; value++) {
		histogram_add(value % 3 ? &one : &other, value * value);
		histogram_add(&both, value * value);
	}
	histogram_add(&other, UINT64_MAX);
	histogram_add(&both, UINT64_MAX);
	histogram_merge(&one, &other);
	cr_expect_eq(one.count, both.count);
	cr_expect_eq(one.most, both.most);
	cr_expect_arr_eq(one.buckets, both.buckets, sizeof one.buckets);
}
