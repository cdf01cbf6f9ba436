/* test_part_log.c - a part's log is renamed between two lines when it is too long, and no line is lost. */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "part_log.h"

#define LINES 20000 /* of 24 bytes: more than one length of a log, less than two */
#define MOST (300 << 10)

static char folder[] = "/tmp/payhook-part-log-XXXXXX";

static void prepare(void)
{
	cr_assert_not_null(mkdtemp(folder));
}

static void clean(void)
{
	static const char *const names[] = {"/a.log", "/a.log.1"};
	char path[128];
	for (int n = 0; n < 2; n++) {
		snprintf(path, sizeof path, "%s%s", folder, names[n]);
		unlink(path);
	}
	rmdir(folder);
}

TestSuite(part_log, .init = prepare, .fini = clean);

/* In pieces that end within lines. */
static void write_lines(int fd)
{
	static char text[LINES * 24 + 1];
	size_t len = 0;
	for (int n = 0; n < LINES; n++)
		len += (size_t)snprintf(text + len, sizeof text - len, "line %06d xxxxxxxxxxx\n", n);
	for (size_t at = 0; at < len;) {
		size_t piece = 1000 < len - at ? 1000 : len - at;
		ssize_t n = write(fd, text + at, piece);
		if (n <= 0)
			_exit(1);
		at += (size_t)n;
	}
	_exit(0);
}

/* Reads lines from the number expected on; returns the number after the last. */
static int expect_lines(const char *name, int expected)
{
	char path[128], line[64], wanted[64];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	FILE *file = fopen(path, "re");
	cr_assert_not_null(file, "%s", path);
	while (fgets(line, sizeof line, file)) {
		snprintf(wanted, sizeof wanted, "line %06d xxxxxxxxxxx\n", expected);
		cr_assert_str_eq(line, wanted);
		expected++;
	}
	fclose(file);
	return expected;
}

Test(part_log, loses_no_line_when_it_is_renamed)
{
	struct event_base *base = event_base_new();
	struct part_log log;
	struct fault f;
	int status;
	cr_assert(part_log_open(&log, base, folder, "a", &f), "%s", f.text);
	log.most = MOST;
	pid_t writer = fork();
	if (writer == 0)
		write_lines(log.pipe[1]);
	while (waitpid(writer, &status, WNOHANG) == 0)
		event_base_loop(base, EVLOOP_NONBLOCK);
	cr_assert_eq(status, 0);
	part_log_close(&log);
	event_base_free(base);
	int next = expect_lines("a.log.1", 0);
	cr_expect_geq(next * 24, MOST, "it was renamed too early, after %d lines", next);
	cr_expect_lt(next, LINES, "it was not renamed");
	cr_expect_eq(expect_lines("a.log", next), LINES);
}

static long long size_of(const char *name, mode_t *ret_mode)
{
	char path[128];
	struct stat s;
	snprintf(path, sizeof path, "%s/%s", folder, name);
	if (stat(path, &s) != 0)
		return -1;
	*ret_mode = s.st_mode & 07777;
	return s.st_size;
}

/* A part in the hands of an attacker writes what it likes. */
Test(part_log, bounds_a_line_that_does_not_end)
{
	static const char text[10000];
	struct event_base *base = event_base_new();
	struct part_log log;
	struct fault f;
	mode_t mode;
	cr_assert(part_log_open(&log, base, folder, "a", &f), "%s", f.text);
	log.most = MOST;
	for (int n = 0; n < 3 * MOST / (int)sizeof text; n++) {
		cr_assert_eq(write(log.pipe[1], text, sizeof text), sizeof text);
		event_base_loop(base, EVLOOP_NONBLOCK);
	}
	part_log_close(&log);
	event_base_free(base);
	cr_expect_leq(size_of("a.log", &mode), MOST + (long long)sizeof text);
	cr_expect_leq(size_of("a.log.1", &mode), MOST + (long long)sizeof text);
}

Test(part_log, renames_a_log_that_the_part_writes_itself)
{
	char path[128];
	mode_t mode = 0;
	cr_expect_not(part_log_rename_own(folder, "a", 10), "there is none");
	snprintf(path, sizeof path, "%s/a.log", folder);
	int fd = open(path, O_WRONLY | O_CREAT, 0600);
	cr_assert_eq(write(fd, "0123456789", 10), 10);
	cr_expect_not(part_log_rename_own(folder, "a", 10), "it is not longer than that");
	cr_assert_eq(write(fd, "\n", 1), 1);
	cr_expect(part_log_rename_own(folder, "a", 10));
	cr_assert_eq(write(fd, "late\n", 5), 5);
	close(fd);
	cr_expect_eq(size_of("a.log.1", &mode), 16, "what is written before the part reopens its log is kept");
	cr_expect_eq(size_of("a.log", &mode), 0);
	cr_expect_eq(mode, 0600);
}

/* /dev/full answers each write with ENOSPC, as a full disk does. */
Test(part_log, reports_how_much_a_full_disk_did_not_take)
{
	struct event_base *base = event_base_new();
	struct part_log log;
	struct fault f;
	char path[128], text[128];
	cr_assert(part_log_open(&log, base, folder, "a", &f), "%s", f.text);
	int kept = log.file;
	log.file = open("/dev/full", O_WRONLY | O_CLOEXEC);
	cr_assert_eq(write(log.pipe[1], "lost\n", 5), 5);
	event_base_loop(base, EVLOOP_NONBLOCK);
	close(log.file);
	log.file = kept;
	cr_assert_eq(write(log.pipe[1], "kept\n", 5), 5);
	part_log_close(&log);
	event_base_free(base);
	snprintf(path, sizeof path, "%s/a.log", folder);
	FILE *file = fopen(path, "re");
	text[fread(text, 1, sizeof text - 1, file)] = '\0';
	fclose(file);
	cr_expect_str_eq(text, "payhook: 5 bytes of this log were lost\nkept\n");
}
