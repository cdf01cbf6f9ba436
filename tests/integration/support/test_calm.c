/* test_calm.c - the clock for deadlines, on this machine as it is and beside processes that want more than its processors. */

#include <criterion/criterion.h>
#include <signal.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "support/calm.h"

#define LOOK_MS 60 /* more than the clock's own time between two looks at the kernel */

/* Asks again and again, as waits do; sees that it never goes back. */
static void pass(int64_t ms, long long *calm, int64_t *real)
{
	long long begun = calm_ms(), last = begun;
	int64_t from = clock_ms();
	while (clock_ms() - from < ms) {
		nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
		long long now = calm_ms();
		cr_assert_geq(now, last);
		last = now;
	}
	*calm = last - begun;
	*real = clock_ms() - from;
}

Test(calm, is_at_most_the_monotonic_clock_and_at_least_a_quarter_of_it)
{
	long long calm;
	int64_t real;
	pass(500, &calm, &real);
	cr_expect_leq(calm, real + LOOK_MS);
	cr_expect_geq(calm, real / 4 - LOOK_MS);
}

Test(calm, runs_slower_beside_processes_that_want_more_than_the_machine_has)
{
	pid_t busy[64];
	int count = 3 * get_nprocs() < 64 ? 3 * get_nprocs() : 64;
	long long calm;
	int64_t real;
	if (access("/proc/pressure/cpu", R_OK) != 0)
		cr_skip_test("this kernel does not say how long processes wait");
	for (int i = 0; i < count; i++) {
		busy[i] = fork();
		cr_assert_geq(busy[i], 0);
		while (busy[i] == 0)
			; /* until it is killed */
	}
	pass(1500, &calm, &real);
	for (int i = 0; i < count; i++) {
		kill(busy[i], SIGKILL);
		waitpid(busy[i], NULL, 0);
	}
	cr_expect_leq(calm, real * 3 / 4, "%lld of %lld ms", calm, (long long)real);
	cr_expect_geq(calm, real / 4 - LOOK_MS, "%lld of %lld ms", calm, (long long)real);
}
