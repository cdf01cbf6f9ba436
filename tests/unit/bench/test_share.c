/* test_share.c - the bench knows its own processor time from that of others. */

#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "share.h"

#define BURNT_S 0.3

static double used_s(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void burn(void)
{
	for (double end = used_s() + BURNT_S; used_s() < end;)
		;
}

/* Starts a process that uses the processor for BURNT_S, and then waits for its end.  stranger: its parent is gone. */
static pid_t start_burner(bool stranger)
{
	int ends[2];
	pid_t pid;
	cr_assert_eq(pipe(ends), 0);
	pid_t child = fork();
	if (child == 0) {
		pid = stranger ? fork() : 0;
		if (pid > 0)
			_exit(0);
		prctl(PR_SET_PDEATHSIG, stranger ? 0 : SIGKILL);
		burn();
		pid = getpid();
		if (write(ends[1], &pid, sizeof pid) != sizeof pid)
			_exit(1);
		for (;;)
			pause();
	}
	if (stranger)
		waitpid(child, NULL, 0);
	cr_assert_eq(read(ends[0], &pid, sizeof pid), sizeof pid);
	close(ends[0]);
	close(ends[1]);
	return pid;
}

/* Parts of all cores as seconds of one. */
static double seconds(double share, const struct share_reading *from, const struct share_reading *to)
{
	return share * (double)(to->at_ns - from->at_ns) / 1e9 * get_nprocs();
}

static void begin(struct share_reading *ret)
{
	struct fault f;
	cr_assert(share_read(ret, &f), "%s", f.text);
}

Test(share, of_the_process_itself_is_the_load)
{
	struct share_reading from, to;
	begin(&from);
	burn();
	begin(&to);
	struct shares s = share_between(&from, &to, NULL, 0);
	cr_expect_geq(seconds(s.load, &from, &to), BURNT_S - 0.05);
	share_finish(&from);
	share_finish(&to);
}

/* The clock of /proc ticks every 10 ms. */
Test(share, of_a_stranger_is_foreign_unless_it_is_named)
{
	struct share_reading from, to;
	begin(&from);
	pid_t stranger = start_burner(true);
	begin(&to);
	double with = seconds(share_between(&from, &to, NULL, 0).foreign, &from, &to);
	double without = seconds(share_between(&from, &to, &stranger, 1).foreign, &from, &to);
	cr_expect_geq(with - without, BURNT_S - 0.05);
	cr_expect_leq(with - without, BURNT_S + 0.2);
	kill(stranger, SIGKILL);
	share_finish(&from);
	share_finish(&to);
}

Test(share, of_what_it_has_started_is_its_own)
{
	struct share_reading from, to;
	begin(&from);
	pid_t stranger = start_burner(true);
	begin(&to);
	double named = seconds(share_between(&from, &to, &stranger, 1).own, &from, &to);
	cr_expect_geq(named, BURNT_S - 0.05);
	cr_expect_leq(named, BURNT_S + 0.2);
	cr_expect_lt(seconds(share_between(&from, &to, NULL, 0).own, &from, &to), 0.05);
	kill(stranger, SIGKILL);
	share_finish(&from);
	share_finish(&to);
}

Test(share, of_a_child_is_not_foreign)
{
	struct share_reading from, to;
	begin(&from);
	pid_t child = start_burner(false);
	begin(&to);
	double all = seconds(share_between(&from, &to, NULL, 0).foreign, &from, &to);
	double without = seconds(share_between(&from, &to, &child, 1).foreign, &from, &to);
	cr_expect_float_eq(all, without, 0.001);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	share_finish(&from);
	share_finish(&to);
}
