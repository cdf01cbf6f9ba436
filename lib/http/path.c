/* path.c - splits a request target into decoded segments.
 *
 * nginx has already applied its limits and locations to the path when the responder reads it.  Both must therefore
 * understand a path in the same way; where they would not, the path is answered as absent.  Reading continues to the
 * end of a path that is too long, so that an invalid escape is FAULT_MALFORMED whatever the length.  Which route a path
 * belongs to is decided in app/route.c. */

#include "http/path.h"

#include <string.h>

#include "base/encode.h"

/* Decodes one byte of a segment.  Returns false for an invalid escape, and for %00, which would end the segment
 * early. */
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

/* The place for decoded bytes.  Bytes that do not fit are dropped, but their escapes are still checked. */
struct writer {
	struct path *path;
	size_t len; /* bytes of path->text in use; removed segments stay in it */
	bool full;  /* no route has this path */
};

static void put(struct writer *w, char c)
{
	if (w->len < PATH_TEXT_MAX)
		w->path->text[w->len++] = c;
	else
		w->full = true;
}

/* Removes the last segment for "..".  nginx merges adjacent slashes and treats %2F as a slash.  If the removed segment
 * is empty or contains a slash, nginx would resolve the path differently and apply its limits to another path, so such
 * a path is answered as absent. */
static void remove_segment(struct writer *w)
{
	struct path *p = w->path;
	const char *left = p->segment[--p->count];
	if (*left == '\0' || strchr(left, '/'))
		w->full = true;
}

/* Adds the segment that begins at start, or applies it if it is "." or "..".  A path that ends in one of them ends in
 * an empty segment: "/a/." is "/a/".  Returns false if ".." leads above the root. */
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
			remove_segment(w);
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
