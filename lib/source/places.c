/* places.c - values of a request besides its body, and where a mapping finds a value.
 *
 * The values become one JSON object, so that they are compared, converted and reported as those of the body are.  It has
 * what the mappings of the source read and nothing else, and is written for each request of such a source; other sources
 * have none.  Whether a header may be trusted is decided when the configuration is read (place_config.c). */

#include "source/places.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "auth/digest.h"
#include "base/ascii.h"
#include "base/buf.h"
#include "base/utf8.h"
#include "http/query_param.h"

#define HEADER_LEN (sizeof PLACE_HEADER - 1)
#define QUERY_LEN (sizeof PLACE_QUERY - 1)

const char *place_header(const char *at)
{
	return strncmp(at, PLACE_HEADER, HEADER_LEN) == 0 ? at + HEADER_LEN : NULL;
}

const char *place_query(const char *at)
{
	return strncmp(at, PLACE_QUERY, QUERY_LEN) == 0 ? at + QUERY_LEN : NULL;
}

bool place_find(const struct places *in, const char *at, struct json_value *ret)
{
	if (place_is_in_item(at))
		return json_value_find(in->item, at, ret);
	return in->request.len > 0 && json_value_find(in->request, at + 1, ret);
}

const char *place_text(const char *at, char ret[PLACE_TEXT_MAX])
{
	const char *header = place_header(at);
	if (header)
		snprintf(ret, PLACE_TEXT_MAX, "{\"header\": \"%s\"}", header);
	else if (place_query(at))
		snprintf(ret, PLACE_TEXT_MAX, "{\"query\": \"%s\"}", place_query(at));
	else if (strcmp(at, PLACE_REQUEST_ID) == 0)
		snprintf(ret, PLACE_TEXT_MAX, "{\"request\": \"id\"}");
	else if (strcmp(at, PLACE_BODY_SHA256) == 0)
		snprintf(ret, PLACE_TEXT_MAX, "{\"body\": \"sha256\"}");
	else
		snprintf(ret, PLACE_TEXT_MAX, "\"%s\"", at);
	return ret;
}

/* Adds a name, each once.  False: there is no room. */
static bool want_name(const char *list[], int *count, int most, unsigned *lower, const char *name, bool is_lower)
{
	int i = 0;
	while (i < *count && strcmp(list[i], name) != 0)
		i++;
	if (i == most)
		return false;
	if (i == *count)
		list[(*count)++] = name;
	*lower |= is_lower ? 1U << i : 0;
	return true;
}

bool places_want(struct places_wanted *w, const char *at, bool is_lower)
{
	const char *header = place_header(at), *query = place_query(at);
	w->request_id |= strcmp(at, PLACE_REQUEST_ID) == 0;
	w->body_sha256 |= strcmp(at, PLACE_BODY_SHA256) == 0;
	if (header)
		return want_name(w->headers, &w->header_count, PLACES_HEADERS_MAX, &w->lower_headers, header, is_lower);
	return !query || want_name(w->queries, &w->query_count, PLACES_QUERIES_MAX, &w->lower_queries, query, is_lower);
}

/* Whether a header can be a text of a transaction, or a word. */
static bool is_text(const char *value)
{
	size_t len = strlen(value);
	if (len > PLACE_VALUE_MAX)
		return false;
	for (size_t length; *value; value += length) {
		length = utf8_length(value, strlen(value));
		if (length == 0 || utf8_is_control(value, length))
			return false;
	}
	return true;
}

/* A name has no character that would have to be escaped. */
static void places_add_value(struct buf *b, const char *name, const char *value, bool is_lower)
{
	char text[PLACE_VALUE_MAX + 1];
	if (!is_text(value)) {
		buf_add_format(b, "\"%s\":{}", name);
		return;
	}
	memcpy(text, value, strlen(value) + 1);
	if (is_lower)
		ascii_lower(text);
	buf_add_format(b, "\"%s\":\"", name);
	buf_add_json(b, text, strlen(text));
	buf_add_text(b, "\"");
}

