/* main.c - starts the binary's instance, runs its tests one after the other, and stops it. */

#include <stdio.h>

#include <criterion/criterion.h>
#include <criterion/options.h>

#include "instance.h"

#define TEST_SECONDS 60 /* unless a test says more; what hangs ends here */

static bool run_with_instance(struct criterion_test_set *tests)
{
	struct instance shared;
	char trouble[4096];

	if (!instance_start(&shared, instance_settings, trouble, sizeof(trouble))) {
		fprintf(stderr, "%s\n", trouble);
		return false;
	}
	instance_share(&shared);
	bool passed = criterion_run_all_tests(tests) != 0;
	if (!instance_stop(&shared, trouble, sizeof(trouble))) {
		fprintf(stderr, "%s\n", trouble);
		return false;
	}
	return passed;
}

int main(int argc, char *argv[])
{
	struct criterion_test_set *tests = criterion_initialize();
	bool passed = true;

	/* The tests share one instance and two cores, and some of them stop parts of it. */
	criterion_options.jobs = 1;
	criterion_options.timeout = TEST_SECONDS;
	if (criterion_handle_args(argc, argv, true))
		passed = run_with_instance(tests);
	criterion_finalize(tests);
	return passed ? 0 : 1;
}
