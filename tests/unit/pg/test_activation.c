/* test_activation.c - the list of lanes while its statement is under way, after a failure, and when it is full. */

#include <criterion/criterion.h>

#include "base/base.h"
#include "pg/activation.h"

Test(activation, lists_more_lanes_while_its_statement_is_under_way)
{
	static struct activation a;
	struct db_params p = {0};
	cr_expect_not(activation_is_due(&a));
	activation_add(&a, 1);
	activation_add(&a, 1);
	cr_expect_eq(a.count, 1);
	activation_params(&a, &p);
	cr_expect_not(activation_is_due(&a));
	activation_add(&a, 1);
	activation_add(&a, 2);
	cr_expect(activation_is_due(&a));
	activation_end(&a, true);
	cr_expect_eq(a.count, 2);
	cr_expect_eq(a.lanes[0], 1);
	activation_params(&a, &p);
	activation_end(&a, false);
	cr_expect(activation_is_due(&a));
	cr_expect_eq(a.count, 2);
	for (int i = 0; i < ACTIVATION_MOST; i++)
		activation_add(&a, i + 3);
	cr_expect_eq(a.count, ACTIVATION_MOST);
	activation_finish(&a);
}
