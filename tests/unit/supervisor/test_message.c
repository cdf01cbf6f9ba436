/* test_message.c - the supervisor's own log is renamed when it is too long. */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "message.h"
#include "part_log.h"
#include "terminal.h"

static char folder[] = "/tmp/payhook-message-XXXXXX";

static const char *path_in(const char *name)
{
	static char path[128];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	return path;
}

static void prepare(void)
{
	cr_assert_not_null(mkdtemp(folder));
}

static void clean(void)
{
	unlink(path_in("payhook.log"));
	unlink(path_in("payhook.log.1"));
	rmdir(folder);
}

TestSuite(message, .init = prepare, .fini = clean);

static void expect_one_line(const char *line)
{
	char text[256];
	FILE *file = fopen(path_in("payhook.log"), "re");
	cr_assert_not_null(file);
	text[fread(text, 1, sizeof text - 1, file)] = '\0';
	fclose(file);
	const char *at = strchr(text, ' ');
	cr_expect_str_eq(at ? at + 1 : text, line);
}

Test(message, renames_its_log)
{
	struct fault f;
	struct stat s;
	terminal_close();
	cr_assert(message_open(folder, &f), "%s", f.text);
	message("before");
	cr_assert_eq(truncate(path_in("payhook.log"), PART_LOG_MOST + 1), 0);
	message("after");
	expect_one_line("after\n");
	cr_assert_eq(stat(path_in("payhook.log.1"), &s), 0);
	cr_expect_eq(s.st_size, PART_LOG_MOST + 1);
}
