/* file.c - reads a whole file into a buffer.
 *
 * The file may hold secrets.  Therefore the buffer is grown to its maximum before the first read and never moves while
 * the file is read, and read() is used instead of stdio: neither a freed block nor a stdio buffer keeps a copy.  Wiping
 * the buffer is left to the caller. */

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static bool mark_is(const char *text, size_t len, const char *start)
{
	return len >= strlen(start) && memcmp(text, start, strlen(start)) == 0;
}

bool file_check_mark(const char *text, size_t len, struct fault *f)
{
	bool is_utf8 = mark_is(text, len, "\xef\xbb\xbf");
	if (!is_utf8 && !mark_is(text, len, "\xff\xfe") && !mark_is(text, len, "\xfe\xff"))
		return true;
	return fault_set(f, FAULT_INPUT,
		"it begins with a byte order mark, which an editor has written: save it as plain %s",
		is_utf8 ? "text without one" : "ASCII or UTF-8");
}

bool file_read(const char *path, struct buf *ret, struct fault *f)
{
	size_t start = ret->len;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return fault_set(f, FAULT_INPUT, "it cannot be opened: %s", strerror(errno));
	ssize_t got = 1;
	char *room = buf_room(ret, ret->max - ret->len);
	while (room && got > 0 && ret->len < ret->max) {
		got = read(fd, ret->data + ret->len, ret->max - ret->len);
		if (got > 0)
			buf_grown(ret, (size_t)got);
	}
	int why = errno;
	close(fd);
	if (!room || got < 0)
		return fault_set(f, FAULT_INPUT, "it cannot be read: %s", room ? strerror(why) : "no memory");
	return file_check_mark(ret->data + start, ret->len - start, f);
}
