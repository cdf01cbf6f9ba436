/* kept_headers.c - chooses the headers that are kept with the body of a request, and writes them as a JSON object.
 *
 * It keeps what a list names, as a provider may send a credential under any name.  The switch over the schemes
 * has no default, so a new scheme does not compile until its headers have been considered; a scheme whose header is the
 * credential itself has none.  Nothing is allocated. */

#include "auth/kept_headers.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/utf8.h"
#include "http/query_param.h"

#define NAMES_MAX 6 /* headers of one scheme */

/* The ids that providers give to an event and to its delivery, whatever the scheme of the source is. */
static const char *const IDS[] = {"webhook-id", "x-razorpay-event-id", "x-github-delivery", "x-github-event",
	"x-shopify-webhook-id", "x-shopify-event-id", "ce-id", "ce-type", "user-agent"};

/* What a sender may authenticate itself with. */
static const char *const CREDENTIALS[] = {"authorization", "proxy-authorization", "cookie", "x-api-key", "api-key",
	"apikey", "x-auth-token", "x-access-token"};

static bool is_in(const char *name, const char *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(name, list[i]) == 0)
			return true;
	}
	return false;
}

/* Those of "signed" are at most SIGNATURE_VALUES_MAX. */
static void names_of_hmac(const struct signer *s, const char *ret[NAMES_MAX])
{
	int count = 0;
	ret[count++] = s->header;
	if (*s->timestamp_header)
		ret[count++] = s->timestamp_header;
	for (int i = 0; s->message && i < s->message->count; i++) {
		const struct signature_message_part *part = &s->message->part[i];
		if (part->kind == MESSAGE_HEADER && strcmp(s->message->text + part->at, s->header) != 0)
			ret[count++] = s->message->text + part->at;
	}
}

_Static_assert(NAMES_MAX >= 2 + SIGNATURE_VALUES_MAX, "a configured message has room");

/* The headers that the scheme reads.  PayPal's certificate is pinned, but a processor that gets the request as it was
 * may want to know where PayPal has it. */
static void names_of(const struct signer *s, const char *ret[NAMES_MAX])
{
	switch (s->scheme) {
	case SCHEME_STANDARD_WEBHOOKS:
		ret[0] = "webhook-id", ret[1] = "webhook-timestamp", ret[2] = "webhook-signature", ret[3] = "svix-id",
		ret[4] = "svix-timestamp", ret[5] = "svix-signature";
		break;
	case SCHEME_STRIPE:
		ret[0] = "stripe-signature";
		break;
	case SCHEME_RAZORPAY:
		ret[0] = "x-razorpay-signature";
		break;
	case SCHEME_GITHUB:
		ret[0] = "x-hub-signature-256";
		break;
	case SCHEME_SQUARE:
		ret[0] = "x-square-hmacsha256-signature";
		break;
	case SCHEME_PAYPAL:
		ret[0] = "paypal-transmission-id", ret[1] = "paypal-transmission-time",
		ret[2] = "paypal-transmission-sig", ret[3] = "paypal-auth-algo", ret[4] = "paypal-cert-url";
		break;
	case SCHEME_HMAC:
		names_of_hmac(s, ret);
		break;
	case SCHEME_RSA:
		ret[0] = s->header;
		break;
	case SCHEME_ADYEN: /* its signatures are in the body */
	case SCHEME_TOKEN: /* the header is the secret itself */
	case SCHEME_BASIC:
		break;
	}
}

static bool is_printable(const char *value, size_t len)
{
	size_t step = 1;
	for (size_t at = 0; at < len; at += step) {
		bool is_ascii = value[at] >= ' ' && value[at] <= '~';
		step = is_ascii ? 1 : utf8_length(value + at, len - at);
		if (!is_ascii && (step == 0 || utf8_is_control(value + at, step)))
			return false;
	}
	return len > 0;
}

/* Adds a piece, if it fits with one byte more, for the brace at the end. */
static bool add(char *json, size_t *len, const char *piece, size_t piece_len)
{
	if (*len + piece_len + 1 > KEPT_HEADERS_MAX)
		return false;
	memcpy(json + *len, piece, piece_len);
	*len += piece_len;
	return true;
}

/* Printable text needs no other escapes. */
static bool kept_headers_add_escaped(char *json, size_t *len, const char *value)
{
	for (;;) {
		size_t plain = strcspn(value, "\"\\");
		if (!add(json, len, value, plain))
			return false;
		value += plain;
		if (!*value)
			return true;
		if (!add(json, len, "\\", 1) || !add(json, len, value++, 1))
			return false;
	}
}

/* Adds a header, or leaves the object as it is. */
static void kept_headers_add(char *json, size_t *len, const char *name, const char *value)
{
	size_t end = *len;
	if (!value || is_in(name, CREDENTIALS, COUNT_OF(CREDENTIALS)) ||
		!is_printable(value, strnlen(value, KEPT_HEADERS_MAX + 1)))
		return;
	if ((end == 1 || add(json, &end, ",", 1)) && add(json, &end, "\"", 1) &&
		kept_headers_add_escaped(json, &end, name) && add(json, &end, "\":\"", 3) &&
		kept_headers_add_escaped(json, &end, value) && add(json, &end, "\"", 1))
		*len = end;
}

