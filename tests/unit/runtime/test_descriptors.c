/* test_descriptors.c - the limit of open descriptors is raised as far as allowed, and never lowered. */

#include <criterion/criterion.h>
#include <sys/resource.h>

#include "runtime/descriptors.h"

#define SOFT 256
#define HARD 512

static void init(void)
{
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &(struct rlimit){SOFT, HARD}), 0);
}

TestSuite(descriptors, .init = init);

static void gives(int wanted, int soft)
{
	struct rlimit limit;
	cr_expect_eq(descriptors_raise(wanted), soft);
	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	cr_expect_eq(limit.rlim_cur, (rlim_t)soft);
	cr_expect_eq(limit.rlim_max, HARD);
}

Test(descriptors, are_raised_to_what_is_wanted)
{
	gives(300, 300);
}

Test(descriptors, are_raised_no_further_than_the_hard_limit)
{
	gives(HARD + 1, HARD);
}

Test(descriptors, are_never_lowered)
{
	gives(10, SOFT);
	gives(SOFT, SOFT);
}
