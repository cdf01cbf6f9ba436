/* http_message.c - parses a captured HTTP request in place, without allocation.
 *
 * The parser is strict, because "payhook-ctl verify" is useful only if its result is that of a responder: a message
 * that nginx would read in another way is an error here, not a guess.  The body is never changed, since a signature
 * covers each byte. */

#include "http_message.h"

#include <string.h>

#include "base/ascii.h"

struct reading {
	char *at, *end; /* the bytes that are not read yet */
	bool cut_short; /* end is the bound HTTP_HEAD_MAX, not the end of the text */
	int line;       /* number of the line read last, from 1 */
};

struct line {
	char *text;
	size_t len;
};

/* The characters of a token: a method, or the name of a header (RFC 9110, 5.6.2). */
static const char TOKEN[] = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

static bool is_token(const char *text)
{
	return *text && strspn(text, TOKEN) == strlen(text);
}

/* A tab is allowed in a header's value (RFC 9110, 5.5).  NUL counts as a control character, so a line that
 * passes is a C string. */
static bool has_control_character(const struct line *line)
{
	for (size_t i = 0; i < line->len; i++) {
		unsigned char c = (unsigned char)line->text[i];
		if ((c < ' ' && c != '\t') || c == 0x7f)
			return true;
	}
	return false;
}

/* Reads a line up to its LF, without a CR before that, and puts a NUL at its end. */
static bool next_line(struct reading *r, struct line *ret, struct fault *f)
{
	char *end = memchr(r->at, '\n', (size_t)(r->end - r->at));
	r->line++;
	if (!end && r->cut_short)
		return fault_set(
			f, FAULT_MALFORMED, "line %d: the head is longer than %d bytes", r->line, HTTP_HEAD_MAX);
	if (!end)
		return fault_set(f, FAULT_MALFORMED,
			"line %d: the text ends before the empty line that should stand behind the headers", r->line);
	*ret = (struct line){r->at, (size_t)(end - r->at)};
	r->at = end + 1;
	if (ret->len > 0 && end[-1] == '\r')
		ret->len--;
	ret->text[ret->len] = '\0';
	if (has_control_character(ret))
		return fault_set(f, FAULT_MALFORMED, "line %d holds a control character", r->line);
	return true;
}

/* Cuts *rest at its first space: *ret is the word before the space, *rest the text after it.  False: there is no
 * space. */
static bool cut_word(char **rest, char **ret)
{
	char *space = strchr(*rest, ' ');
	if (!space)
		return false;
	*space = '\0';
	*ret = *rest;
	*rest = space + 1;
	return true;
}

/* The versions that browsers, proxies and capture tools write in the request line. */
static bool is_version(const char *text)
{
	static const char *const versions[] = {"HTTP/1.1", "HTTP/1.0", "HTTP/2", "HTTP/2.0", "HTTP/3"};
	for (size_t i = 0; i < COUNT_OF(versions); i++) {
		if (strcmp(text, versions[i]) == 0)
			return true;
	}
	return false;
}

static bool is_target(const char *text)
{
	return *text && !strpbrk(text, "\t");
}

static bool read_request_line(struct reading *r, struct http_message *ret, struct fault *f)
{
	struct line line;
	char *method, *target;
	if (!next_line(r, &line, f))
		return false;
	if (!cut_word(&line.text, &method) || !cut_word(&line.text, &target) || !is_token(method) ||
		!is_target(target) || !is_version(line.text))
		return fault_set(f, FAULT_MALFORMED,
			"line 1 is no request line, as \"POST /v1/webhooks/stripe HTTP/1.1\" is one");
	ret->method = method;
	ret->target = target;
	return true;
}

/* White space at both ends does not belong to a header's value (RFC 9110, 5.5). */
static const char *http_message_trim(char *text)
{
	const char *first = text;
	size_t len = strlen(text);
	ascii_trim(&first, &len);
	text[first - text + (ptrdiff_t)len] = '\0';
	return first;
}

static bool read_header(const struct reading *r, char *line, struct http_message *ret, struct fault *f)
{
	if (*line == ' ' || *line == '\t')
		return fault_set(f, FAULT_MALFORMED,
			"line %d begins with a space: a header that goes on over lines is to be put into one", r->line);
	char *colon = strchr(line, ':');
	if (colon)
		*colon = '\0';
	if (!colon || !is_token(line))
		return fault_set(f, FAULT_MALFORMED, "line %d is no header: a name and a colon are wanted", r->line);
	if (ret->count == HTTP_HEADERS_MAX)
		return fault_set(
			f, FAULT_MALFORMED, "line %d: there are more than %d headers", r->line, HTTP_HEADERS_MAX);
	ascii_lower(line);
	ret->header[ret->count++] = (struct http_header){line, http_message_trim(colon + 1)};
	return true;
}

static bool read_headers(struct reading *r, struct http_message *ret, struct fault *f)
{
	struct line line;
	ret->count = 0;
	for (;;) {
		if (!next_line(r, &line, f))
			return false;
		if (line.len == 0)
			return true;
		if (!read_header(r, line.text, ret, f))
			return false;
	}
}

bool http_message_read(char *text, size_t len, struct http_message *ret, struct fault *f)
{
	struct http_message m; /* *ret stays unchanged on failure */
	size_t head = len < HTTP_HEAD_MAX ? len : HTTP_HEAD_MAX;
	struct reading r = {.at = text, .end = text + head, .cut_short = head < len};
	if (!read_request_line(&r, &m, f) || !read_headers(&r, &m, f))
		return false;
	if (http_message_header(&m, "transfer-encoding"))
		return fault_set(f, FAULT_MALFORMED,
			"it has the header Transfer-Encoding: the body is wanted as it is without, and not that header");
	m.body = r.at;
	m.len = (size_t)(text + len - r.at);
	*ret = m;
	return true;
}

const char *http_message_header(const struct http_message *m, const char *name)
{
	for (int i = 0; i < m->count; i++) {
		if (strcmp(m->header[i].name, name) == 0)
			return m->header[i].value;
	}
	return NULL;
}

bool http_message_repeats(const struct http_message *m, const char *name)
{
	int count = 0;
	for (int i = 0; i < m->count; i++)
		count += strcmp(m->header[i].name, name) == 0;
	return count > 1;
}
