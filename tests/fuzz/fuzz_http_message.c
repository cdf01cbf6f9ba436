/* fuzz_http_message.c - the input as a captured HTTP request: its parts lie within the input, and written out again it
 * parses the same. */

#include <string.h>

#include "fuzz.h"
#include "http_message.h"

static void must_be_text(const char *text, const char *copy, const char *end)
{
	MUST_HOLD(text >= copy && text < end && memchr(text, '\0', (size_t)(end - text)));
	for (; *text; text++)
		MUST_HOLD((unsigned char)*text >= ' ' || *text == '\t');
}

static void must_be_sound(const struct http_message *m, const char *copy, size_t len)
{
	MUST_HOLD(m->body > copy && m->body + m->len == copy + len);
	MUST_HOLD(m->body - copy <= HTTP_HEAD_MAX);
	MUST_HOLD(m->count >= 0 && m->count <= HTTP_HEADERS_MAX);
	must_be_text(m->method, copy, m->body);
	must_be_text(m->target, copy, m->body);
	MUST_HOLD(*m->method && *m->target && !strchr(m->target, ' '));
	for (int i = 0; i < m->count; i++) {
		const struct http_header *h = &m->header[i];
		must_be_text(h->name, copy, m->body);
		must_be_text(h->value, copy, m->body);
		MUST_HOLD(*h->name && !strpbrk(h->name, " :\tABCDEFGHIJKLMNOPQRSTUVWXYZ"));
		MUST_HOLD(http_message_header(m, h->name));
	}
}

static char *write_down(const struct http_message *m, size_t *ret_len)
{
	size_t max = 64 + strlen(m->method) + strlen(m->target) + m->len;
	for (int i = 0; i < m->count; i++)
		max += strlen(m->header[i].name) + strlen(m->header[i].value) + 4;
	char *text = malloc(max);
	MUST_HOLD(text);
	size_t len = (size_t)snprintf(text, max, "%s %s HTTP/2\n", m->method, m->target);
	for (int i = 0; i < m->count; i++)
		len += (size_t)snprintf(text + len, max - len, "%s:%s\n", m->header[i].name, m->header[i].value);
	text[len++] = '\n';
	memcpy(text + len, m->body, m->len);
	*ret_len = len + m->len;
	return text;
}

static void must_be_same(const struct http_message *a, const struct http_message *b)
{
	MUST_HOLD(strcmp(a->method, b->method) == 0 && strcmp(a->target, b->target) == 0);
	MUST_HOLD(a->count == b->count && a->len == b->len && memcmp(a->body, b->body, a->len) == 0);
	for (int i = 0; i < a->count; i++) {
		MUST_HOLD(strcmp(a->header[i].name, b->header[i].name) == 0);
		MUST_HOLD(strcmp(a->header[i].value, b->header[i].value) == 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct http_message m, again;
	struct fault f;
	char *copy = malloc(len + 1);
	MUST_HOLD(copy);
	memcpy(copy, data, len);
	if (http_message_read(copy, len, &m, &f)) {
		size_t text_len;
		must_be_sound(&m, copy, len);
		char *text = write_down(&m, &text_len);
		MUST_HOLD(http_message_read(text, text_len, &again, &f));
		must_be_same(&m, &again);
		free(text);
	} else {
		MUST_HOLD(f.kind == FAULT_MALFORMED && *f.text);
	}
	free(copy);
	return 0;
}
