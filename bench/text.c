/* text.c - text files as strings. */

#include "text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

#define TEXT_MAX (1 << 20)

char *text_read(const char *path, struct fault *f)
{
	FILE *file = fopen(path, "r");
	char *text = file ? malloc(TEXT_MAX) : NULL;
	size_t len = text ? fread(text, 1, TEXT_MAX - 1, file) : 0;
	if (text)
		text[len] = '\0';
	else
		fault_set(f, FAULT_BUSY, "%s: %s", path, strerror(errno));
	if (file)
		fclose(file);
	return text;
}

bool text_write(const char *path, const char *text, struct fault *f)
{
	FILE *file = fopen(path, "w");
	bool ok = file && fputs(text, file) >= 0;
	if (file)
		ok = fclose(file) == 0 && ok;
	return ok || fault_set(f, FAULT_BUSY, "%s: %s", path, strerror(errno));
}

int text_replace(char **text, const char *what, const char *by)
{
	struct buf out = BUF_INIT(TEXT_MAX);
	int count = 0;
	const char *from = *text;
	for (const char *at; (at = strstr(from, what)); from = at + strlen(what), count++) {
		buf_add(&out, from, (size_t)(at - from));
		buf_add_text(&out, by);
	}
	if (count == 0)
		return 0;
	buf_add_text(&out, from);
	if (!buf_ok(&out)) {
		buf_finish(&out);
		return -1;
	}
	free(*text);
	*text = out.data;
	return count;
}
