/* path.c - from a request target to decoded segments. */

#include "http/path.h"

#include <string.h>

#include "base/encode.h"

/* One byte of a segment.  False: an escape that is broken, or of NUL. */
static bool decode_byte(const char **at, char *ret)
{
	const char *s = *at;
	if (*s != '%') {
		*ret = *s;
		*at = s + 1;
		return true;
	}
	unsigned char byte;
	size_t len;
	if (s[1] == '\0' || !encode_read(ENCODING_HEX, s + 1, 2, &byte, 1, &len) || byte == 0)
		return false;
	*ret = (char)byte;
	*at = s + 3;
	return true;
}

static bool is_end(char c)
{
	return c == '\0' || c == '?' || c == '#';
}

/* Where the decoded bytes go; what does not fit is still read, for its escapes may be broken. */
struct writer {
	struct path *path;
	size_t len;
	bool full; /* it is none of ours */
};

static void put(struct writer *w, char c)
{
	if (w->len < PATH_TEXT_MAX)
		w->path->text[w->len++] = c;
	else
		w->full = true;
}

/* Takes away the last segment, as ".." means.  nginx merges slashes and takes %2F for one: past a segment that is empty or
 * holds a slash, it would arrive elsewhere, and what it counts by path would count for another. */
static void climb(struct writer *w)
{
	struct path *p = w->path;
	const char *left = p->segment[--p->count];
	if (*left == '\0' || strchr(left, '/'))
		w->full = true;
}

/* Adds the segment that was just written, or resolves it.  False: it climbs above the root. */
static bool end_segment(struct writer *w, size_t start, bool last)
{
	struct path *p = w->path;
	const char *text = p->text + start;
	put(w, '\0');
	if (w->full)
		return true;
	bool dots = strcmp(text, "..") == 0;
	if (dots || strcmp(text, ".") == 0) {
		w->len = start;
		if (dots && p->count == 0)
			return false;
		if (dots)
			climb(w);
		if (!last)
			return true;
		p->text[start] = '\0';
		w->len = start + 1;
	}
	if (p->count == PATH_SEGMENTS_MAX)
		w->full = true;
	else
		p->segment[p->count++] = text;
	return true;
}

bool path_read(const char *target, struct path *ret, struct fault *f)
{
	struct writer w = {.path = ret};
	const char *at = target;

	ret->count = 0;
	if (*at != '/')
		return fault_set(f, FAULT_MALFORMED, "the path does not begin with a slash");
	while (*at == '/') {
		size_t start = w.len;
		at++;
		while (*at != '/' && !is_end(*at)) {
			char c;
			if (!decode_byte(&at, &c))
				return fault_set(f, FAULT_MALFORMED, "the path has a broken escape at byte %d",
					(int)(at - target));
			put(&w, c);
		}
		if (!end_segment(&w, start, is_end(*at)))
			return fault_set(f, FAULT_MALFORMED, "the path climbs above the root");
	}
	if (w.full)
		return fault_set(f, FAULT_ABSENT, "there is nothing at this path");
	return true;
}
