/* test_file.c - reading a file as a whole: a byte order mark is refused, and what the buffer held before is no part of it. */

#include "base/file.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char path[] = "/tmp/payhook-file-XXXXXX";
static struct buf content;
static struct fault f;

static void write_file(const char *bytes, size_t len)
{
	int fd = mkstemp(path);
	cr_assert(fd >= 0 && write(fd, bytes, len) == (ssize_t)len);
	close(fd);
}

static void finish(void)
{
	unlink(path);
	buf_finish(&content);
}

TestSuite(file, .fini = finish);

static void refuses_mark(const char *bytes, size_t len, const char *why)
{
	memcpy(path + strlen(path) - 6, "XXXXXX", 6);
	write_file(bytes, len);
	content = BUF_INIT(100);
	cr_expect_not(file_read(path, &content, &f), "%s", why);
	cr_expect_eq(f.kind, FAULT_INPUT);
	cr_expect_not_null(strstr(f.text, "begins with a byte order mark"), "%s", f.text);
	cr_expect_not_null(strstr(f.text, why), "%s", f.text);
	finish();
}

Test(file, refuses_a_byte_order_mark)
{
	refuses_mark("\xef\xbb\xbfhunter2\n", 11, "plain text without one");
	refuses_mark("\xef\xbb\xbf", 3, "plain text without one");
	refuses_mark("\xff\xfeh\0", 4, "plain ASCII or UTF-8");
	refuses_mark("\xfe\xff\0h", 4, "plain ASCII or UTF-8");
}

Test(file, looks_for_the_mark_at_the_start_of_the_file_only)
{
	content = BUF_INIT(100);
	buf_add_text(&content, "\xef\xbb\xbf");
	write_file("a\xef\xbb\xbf", 4);
	cr_assert(file_read(path, &content, &f), "%s", f.text);
	cr_expect_eq(content.len, 7);
	cr_expect_arr_eq(content.data, "\xef\xbb\xbf\x61\xef\xbb\xbf", 7);
}

Test(file, appends_a_file_and_refuses_a_mark_behind_what_was_there)
{
	content = BUF_INIT(100);
	buf_add_text(&content, "a");
	write_file("\xef\xbb\xbfx", 4);
	cr_expect_not(file_read(path, &content, &f));
}

Test(file, reads_an_empty_file)
{
	content = BUF_INIT(100);
	write_file("", 0);
	cr_expect(file_read(path, &content, &f), "%s", f.text);
	cr_expect_eq(content.len, 0);
}
