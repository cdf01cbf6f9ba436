/* fuzz_ping.c - the input as an unauthenticated body: what is taken for a ping is one, and nothing else of the body counts. */

#include <string.h>

#include "fuzz.h"
#include "json/scan.h"
#include "source/ping.h"

static const struct ping form = {.kind = PING_FORM, .field = "webhook_id"};
static const struct ping member = {
	.kind = PING_MEMBER, .condition = {.at = "/a/type", .count = 2, .words = {"ping", "7"}}};

static const char *no_header(void *ctx, const char *name)
{
	(void)ctx, (void)name;
	return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const struct places_request request = {.id = "", .header = no_header};
	const char *body = (const char *)data;
	struct json_value found;
	struct fault f;
	if (ping_is(&form, &request, "application/x-www-form-urlencoded", body, len)) {
		MUST_HOLD(len >= 11 && memcmp(body, "webhook_id=", 11) == 0);
		MUST_HOLD(!memchr(body + 11, '&', len - 11) && !memchr(body + 11, '=', len - 11));
	}
	MUST_HOLD(!ping_is(&form, &request, "application/json", body, len));
	if (ping_is(&member, &request, "application/json", body, len)) {
		MUST_HOLD(json_scan(body, len, &f) && json_value_find(json_value_of(body, len), "/a/type", &found));
		MUST_HOLD(json_value_equals(found, "ping") || json_value_equals(found, "7") ||
			  (found.len == 1 && *found.at == '7'));
	}
	return 0;
}
