/* call_headers.c - reads the headers that the operator adds to each call.
 *
 * A line of the file becomes one line of the request and nothing else: neither a name nor a value, nor the content of a
 * file that a value names, can contain a control character, so none of them ends its line.  What frames the message,
 * what belongs to the connection, and what payhook sets for each call is refused: two lengths of one body would let two
 * servers read two requests. */

#include "call_headers.h"

#include <string.h>
#include <strings.h>

#include "base/ascii.h"

#define PATH_BYTES_MAX 4095
#define FILE_MARK "{file:"

static const char TOKEN[] = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/* RFC 9110, 7.6.1 and 8; RFC 9112, 6; and those that transfer_prepare() writes. */
static const char *const RESERVED[] = {"accept-encoding", "connection", "content-encoding", "content-length",
	"content-type", "expect", "host", "http2-settings", "idempotency-key", "keep-alive", "te", "traceparent",
	"tracestate", "trailer", "transfer-encoding", "upgrade", "user-agent", "webhook-id", "webhook-signature",
	"webhook-timestamp", "x-request-id"};
static const char *const RESERVED_PREFIXES[] = {"proxy-", "x-payhook-"};

struct headers_reading {
	struct call_headers *headers;
	call_headers_secret *secret;
	void *ctx;
	int line;
};

static bool is_reserved(const char *name, size_t len)
{
	for (size_t i = 0; i < COUNT_OF(RESERVED); i++) {
		if (len == strlen(RESERVED[i]) && strncasecmp(name, RESERVED[i], len) == 0)
			return true;
	}
	for (size_t i = 0; i < COUNT_OF(RESERVED_PREFIXES); i++) {
		size_t prefix = strlen(RESERVED_PREFIXES[i]);
		if (len >= prefix && strncasecmp(name, RESERVED_PREFIXES[i], prefix) == 0)
			return true;
	}
	return false;
}

/* The file's text ends with its last byte, not with NUL: nothing that wants a string reads it. */
static bool headers_is_name(const char *name, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (!memchr(TOKEN, name[i], sizeof TOKEN - 1))
			return false;
	}
	return len > 0;
}

static bool headers_have(const struct call_headers *h, const char *name, size_t len)
{
	for (int i = 0; i < h->count; i++) {
		const char *own = h->text.data + h->at[i];
		if (strcspn(own, ":") == len && strncasecmp(own, name, len) == 0)
			return true;
	}
	return false;
}

static bool headers_is_value(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];
		if ((c < ' ' && c != '\t') || c == 0x7f)
			return false;
	}
	return len > 0;
}

/* Adds the content of a file, without white space at its ends. */
static bool headers_add_secret(struct headers_reading *r, const char *name, size_t len, struct fault *f)
{
	char path[PATH_BYTES_MAX + 1];
	struct fault why;
	if (len == 0 || len > PATH_BYTES_MAX)
		return fault_set(f, FAULT_INPUT, "line %d: {file:PATH} wants the path of a file", r->line);
	memcpy(path, name, len);
	path[len] = '\0';
	struct buf secret = BUF_INIT(CALL_HEADERS_SECRET_MAX + 1);
	bool good = r->secret(r->ctx, path, &secret, &why);
	const char *text = secret.data;
	size_t text_len = secret.len;
	if (text)
		ascii_trim(&text, &text_len);
	if (!good)
		fault_set(f, FAULT_INPUT, "line %d: the file of a value: %s", r->line, why.text);
	else if (secret.len > CALL_HEADERS_SECRET_MAX)
		good = fault_set(f, FAULT_INPUT, "line %d: the file of a value has more than %d bytes", r->line,
			CALL_HEADERS_SECRET_MAX);
	else if (!text || !headers_is_value(text, text_len))
		good = fault_set(f, FAULT_INPUT,
			"line %d: the file of a value is empty, or has more than one line or another control character",
			r->line);
	else
		buf_add(&r->headers->text, text, text_len);
	if (secret.data)
		explicit_bzero(secret.data, secret.cap);
	buf_finish(&secret);
	return good;
}

