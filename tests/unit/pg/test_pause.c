/* test_pause.c - the pause between attempts to connect. */

#include <criterion/criterion.h>

#include "pg/pause.h"

Test(pause, is_none_without_a_failure)
{
	cr_expect_eq(pause_ms(0), 0);
}

Test(pause, doubles_from_50_ms_to_a_second_and_is_random_in_its_upper_half)
{
	static const int BOUNDS[] = {0, 50, 100, 200, 400, 800, 1000, 1000};
	for (int failures = 1; failures < 8; failures++) {
		for (int i = 0; i < 100; i++) {
			int ms = pause_ms(failures);
			cr_expect(ms >= BOUNDS[failures] / 2 && ms <= BOUNDS[failures], "%d failures: %d ms", failures,
				ms);
		}
	}
	cr_expect_leq(pause_ms(1000000), 1000);
}
