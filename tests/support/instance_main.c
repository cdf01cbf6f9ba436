/* instance_main.c - starts the binary's instance, runs its tests one after the other, and stops the instance. */

#include <stdio.h>

#include <criterion/criterion.h>
#include <criterion/options.h>

#include "support/instance.h"
#include "support/logs.h"

#define TEST_SECONDS 60 /* unless the test sets a timeout; a test that hangs ends then */

/* Sets the timeout of each test that has none.  Criterion's global timeout is not used: no test or suite could exceed
 * it. */
static void limit_tests(struct criterion_test_set *tests)
{
	FOREACH_SET(struct criterion_suite_set * s, tests->suites)
	{
		bool is_limited = s->suite.data != NULL && s->suite.data->timeout > 0;
		FOREACH_SET(struct criterion_test * t, s->tests)
		{
			if (!is_limited && t->data->timeout <= 0)
				t->data->timeout = TEST_SECONDS;
		}
	}
}

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
	if (!logs_are_well_formed(&shared, trouble, sizeof(trouble))) {
		fprintf(stderr, "%s\n", trouble);
		passed = false;
	}
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

	/* The tests share one instance and two cores, and some of them stop parts of it, so they run one at a time. */
	criterion_options.jobs = 1;
	limit_tests(tests);
	if (criterion_handle_args(argc, argv, true))
		passed = run_with_instance(tests);
	criterion_finalize(tests);
	return passed ? 0 : 1;
}