/* Adds a value, with the content of the files that it names. */
static bool headers_add_value(struct headers_reading *r, const char *value, size_t len, struct fault *f)
{
	size_t mark = strlen(FILE_MARK);
	for (size_t i = 0; i < len; i++) {
		if (len - i < mark || memcmp(value + i, FILE_MARK, mark) != 0) {
			buf_add(&r->headers->text, value + i, 1);
			continue;
		}
		const char *path = value + i + mark, *end = memchr(path, '}', len - i - mark);
		if (!end)
			return fault_set(f, FAULT_INPUT, "line %d: {file:PATH} lacks its closing brace", r->line);
		if (!headers_add_secret(r, path, (size_t)(end - path), f))
			return false;
		i = (size_t)(end - value);
	}
	return true;
}

static bool check_name(struct headers_reading *r, const char *name, size_t len, struct fault *f)
{
	if (!headers_is_name(name, len))
		return fault_set(f, FAULT_INPUT, "line %d: it does not begin with the name of a header", r->line);
	if (is_reserved(name, len))
		return fault_set(f, FAULT_INPUT,
			"line %d: %.*s cannot be set here: it is payhook's, or the connection's", r->line, (int)len,
			name);
	if (headers_have(r->headers, name, len))
		return fault_set(f, FAULT_INPUT, "line %d: this header stands there twice", r->line);
	if (r->headers->count == CALL_HEADERS_MAX)
		return fault_set(f, FAULT_INPUT, "line %d: more than %d headers", r->line, CALL_HEADERS_MAX);
	return true;
}

/* A line without white space at its ends.  What precedes a missing colon may be a secret, so it is not quoted. */
static bool headers_read_line(struct headers_reading *r, const char *line, size_t len, struct fault *f)
{
	if (len == 0 || *line == '#')
		return true;
	const char *colon = memchr(line, ':', len);
	if (!colon)
		return fault_set(f, FAULT_INPUT, "line %d: \"Name: value\" is wanted", r->line);
	size_t name_len = (size_t)(colon - line), value_len = len - name_len - 1;
	const char *value = colon + 1;
	ascii_trim(&value, &value_len);
	if (!check_name(r, line, name_len, f))
		return false;
	if (!headers_is_value(value, value_len))
		return fault_set(f, FAULT_INPUT, "line %d: the value is empty or has a control character", r->line);
	struct call_headers *h = r->headers;
	size_t at = h->text.len;
	buf_add(&h->text, line, name_len);
	buf_add_text(&h->text, ": ");
	if (!headers_add_value(r, value, value_len, f))
		return false;
	buf_add(&h->text, "", 1);
	h->at[h->count++] = at;
	return true;
}

/* The buffer has its whole size from the start: it never moves, so that wiping it wipes every copy. */
static bool headers_read_lines(struct headers_reading *r, const char *text, size_t len, struct fault *f)
{
	bool good = buf_room(&r->headers->text, CALL_HEADERS_BYTES_MAX) || fault_set(f, FAULT_BUSY, "out of memory");
	for (const char *end; good && len > 0; len -= (size_t)(end - text), text = end) {
		const char *feed = memchr(text, '\n', len), *line = text;
		end = feed ? feed + 1 : text + len;
		size_t line_len = (size_t)((feed ? feed : end) - text);
		ascii_trim(&line, &line_len);
		r->line++;
		good = headers_read_line(r, line, line_len, f);
	}
	if (good && !buf_ok(&r->headers->text))
		return fault_set(f, FAULT_INPUT, "the headers have more than %d bytes", CALL_HEADERS_BYTES_MAX);
	return good;
}

bool call_headers_read(
	const char *text, size_t len, call_headers_secret *secret, void *ctx, struct call_headers *ret, struct fault *f)
{
	struct call_headers headers = {.text = BUF_INIT(CALL_HEADERS_BYTES_MAX)};
	struct headers_reading reading = {.headers = &headers, .secret = secret, .ctx = ctx};
	if (!headers_read_lines(&reading, text, len, f)) {
		call_headers_finish(&headers);
		return false;
	}
	*ret = headers;
	return true;
}

void call_headers_finish(struct call_headers *h)
{
	if (h->text.data)
		explicit_bzero(h->text.data, h->text.cap);
	buf_finish(&h->text);
	h->count = 0;
}

bool call_headers_have(const struct call_headers *h, const char *line)
{
	return headers_have(h, line, strcspn(line, ":;"));
}
