/* sources_file.c - reads the operator's file of sources, and the files and variables to which it refers for secrets.
 *
 * This is the part of the configuration that has side effects: it opens files and changes the environment.  The content
 * is left to sources_read.c, which calls back for each secret.  A secret stays in memory only inside its key: the
 * caller's buffer is wiped, and so is the variable it came from. */

#include "source/sources_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "json/scan.h"
#include "source/sources_read.h"

#define VARIABLES_MAX (SOURCES_MAX * (SIGNER_SECRETS_MAX + 1)) /* the one more is of "basic" */
#define PATH_MAX_BYTES 4095

struct loading {
	const char *path;
	void (*report)(const char *complaint);
	int count;
	char *variables[VARIABLES_MAX]; /* values that contain a secret, inside the environment */
};

/* Copies the value and remembers where it is.  It is not wiped yet: two secrets may refer to the same variable. */
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

/* Reads one secret.  A relative path is resolved against the directory of the list. */
static bool sources_file_read_secret(
	void *ctx, enum secret_place place, const char *name, struct buf *ret, struct fault *f)
{
	struct loading *l = ctx;
	char path[PATH_MAX_BYTES + 1];
	const char *slash = strrchr(l->path, '/');
	int folder = slash && *name != '/' ? (int)(slash + 1 - l->path) : 0;
	if (place == SECRET_IN_VARIABLE)
		return read_variable(l, name, ret, f);
	if (snprintf(path, sizeof path, "%.*s%s", folder, l->path, name) >= (int)sizeof path)
		return fault_set(f, FAULT_INPUT, "its path is too long");
	return file_read(path, ret, f);
}

/* Adapts the caller's report, which has no context, to that of sources_read(). */
static void sources_file_pass_complaint(void *ctx, const char *complaint)
{
	struct loading *l = ctx;
	l->report(complaint);
}

/* Not by opening /dev/stdin, which fails if it is another user's pipe. */
static bool read_standard_input(struct buf *ret, struct fault *f)
{
	char piece[4096];
	ssize_t got;
	while (ret->len < ret->max && (got = read(STDIN_FILENO, piece, sizeof piece)) != 0) {
		if (got < 0)
			return fault_set(f, FAULT_INPUT, "%s", strerror(errno));
		buf_add(ret, piece, (size_t)got);
	}
	return true;
}

static bool load(struct loading *l, const char *path, struct sources_outside *outside, struct sources *ret)
{
	struct fault f, why;
	sources_init(ret);
	if (!*path)
		return true;
	struct buf text = BUF_INIT(JSON_TEXT_MAX + 1);
	bool good = strcmp(path, "-") == 0 ? read_standard_input(&text, &why) : file_read(path, &text, &why);
	if (good)
		good = sources_read(text.data ? text.data : "", text.len, outside, ret);
	else if (!fault_set(&f, why.kind, "SOURCES_FILE=%s: %s", path, why.text))
		l->report(f.text);
	if (text.data)
		explicit_bzero(text.data, text.cap); /* an operator may have written a secret into it */
	buf_finish(&text);
	/* Only now, after the last secret was read; after a failure too. */
	for (int i = 0; i < l->count; i++)
		explicit_bzero(l->variables[i], strlen(l->variables[i]));
	return good;
}

bool sources_load(const char *path, const struct currency_extras *extras, void (*report)(const char *complaint),
	struct sources *ret)
{
	struct loading l = {.path = path, .report = report};
	struct sources_outside outside = {.file = path,
		.extras = extras,
		.secret = sources_file_read_secret,
		.report = sources_file_pass_complaint,
		.ctx = &l};
	return load(&l, path, &outside, ret);
}

bool sources_load_mappings(const char *path, const struct currency_extras *extras,
	void (*report)(const char *complaint), struct sources *ret)
{
	struct loading l = {.path = path, .report = report};
	struct sources_outside outside = {
		.file = path, .extras = extras, .report = sources_file_pass_complaint, .ctx = &l};
	return load(&l, path, &outside, ret);
}
