/* fuzz_path.c - the input as a request target.  Its segments must equal those of a second, slower parser, and stay the
 * same when they are written out again with every byte escaped. */

#include <string.h>

#include "fuzz.h"
#include "http/path.h"

static int digit_of(char c)
{
	static const char digits[] = "0123456789abcdefABCDEF";
	const char *at = c ? strchr(digits, c) : NULL;
	long place = at ? at - digits : -1;
	return (int)(place < 16 ? place : place - 6);
}

/* The slower parser: cuts out each segment, decodes it, and then adds it or resolves it. */
struct model {
	int count;
	char *segment[PATH_TEXT_MAX];
};

static char *decoded(const char *text, size_t len)
{
	char *ret = calloc(len + 1, 1), *to = ret;
	MUST_HOLD(ret);
	for (size_t i = 0; i < len; i++) {
		bool escape = text[i] == '%';
		MUST_HOLD(!escape || (i + 2 < len && digit_of(text[i + 1]) >= 0 && digit_of(text[i + 2]) >= 0));
		*to++ = (char)(escape ? digit_of(text[i + 1]) * 16 + digit_of(text[i + 2]) : text[i]);
		i += escape ? 2 : 0;
	}
	MUST_HOLD(strlen(ret) == (size_t)(to - ret)); /* no NUL was written */
	return ret;
}

static void add(struct model *m, char *segment, bool last)
{
	bool up = strcmp(segment, "..") == 0, dots = up || strcmp(segment, ".") == 0;
	MUST_HOLD(!up || m->count > 0);
	if (up) {
		char *left = m->segment[--m->count];
		MUST_HOLD(*left && !strchr(left, '/')); /* nginx would climb out of another segment */
		free(left);
	}
	if (dots)
		*segment = '\0';
	if (dots && !last)
		free(segment);
	else
		m->segment[m->count++] = segment;
	MUST_HOLD(m->count < PATH_TEXT_MAX);
}

static void must_be_as_modelled(const char *target, const struct path *p)
{
	static struct model m;
	size_t len = strcspn(target, "?#");
	m.count = 0;
	MUST_HOLD(target[0] == '/');
	for (size_t at = 1; at <= len;) {
		size_t part = strcspn(target + at, "/?#");
		add(&m, decoded(target + at, part), at + part == len);
		at += part + 1;
	}
	MUST_HOLD(p->count == m.count);
	for (int i = 0; i < m.count; i++) {
		MUST_HOLD(strcmp(p->segment[i], m.segment[i]) == 0);
		free(m.segment[i]);
	}
}

/* Every segment lies in the path's own text, behind the one before it. */
static void must_be_in_bounds(const struct path *p)
{
	const char *free_from = p->text;
	MUST_HOLD(p->count >= 1 && p->count <= PATH_SEGMENTS_MAX);
	for (int i = 0; i < p->count; i++) {
		MUST_HOLD(p->segment[i] >= free_from && p->segment[i] < p->text + PATH_TEXT_MAX);
		MUST_HOLD(memchr(p->segment[i], '\0', (size_t)(p->text + PATH_TEXT_MAX - p->segment[i])));
		MUST_HOLD(strcmp(p->segment[i], ".") != 0 && strcmp(p->segment[i], "..") != 0);
		free_from = p->segment[i] + strlen(p->segment[i]) + 1;
	}
}

static void must_be_the_same(const struct path *p, const char *target)
{
	struct path again;
	struct fault f;
	MUST_HOLD(path_read(target, &again, &f));
	MUST_HOLD(again.count == p->count);
	for (int i = 0; i < p->count; i++)
		MUST_HOLD(strcmp(again.segment[i], p->segment[i]) == 0);
}

static void must_survive_a_round(const struct path *p)
{
	char target[PATH_TEXT_MAX * 3 + 8], *to = target;
	for (int i = 0; i < p->count; i++) {
		*to++ = '/';
		for (const char *c = p->segment[i]; *c; c++)
			to += snprintf(to, 4, "%%%02x", (unsigned)(unsigned char)*c);
	}
	*to = '\0';
	must_be_the_same(p, target);
	memcpy(to, "?/..", 5);
	must_be_the_same(p, target);
	memcpy(to, "#/%", 4);
	must_be_the_same(p, target);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct path p;
	struct fault f = {FAULT_BUG, ""};
	char *target = malloc(len + 1);
	MUST_HOLD(target);
	if (len)
		memcpy(target, data, len);
	target[len] = '\0';
	if (path_read(target, &p, &f)) {
		must_be_in_bounds(&p);
		must_be_as_modelled(target, &p);
		must_survive_a_round(&p);
	} else {
		MUST_HOLD((f.kind == FAULT_MALFORMED || f.kind == FAULT_ABSENT) && f.text[0]);
	}
	free(target);
	return 0;
}
