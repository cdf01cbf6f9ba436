/* secret.c - reads a secret of a source as a text.
 *
 * It reports nothing: sources_load() reads the same file after it, and reports every mistake.  The caller wipes the text. */

#include "secret.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ascii.h"
#include "base/buf.h"
#include "base/file.h"
#include "json/scan.h"
#include "json/value.h"

#define FILE_MAX (1024 * 1024)
#define PATH_BYTES 2048

static void secret_keep(const char *text, size_t len, char ret[SECRET_TEXT_MAX])
{
	ascii_trim(&text, &len);
	if (len < SECRET_TEXT_MAX)
		snprintf(ret, SECRET_TEXT_MAX, "%.*s", (int)len, text);
}

/* A relative path is that of a file beside SOURCES_FILE. */
static void read_secret_file(const char *sources_file, const char *name, char ret[SECRET_TEXT_MAX])
{
	char path[PATH_BYTES];
	struct buf text = BUF_INIT(FILE_MAX);
	struct fault f;
	const char *slash = strrchr(sources_file, '/');
	int folder = *name == '/' || !slash ? 0 : (int)(slash + 1 - sources_file);
	int len = snprintf(path, sizeof path, "%.*s%s", folder, sources_file, name);
	if (len > 0 && len < (int)sizeof path && file_read(path, &text, &f) && text.len > 0)
		secret_keep(text.data, text.len, ret);
	if (text.data)
		explicit_bzero(text.data, text.len);
	buf_finish(&text);
}

static void read_reference(const char *sources_file, struct json_value reference, char ret[SECRET_TEXT_MAX])
{
	struct json_value v;
	char name[PATH_BYTES];
	size_t len;
	if (json_value_kind(reference) != JSON_IS_OBJECT)
		return;
	if (json_value_find(reference, "/file", &v) && json_value_text(v, name, sizeof name, &len)) {
		read_secret_file(sources_file, name, ret);
	} else if (json_value_find(reference, "/env", &v) && json_value_text(v, name, sizeof name, &len)) {
		const char *text = getenv(name);
		if (text)
			secret_keep(text, strlen(text), ret);
	}
}

void secret_read(const char *sources_file, const char *source, const char *pointer, char ret[SECRET_TEXT_MAX])
{
	struct buf text = BUF_INIT(FILE_MAX);
	struct json_value list, one, name, reference;
	struct fault f;
	*ret = '\0';
	if (*sources_file && file_read(sources_file, &text, &f) && text.len > 0 && json_scan(text.data, text.len, &f) &&
		json_value_find(json_value_of(text.data, text.len), "/sources", &list) &&
		json_value_kind(list) == JSON_IS_ARRAY) {
		for (struct json_walk w = json_walk_into(list); json_walk_next(&w, NULL, &one);) {
			if (json_value_find(one, "/name", &name) && json_value_equals(name, source) &&
				json_value_find(one, pointer, &reference))
				read_reference(sources_file, reference, ret);
		}
	}
	buf_finish(&text);
}