/* The other name of a header of Standard Webhooks; NULL: it has none. */
static const char *svix_name(const char *name)
{
	static const char *const NAMES[][2] = {{"webhook-id", "svix-id"}, {"webhook-timestamp", "svix-timestamp"}};
	for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
		for (int j = 0; j < 2; j++) {
			if (strcmp(name, NAMES[i][j]) == 0)
				return NAMES[i][1 - j];
		}
	}
	return NULL;
}

/* Under the other name it is as well signed: a request that has headers of both sets does not verify. */
static const char *places_find_header(
	const struct places_wanted *w, const struct places_request *request, const char *name)
{
	const char *value = request->header(request->ctx, name);
	const char *other = value || !w->has_svix ? NULL : svix_name(name);
	return other ? request->header(request->ctx, other) : value;
}

static void places_add_headers(struct buf *b, const struct places_wanted *w, const struct places_request *request)
{
	int count = 0;
	buf_add_text(b, "{\"header\":{");
	for (int i = 0; i < w->header_count; i++) {
		const char *value = places_find_header(w, request, w->headers[i]);
		if (!value)
			continue;
		buf_add_text(b, count++ ? "," : "");
		places_add_value(b, w->headers[i], value, w->lower_headers & (1U << i));
	}
	buf_add_text(b, "}");
}

/* A parameter that is there twice, or is too long, is no text: its value is {}, as that of such a header. */
static void add_queries(struct buf *b, const struct places_wanted *w, const char *target)
{
	int count = 0;
	if (w->query_count == 0)
		return;
	buf_add_text(b, ",\"query\":{");
	for (int i = 0; i < w->query_count; i++) {
		char value[PLACE_VALUE_MAX + 1];
		struct fault f;
		bool is_one = query_param_find(target ? target : "", w->queries[i], value, sizeof value, &f);
		if (is_one && !*value)
			continue;
		buf_add_text(b, count++ ? "," : "");
		places_add_value(b, w->queries[i], is_one ? value : "\n", w->lower_queries & (1U << i));
	}
	buf_add_text(b, "}");
}

static void add_id(struct buf *b, const char *id)
{
	buf_add_text(b, ",\"request\":{\"id\":\"");
	buf_add_json(b, id, strlen(id));
	buf_add_text(b, "\"}");
}

static bool add_digest(struct buf *b, const char *body, size_t len, struct fault *f)
{
	unsigned char digest[DIGEST_SHA256_LEN];
	if (!digest_sha256(body, len, digest))
		return fault_set(f, FAULT_BUSY, "libcrypto could not calculate");
	buf_add_text(b, ",\"body\":{\"sha256\":\"");
	for (size_t i = 0; i < sizeof digest; i++)
		buf_add_format(b, "%02x", digest[i]);
	buf_add_text(b, "\"}");
	return true;
}

bool places_write(const struct places_wanted *w, const struct places_request *request, const char *body, size_t len,
	char room[PLACES_VALUES_MAX], struct json_value *ret, struct fault *f)
{
	struct buf b = BUF_INIT(PLACES_VALUES_MAX);
	bool good = !w->request_id || *request->id ||
		    fault_set(f, FAULT_BUG, "the request has no id, which is the transaction_id of its source");
	places_add_headers(&b, w, request);
	add_queries(&b, w, request->target);
	if (good && w->request_id)
		add_id(&b, request->id);
	if (good && w->body_sha256)
		good = add_digest(&b, body, len, f);
	buf_add_text(&b, "}");
	if (good && !buf_ok(&b))
		good = fault_set(f, FAULT_BUSY, "no memory for the headers of a request");
	if (good) {
		memcpy(room, b.data, b.len);
		*ret = (struct json_value){.at = room, .len = b.len};
	}
	buf_finish(&b);
	return good;
}
