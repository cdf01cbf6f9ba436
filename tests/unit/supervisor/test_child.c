/* test_child.c - a process takes signals from its first moment on. */

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "child.h"

#define STARTS 200

TestSuite(child, .timeout = 120);

static volatile sig_atomic_t handled;

static void count(int number)
{
	(void)number;
	handled++;
}

static pid_t start(void)
{
	char *command[] = {"sleep", "1000", NULL};
	struct child_spec spec = {.command = command, .output = -1, .death_signal = SIGKILL};
	struct fault f;
	pid_t pid = 0;
	cr_assert(child_start(&spec, &pid, &f), "%s", f.text);
	return pid;
}

static void expect_end(pid_t pid, int number)
{
	int status = 0;
	while (waitpid(pid, &status, 0) != pid)
		cr_assert_eq(errno, EINTR);
	cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == number, "status %d", status);
}

/* The process has an output that holds its whole environment. */
static void expect_environment(char **environment, const char *expected)
{
	char *command[] = {"env", NULL}, text[256];
	int ends[2], status;
	struct fault f;
	pid_t pid = 0;
	cr_assert_eq(pipe(ends), 0);
	struct child_spec spec = {
		.command = command, .environment = environment, .output = ends[1], .death_signal = SIGKILL};
	cr_assert(child_start(&spec, &pid, &f), "%s", f.text);
	close(ends[1]);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	ssize_t len = read(ends[0], text, sizeof text - 1);
	cr_assert_geq(len, 0);
	text[len] = '\0';
	close(ends[0]);
	cr_expect_str_eq(text, expected);
}

Test(child, has_the_variables_it_is_given_and_no_others)
{
	setenv("PLANTED", "secret", 1);
	expect_environment((char *[]){"A=1", "B=2 3", NULL}, "A=1\nB=2 3\n");
	expect_environment(NULL, "");
}

/* The handler stands for the supervisor's own, which the process inherits. */
Test(child, a_signal_right_after_the_start_ends_it)
{
	signal(SIGTERM, count);
	for (int n = 0; n < STARTS; n++) {
		pid_t pid = start();
		kill(pid, SIGTERM);
		expect_end(pid, SIGTERM);
	}
	cr_expect_eq(handled, 0);
}

Test(child, a_signal_to_its_group_right_after_the_start_ends_it)
{
	signal(SIGTERM, count);
	for (int n = 0; n < STARTS; n++) {
		pid_t pid = start();
		child_signal_group(pid, SIGTERM);
		expect_end(pid, SIGTERM);
	}
}
