/* fuzz_response.c - the input as the status of a processor's response, a line, an error of the connection or "-", a line, and the
 * lines of its head: the outcome is bounded, its reason is printable and has nothing of the head, and what follows the head has no
 * effect. */

#include <string.h>

#include "base/ascii.h"
#include "fuzz.h"
#include "http_call.h"

#define NOW 784111777
#define PAUSE_MAX_MS (24 * 3600 * 1000)

static char *cut(char *text)
{
	char *end = strchr(text, '\n');
	if (!end)
		return text + strlen(text);
	*end = '\0';
	return end + 1;
}

/* Each line with its end, as curl passes them on. */
static bool read_head(struct response *r, const char *head, size_t len)
{
	bool good = true;
	for (size_t step; good && len > 0; head += step, len -= step) {
		const char *end = memchr(head, '\n', len);
		step = end ? (size_t)(end - head) + 1 : len;
		good = response_line(r, head, step);
		MUST_HOLD(memchr(r->retry_after, '\0', sizeof r->retry_after));
	}
	return good;
}

static void must_be_bounded(const struct response *r, int status, const char *error)
{
	char why[RESPONSE_WHY_MAX], other[RESPONSE_WHY_MAX];
	const struct response empty = {.head_bytes = r->head_bytes};
	struct call_outcome o = response_outcome(r, status, error, NOW, why);
	struct call_outcome same = response_outcome(&empty, status, error, NOW, other);
	MUST_HOLD(o.why == why && *why && strcmp(why, other) == 0 && o.result == same.result);
	for (const char *at = why; *at; at++)
		MUST_HOLD(ascii_is_printable(*at) || *at == ' ');
	MUST_HOLD(o.pause_ms >= -1 && o.pause_ms <= PAUSE_MAX_MS);
	MUST_HOLD(o.result != CALL_DONE || (!error && status >= 200 && status < 300));
	MUST_HOLD(o.result != CALL_GIVE_UP ||
		  (!error && status >= 300 && status < 500 && status != 409 && o.pause_ms == -1));
}

static void must_end_with_the_head(struct response *r)
{
	struct response before;
	if (!response_line(r, "\r\n", 2))
		return;
	before = *r;
	if (response_line(r, "Retry-After: 77\r\n", 17))
		MUST_HOLD(strcmp(before.retry_after, r->retry_after) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct response r = {0};
	char *text = malloc(len + 1);
	MUST_HOLD(text);
	if (len)
		memcpy(text, data, len);
	text[len] = '\0';
	char *error = cut(text), *head = cut(error);
	int status = (int)(strtol(text, NULL, 10) % 1000);
	const char *given = strcmp(error, "-") == 0 ? NULL : error;
	if (status >= 0 && (status > 0 || given)) {
		(void)read_head(&r, head, (size_t)(text + len - head));
		must_be_bounded(&r, status, given);
		must_end_with_the_head(&r);
	}
	free(text);
	return 0;
}
