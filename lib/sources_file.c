/* sources_file.c - the operator's file of sources, and the secrets that it names. */

#include "sources_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "json_scan.h"
#include "sources_read.h"

#define VARIABLES_MAX (SOURCES_MAX * SIGNER_SECRETS_MAX)
#define PATH_MAX_BYTES 4095

struct loading {
	const char *path;
	void (*told)(const char *complaint);
	int count;
	char *variables[VARIABLES_MAX]; /* values that hold a secret, in the environment itself */
};

/* Up to the buffer's maximum: more is its overflow.  Nothing of the file stays in a buffer of another's. */
static bool read_file(const char *path, struct buf *ret, struct fault *f)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return fault_set(f, FAULT_INPUT, "it cannot be opened: %s", strerror(errno));
	ssize_t got = 1;
	char *room = buf_room(ret, ret->max);
	while (room && got > 0 && ret->len < ret->max) {
		got = read(fd, ret->data + ret->len, ret->max - ret->len);
		if (got > 0)
			buf_grown(ret, (size_t)got);
	}
	int why = errno;
	close(fd);
	if (!room || got < 0)
		return fault_set(f, FAULT_INPUT, "it cannot be read: %s", room ? strerror(why) : "no memory");
	return true;
}

static bool read_variable(struct loading *l, const char *name, struct buf *ret, struct fault *f)
{
	char *value = getenv(name);
	if (!value)
		return fault_set(f, FAULT_INPUT, "this variable is not set");
	if (l->count < VARIABLES_MAX)
		l->variables[l->count++] = value;
	buf_add_text(ret, value);
	return true;
}

static bool read_secret(void *ctx, enum secret_place place, const char *name, struct buf *ret, struct fault *f)
{
	struct loading *l = ctx;
	char path[PATH_MAX_BYTES + 1];
	const char *slash = strrchr(l->path, '/');
	int folder = slash && *name != '/' ? (int)(slash + 1 - l->path) : 0;
	if (place == SECRET_IN_VARIABLE)
		return read_variable(l, name, ret, f);
	if (snprintf(path, sizeof path, "%.*s%s", folder, l->path, name) >= (int)sizeof path)
		return fault_set(f, FAULT_INPUT, "its path is too long");
	return read_file(path, ret, f);
}

static void tell(void *ctx, const char *complaint)
{
	struct loading *l = ctx;
	l->told(complaint);
}

bool sources_load(const char *path, const struct currency_extras *extras, void (*told)(const char *complaint),
	struct sources *ret)
{
	struct loading l = {.path = path, .told = told};
	struct sources_outside outside = {
		.file = path, .extras = extras, .secret = read_secret, .told = tell, .ctx = &l};
	struct fault f, why;
	sources_init(ret);
	if (!*path)
		return true;
	struct buf text = BUF_INIT(JSON_TEXT_MAX + 1);
	bool good = read_file(path, &text, &why);
	if (good)
		good = sources_read(text.data ? text.data : "", text.len, &outside, ret);
	else if (!fault_set(&f, why.kind, "SOURCES_FILE=%s: %s", path, why.text))
		told(f.text);
	buf_finish(&text);
	for (int i = 0; i < l.count; i++)
		explicit_bzero(l.variables[i], strlen(l.variables[i]));
	return good;
}
