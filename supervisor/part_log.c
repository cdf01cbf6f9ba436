/* part_log.c - appends to a file what a part writes, and bounds the file's length. */

#define _GNU_SOURCE /* memrchr(), pipe2(), F_SETPIPE_SZ */

#include "part_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "terminal.h"

#define CHUNK_MAX (64 << 10)

static char *path_of(const char *folder, const char *name, const char *ending)
{
	size_t size = strlen(folder) + strlen(name) + strlen(ending) + 2;
	char *path = malloc(size);
	if (path)
		snprintf(path, size, "%s/%s%s", folder, name, ending);
	return path;
}

static bool file_open(struct part_log *l)
{
	struct stat s;
	l->file = open(l->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
	l->size = l->file >= 0 && fstat(l->file, &s) == 0 ? s.st_size : 0;
	return l->file >= 0;
}

/* Only called between two lines, or within one that is as long as a log may be. */
static void part_log_rotate(struct part_log *l)
{
	if (rename(l->path, l->older) == 0) {
		close(l->file);
		file_open(l);
	}
}

static void part_log_append(struct part_log *l, const char *text, size_t len)
{
	char report[80];
	if (l->file < 0 && !file_open(l)) {
		l->lost += (long long)len;
		return;
	}
	if (l->lost > 0) {
		int n = snprintf(report, sizeof report, "payhook: %lld bytes of this log were lost\n", l->lost);
		if (write(l->file, report, (size_t)n) == n)
			l->lost = 0;
	}
	while (len > 0) {
		ssize_t n = write(l->file, text, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			l->lost += (long long)len;
			return;
		}
		l->size += n;
		text += n;
		len -= (size_t)n;
	}
}

static void show_line(struct part_log *l)
{
	char text[PART_LOG_LINE_MAX + 64];
	size_t len = (size_t)snprintf(text, sizeof text - sizeof l->line, "%-8.50s | ", l->name);
	/* Not as a string, since the line may have a NUL. */
	memcpy(text + len, l->line, l->line_len);
	len += l->line_len;
	text[len++] = '\n';
	l->line_len = 0;
	terminal_print(text, len);
}

static void show(struct part_log *l, const char *text, size_t len)
{
	for (size_t n = 0; n < len; n++) {
		if (text[n] == '\n' || l->line_len == sizeof l->line)
			show_line(l);
		if (text[n] != '\n')
			l->line[l->line_len++] = text[n];
	}
}

static void part_log_take(struct part_log *l, const char *text, size_t len)
{
	if (l->is_shown)
		show(l, text, len);
	const char *end = memrchr(text, '\n', len);
	size_t whole = end ? (size_t)(end - text) + 1 : 0;
	if (whole > 0) {
		part_log_append(l, text, whole);
		l->unended = 0;
		if (l->size > l->most)
			part_log_rotate(l);
	}
	if (len > whole) {
		part_log_append(l, text + whole, len - whole);
		l->unended += (long long)(len - whole);
		if (l->unended > l->most) {
			l->unended = 0;
			part_log_rotate(l);
		}
	}
}

/* Returns false when the pipe is empty. */
static bool take_chunk(struct part_log *l)
{
	static char chunk[CHUNK_MAX]; /* the supervisor is one thread */
	ssize_t n = read(l->pipe[0], chunk, sizeof chunk);
	if (n > 0)
		part_log_take(l, chunk, (size_t)n);
	return n > 0;
}

static void part_log_on_readable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	take_chunk(arg);
}

bool part_log_open(struct part_log *l, struct event_base *base, const char *folder, const char *name, struct fault *f)
{
	*l = (struct part_log){.name = name, .most = PART_LOG_MOST, .file = -1, .pipe = {-1, -1}};
	l->path = path_of(folder, name, ".log");
	l->older = path_of(folder, name, ".log.1");
	if (!l->path || !l->older) {
		part_log_close(l);
		return fault_set(f, FAULT_BUSY, "no memory for the log of %s", name);
	}
	if (!file_open(l)) {
		fault_set(f, FAULT_INPUT, "%s: %s", l->path, strerror(errno));
		part_log_close(l);
		return false;
	}
	if (pipe2(l->pipe, O_CLOEXEC) != 0 || fcntl(l->pipe[0], F_SETFL, O_NONBLOCK) != 0 ||
		!(l->readable = event_new(base, l->pipe[0], EV_READ | EV_PERSIST, part_log_on_readable, l)) ||
		event_add(l->readable, NULL) != 0) {
		fault_set(f, FAULT_BUSY, "no pipe for the log of %s: %s", name, strerror(errno));
		part_log_close(l);
		return false;
	}
	/* More room is a help only: an unprivileged user may have used up what all pipes of a user may have. */
	(void)fcntl(l->pipe[1], F_SETPIPE_SZ, 1 << 20);
	return true;
}

void part_log_close(struct part_log *l)
{
	if (!l->name)
		return;
	if (l->readable) {
		while (take_chunk(l))
			;
		event_free(l->readable);
	}
	for (int end = 0; end < 2; end++)
		if (l->pipe[end] >= 0)
			close(l->pipe[end]);
	if (l->file >= 0)
		close(l->file);
	free(l->path);
	free(l->older);
	*l = (struct part_log){0};
}

/* The empty file exists before the part opens it, and that user may be unable to create files here. */
static bool replace_own(const char *path, const char *older, long long most)
{
	struct stat s;
	if (stat(path, &s) != 0 || s.st_size <= most || rename(path, older) != 0)
		return false;
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, s.st_mode & 07777);
	if (fd >= 0) {
		(void)!fchown(fd, s.st_uid, s.st_gid);
		close(fd);
	}
	return true;
}

bool part_log_rename_own(const char *folder, const char *name, long long most)
{
	char *path = path_of(folder, name, ".log");
	char *older = path_of(folder, name, ".log.1");
	bool is_renamed = path && older && replace_own(path, older, most);
	free(path);
	free(older);
	return is_renamed;
}