static void keep_content_type(struct kept_headers *ret, const char *content_type)
{
	size_t len = strnlen(content_type, KEPT_CONTENT_TYPE_MAX + 1);
	if (len > KEPT_CONTENT_TYPE_MAX || !is_printable(content_type, len))
		content_type = "application/json";
	snprintf(ret->content_type, sizeof ret->content_type, "%s", content_type);
}

void kept_headers_write(struct kept_headers *ret, const struct signer *signer, const char *content_type,
	const char *(*header)(void *ctx, const char *name), void *ctx)
{
	const char *names[NAMES_MAX] = {NULL};
	size_t len = 1;
	ret->json[0] = '{';
	kept_headers_add(ret->json, &len, "content-encoding", header(ctx, "content-encoding"));
	if (signer)
		names_of(signer, names);
	for (int i = 0; i < NAMES_MAX && names[i]; i++)
		kept_headers_add(ret->json, &len, names[i], header(ctx, names[i]));
	for (size_t i = 0; i < COUNT_OF(IDS); i++) {
		bool is_there = signer && signer->scheme == SCHEME_TOKEN && strcmp(signer->header, IDS[i]) == 0;
		for (int n = 0; n < NAMES_MAX && names[n]; n++)
			is_there = is_there || strcmp(names[n], IDS[i]) == 0;
		if (!is_there)
			kept_headers_add(ret->json, &len, IDS[i], header(ctx, IDS[i]));
	}
	ret->json[len] = '}';
	ret->json[len + 1] = '\0';
	keep_content_type(ret, content_type);
}

/* A name stands in the object if it does between a quote and a colon: a quote in a value is escaped. */
static bool kept_headers_has(const struct kept_headers *kept, const char *name)
{
	size_t len = strlen(name);
	for (const char *at = kept->json; (at = strstr(at, name)); at++) {
		if (at[-1] == '"' && strncmp(at + len, "\":\"", 3) == 0)
			return true;
	}
	return false;
}

void kept_headers_add_names(struct kept_headers *kept, const struct signer *signer, const char *const names[],
	int count, const char *(*header)(void *ctx, const char *name), void *ctx)
{
	size_t len = strlen(kept->json) - 1; /* without the brace */
	for (int i = 0; i < count; i++) {
		bool is_secret = signer && signer->scheme == SCHEME_TOKEN && strcmp(signer->header, names[i]) == 0;
		if (is_secret || kept_headers_has(kept, names[i]))
			continue;
		kept_headers_add(kept->json, &len, names[i], header(ctx, names[i]));
		kept->json[len] = '}';
		kept->json[len + 1] = '\0';
	}
}

/* Adds "&name=value", with the first byte given. */
static void add_parameter(struct buf *b, char first, const char *name, const char *value)
{
	static const char PLAIN[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
	buf_add_format(b, "%c%s=", first, name);
	for (; *value; value++)
		buf_add_format(b, strchr(PLAIN, *value) ? "%c" : "%%%02X", (unsigned char)*value);
}

/* Adds a parameter that is there once and has a value. */
static void add_parameter_of(struct buf *b, const char *target, const char *name)
{
	char value[SIGNER_TEXT_MAX + 1];
	struct fault f;
	if (query_param_find(target, name, value, sizeof value, &f) && *value)
		add_parameter(b, b->len ? '&' : '?', name, value);
}

/* Adds the first len bytes of the query.  False: they do not fit, or there are none. */
static bool put_query(struct kept_headers *kept, struct buf *query, size_t query_len)
{
	size_t before = strlen(kept->json) - 1, len = before; /* without the brace */
	if (query_len == 0)
		return false;
	query->data[query_len] = '\0';
	kept_headers_add(kept->json, &len, KEPT_QUERY, query->data);
	kept->json[len] = '}';
	kept->json[len + 1] = '\0';
	return len > before;
}

/* What is not signed may be as long as anyone likes, and keeps nothing out that is. */
void kept_headers_add_query(struct kept_headers *kept, const struct signer *signer, const char *const names[],
	int count, const char *target)
{
	const struct signature_message *m = signer ? signer->message : NULL;
	struct buf query = BUF_INIT(KEPT_HEADERS_MAX);
	for (int i = 0; m && i < m->count; i++) {
		if (m->part[i].kind == MESSAGE_QUERY)
			add_parameter_of(&query, target, m->text + m->part[i].at);
	}
	size_t signed_len = buf_ok(&query) ? query.len : 0;
	for (int i = 0; i < count; i++) {
		if (!m || !signature_message_find(m, MESSAGE_QUERY, names[i]))
			add_parameter_of(&query, target, names[i]);
	}
	if (!buf_ok(&query) || !put_query(kept, &query, query.len))
		(void)put_query(kept, &query, signed_len);
	buf_finish(&query);
}
