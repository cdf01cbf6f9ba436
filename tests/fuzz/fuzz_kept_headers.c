/* fuzz_kept_headers.c - the input as a digit, which chooses a scheme; the Content-Type, a line; the request's target, a line; and
 * the value of every header: what is kept is strict JSON within its bound, has no credential, and none of its headers can begin
 * another line of a call that carries the webhook as it came. */

#include <string.h>

#include "auth/kept_headers.h"
#include "fuzz.h"
#include "http_original.h"
#include "json/scan.h"
#include "json/value.h"

static const struct signer_settings SETTINGS[] = {{.scheme = SCHEME_STANDARD_WEBHOOKS},
	{.scheme = SCHEME_PAYPAL, .webhook_id = "w"}, {.scheme = SCHEME_TOKEN, .header = "X-Token"},
	{.scheme = SCHEME_BASIC},
	{.scheme = SCHEME_HMAC,
		.header = "Authorization",
		.algorithm = DIGEST_HMAC_SHA256,
		.encoding = ENCODING_HEX,
		.message = "{query.a}:{header.x-b};{body}"}};
#define SIGNERS (sizeof SETTINGS / sizeof *SETTINGS)
static const char *const MAPPED[] = {"x-token", "x-more", "cookie", "user-agent"};

static const char *value_of(void *ctx, const char *name)
{
	(void)name;
	return ctx;
}

static const struct signer *signer(size_t which)
{
	static struct signer signers[SIGNERS];
	static bool is_there[SIGNERS];
	struct fault f;
	if (which >= SIGNERS)
		return NULL;
	if (!is_there[which])
		MUST_HOLD(signer_init(&signers[which], &SETTINGS[which], &f));
	is_there[which] = true;
	return &signers[which];
}

static char *cut(char *text)
{
	char *end = strchr(text, '\n');
	if (!end)
		return text + strlen(text);
	*end = '\0';
	return end + 1;
}

/* Each header once, with the value that came; the query begins with its mark. */
static void must_be_what_came(const char *json, const struct signer *s, const char *value)
{
	static char text[KEPT_HEADERS_MAX + 1];
	char name[64];
	struct json_value key, kept;
	struct fault f;
	size_t len;
	MUST_HOLD(strlen(json) <= KEPT_HEADERS_MAX && json_scan(json, strlen(json), &f));
	for (struct json_walk w = json_walk_into(json_value_of(json, strlen(json))); json_walk_next(&w, &key, &kept);) {
		MUST_HOLD(json_value_text(key, name, sizeof name, &len) &&
			  json_value_text(kept, text, sizeof text, &len));
		MUST_HOLD(strcmp(name, "authorization") != 0 && strcmp(name, "cookie") != 0);
		MUST_HOLD(strcmp(name, "x-token") != 0 || !s || s->scheme != SCHEME_TOKEN);
		MUST_HOLD(strcmp(name, KEPT_QUERY) == 0 ? text[0] == '?' : strcmp(text, value) == 0);
	}
}

static void must_begin_no_line(const struct kept_headers *kept)
{
	static struct http_original lines = {.text = {.max = HTTP_ORIGINAL_BYTES_MAX}};
	struct job job = {.headers = kept->json, .content_type = kept->content_type};
	MUST_HOLD(http_original_lines(&lines, &job) && buf_ok(&lines.text));
	for (int i = 0; i < lines.count; i++)
		MUST_HOLD(!strpbrk(lines.text.data + lines.at[i], "\r\n"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct kept_headers kept;
	char *text = malloc(len + 1);
	MUST_HOLD(text);
	if (len)
		memcpy(text, data, len);
	text[len] = '\0';
	if (*text >= '0' && *text <= '9') {
		const struct signer *s = signer((size_t)(*text - '0'));
		char *type = text + 1, *target = cut(type), *value = cut(target);
		kept_headers_write(&kept, s, type, value_of, value);
		must_be_what_came(kept.json, s, value);
		kept_headers_add_names(&kept, s, MAPPED, 4, value_of, value);
		kept_headers_add_query(&kept, s, NULL, 0, target);
		must_be_what_came(kept.json, s, value);
		must_begin_no_line(&kept);
	}
	free(text);
	return 0;
}
