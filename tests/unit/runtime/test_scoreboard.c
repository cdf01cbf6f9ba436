/* test_scoreboard.c - the shared memory in which processes count: a process that dies takes no counts away. */

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/scoreboard.h"

static const struct metric TABLE[] = {
	{.name = "t_things_total", .help = "Things", .kind = METRIC_COUNTER},
	{.name = "t_busy", .help = "Busy", .kind = METRIC_GAUGE},
	{.name = "t_last", .help = "Last", .kind = METRIC_GAUGE, .sparse = true, .is_latest = true},
};

static struct metrics m;
static char folder[32];
static struct scoreboard *scoreboard;

static void init(void)
{
	snprintf(folder, sizeof folder, "/tmp/payhook-page-XXXXXX");
	cr_assert_not_null(mkdtemp(folder));
	metrics_lay_out(&m, TABLE, COUNT_OF(TABLE));
}

static void path_of(char ret[128])
{
	snprintf(ret, 128, "%s/t-%016llx", folder, (unsigned long long)metrics_mark(&m));
}

static void fini(void)
{
	char path[128];
	scoreboard_close(scoreboard);
	path_of(path);
	unlink(path);
	rmdir(folder);
}

TestSuite(scoreboard, .init = init, .fini = fini, .timeout = 120);

static struct scoreboard *open_scoreboard(void)
{
	struct scoreboard *p;
	struct fault f;
	cr_assert(scoreboard_open(folder, "t", &m, &p, &f), "%s", f.text);
	return p;
}

static void sums_are(const struct scoreboard *p, int living, int64_t things, int64_t busy)
{
	int64_t sums[COUNT_OF(TABLE)] = {-1, -1, -1};
	cr_expect_eq(scoreboard_sum(p, sums), living);
	cr_expect_eq(sums[0], things, "%lld things", (long long)sums[0]);
	cr_expect_eq(sums[1], busy, "%lld busy", (long long)sums[1]);
}

/* A child that counts this much, reports that it has, and waits to be killed. */
static pid_t counting_child(int64_t things)
{
	int ends[2];
	char byte;
	cr_assert_eq(pipe(ends), 0);
	pid_t pid = fork();
	if (pid == 0) {
		struct scoreboard *p = open_scoreboard();
		metric_add(&m, scoreboard_cells(p), 0, 0, things);
		metric_set(&m, scoreboard_cells(p), 1, 0, 9);
		if (write(ends[1], "c", 1) == 1)
			pause();
		_exit(1);
	}
	close(ends[1]);
	cr_assert_eq(read(ends[0], &byte, 1), 1);
	close(ends[0]);
	return pid;
}

static void kill_child(pid_t pid)
{
	kill(pid, SIGKILL);
	cr_assert_eq(waitpid(pid, NULL, 0), pid);
}

Test(scoreboard, sums_what_its_processes_count)
{
	scoreboard = open_scoreboard();
	struct scoreboard *second = open_scoreboard();
	metric_add(&m, scoreboard_cells(scoreboard), 0, 0, 2);
	metric_add(&m, scoreboard_cells(second), 0, 0, 3);
	metric_set(&m, scoreboard_cells(second), 1, 0, 1);
	sums_are(scoreboard, 2, 5, 1);
	sums_are(second, 2, 5, 1);
	scoreboard_close(second);
	sums_are(scoreboard, 1, 5, 0);
}

Test(scoreboard, leaves_an_absent_gauge_out_of_its_sum)
{
	scoreboard = open_scoreboard();
	struct scoreboard *second = open_scoreboard();
	metric_set(&m, scoreboard_cells(scoreboard), 1, 0, METRIC_ABSENT);
	metric_set(&m, scoreboard_cells(second), 1, 0, 4);
	sums_are(scoreboard, 2, 0, 4);
	metric_set(&m, scoreboard_cells(second), 1, 0, METRIC_ABSENT);
	sums_are(scoreboard, 2, 0, METRIC_ABSENT);
	scoreboard_close(second);
}

Test(scoreboard, keeps_the_counters_of_a_killed_process_and_forgets_its_gauges)
{
	scoreboard = open_scoreboard();
	metric_add(&m, scoreboard_cells(scoreboard), 0, 0, 1);
	pid_t child = counting_child(40);
	sums_are(scoreboard, 2, 41, 9);
	kill_child(child);
	sums_are(scoreboard, 1, 41, 0);
}

Test(scoreboard, lets_the_next_process_count_on_where_a_dead_one_stopped)
{
	scoreboard = open_scoreboard();
	for (int i = 0; i < 2 * SCOREBOARD_SLOTS; i++)
		kill_child(counting_child(1));
	sums_are(scoreboard, 1, 2 * SCOREBOARD_SLOTS, 0);
}

Test(scoreboard, begins_a_dead_process_s_slot_without_its_gauges)
{
	kill_child(counting_child(5));
	scoreboard = open_scoreboard();
	sums_are(scoreboard, 1, 5, 0);
}

Test(scoreboard, refuses_more_processes_than_it_has_slots)
{
	struct scoreboard *all[SCOREBOARD_SLOTS], *more = NULL;
	struct fault f;
	for (int i = 0; i < SCOREBOARD_SLOTS; i++)
		all[i] = open_scoreboard();
	cr_expect_not(scoreboard_open(folder, "t", &m, &more, &f));
	cr_expect_null(more);
	cr_expect_not_null(strstr(f.text, "128 slots are taken"), "%s", f.text);
	for (int i = 0; i < SCOREBOARD_SLOTS; i++)
		scoreboard_close(all[i]);
}

Test(scoreboard, is_for_its_own_user_only)
{
	char path[128];
	struct stat s;
	scoreboard = open_scoreboard();
	path_of(path);
	cr_assert_eq(stat(path, &s), 0);
	cr_expect_eq(s.st_mode & 0777, 0600);
}

Test(scoreboard, follows_no_link_and_needs_its_folder)
{
	char path[128];
	struct scoreboard *p = NULL;
	struct fault f;
	path_of(path);
	cr_assert_eq(symlink("/dev/zero", path), 0);
	cr_expect_not(scoreboard_open(folder, "t", &m, &p, &f));
	cr_expect_not(scoreboard_open("/nonexistent", "t", &m, &p, &f));
	cr_expect_not_null(strstr(f.text, "/nonexistent/t-"), "%s", f.text);
	cr_expect_null(p);
}

Test(scoreboard, of_a_gauge_with_is_latest_the_highest_counts_also_of_a_process_that_died)
{
	int64_t sums[COUNT_OF(TABLE)];
	scoreboard = open_scoreboard();
	(void)scoreboard_sum(scoreboard, sums);
	cr_expect_eq(sums[2], 0);
	metric_set(&m, scoreboard_cells(scoreboard), 2, 0, 700);
	scoreboard_close(scoreboard);
	scoreboard = open_scoreboard();
	metric_set(&m, scoreboard_cells(scoreboard), 1, 0, 1);
	(void)scoreboard_sum(scoreboard, sums);
	cr_expect_eq(sums[2], 700, "%lld", (long long)sums[2]);
}
