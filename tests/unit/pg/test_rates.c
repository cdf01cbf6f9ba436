/* test_rates.c - counts by source: which are kept apart, and what there is no room for. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "pg/rates.h"

static struct rates rates;

Test(rates, keeps_sources_and_kinds_apart)
{
	cr_expect_not(rates_are_due(&rates));
	rates_add(&rates, "stripe", RATE_ACCEPTED);
	rates_add(&rates, "adyen", RATE_REFUSED);
	rates_add(&rates, "stripe", RATE_ACCEPTED);
	rates_add(&rates, "adyen", RATE_FAILED);
	cr_expect(rates_are_due(&rates));
	cr_assert_eq(rates.count, 2);
	cr_expect_str_eq(rates.list[0].source, "stripe");
	cr_expect_eq(rates.list[0].number[RATE_ACCEPTED], 2);
	cr_expect_eq(rates.list[0].number[RATE_REFUSED], 0);
	cr_expect_eq(rates.list[1].number[RATE_REFUSED], 1);
	cr_expect_eq(rates.list[1].number[RATE_FAILED], 1);
}

Test(rates, begins_anew_with_each_statement)
{
	struct db_params p = {0};
	struct fault f;
	rates_add(&rates, "stripe", RATE_PROCESSED);
	rates_params(&rates, &p);
	cr_expect(db_params_ok(&p, &f));
	cr_expect_eq(p.count, RATES + 1);
	cr_expect_not(rates_are_due(&rates));
	rates_add(&rates, "stripe", RATE_ACCEPTED);
	cr_expect_eq(rates.list[0].number[RATE_PROCESSED], 0);
	cr_expect_eq(rates.list[0].number[RATE_ACCEPTED], 1);
	rates_finish(&rates);
}

Test(rates, counts_no_more_sources_than_it_has_room_for)
{
	char name[RATES_SOURCE_MAX + 2];
	for (int i = 0; i < RATES_SOURCES_MAX + 10; i++) {
		snprintf(name, sizeof name, "s%d", i);
		rates_add(&rates, name, RATE_ACCEPTED);
	}
	cr_expect_eq(rates.count, RATES_SOURCES_MAX);
	rates_add(&rates, "s5", RATE_ACCEPTED);
	cr_expect_eq(rates.list[5].number[RATE_ACCEPTED], 2);
}

Test(rates, leaves_out_a_name_that_the_table_would_refuse)
{
	char name[RATES_SOURCE_MAX + 2] = "";
	rates_add(&rates, name, RATE_ACCEPTED);
	memset(name, 'x', RATES_SOURCE_MAX + 1);
	rates_add(&rates, name, RATE_ACCEPTED);
	cr_expect_eq(rates.count, 0);
	name[RATES_SOURCE_MAX] = '\0';
	rates_add(&rates, name, RATE_ACCEPTED);
	cr_expect_eq(rates.count, 1);
}
