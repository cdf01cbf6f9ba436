/* remap_row.c - reads a kept webhook again, by the mapping of today.
 *
 * It is read as a responder reads it (app/submission.c): an item that cannot be read keeps no other from being stored, and of
 * two items with one id and different contents neither is.  Its signature was verified when it came, and is not looked at
 * again: the secret may have changed since. */

#include "remap_row.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/kept_headers.h"
#include "base/encode.h"
#include "base/utf8.h"
#include "http/content_coding.h"
#include "json/scan.h"
#include "source/payload.h"

const struct statement REMAP_NEXT = {"remap_next",
	"SELECT u.unreadable_id, u.source, translate(u.request_id::text, '-', ''), u.traceparent, u.content_type,"
	"  u.headers::text, encode(u.body, 'hex')"
	" FROM payhook.unreadable_webhooks u"
	" WHERE u.unreadable_id > $1::bigint AND coalesce(u.source = $2::text, true) ORDER BY u.unreadable_id LIMIT 1"};
enum { ID, SOURCE, REQUEST_ID, TRACEPARENT, CONTENT_TYPE, HEADERS, BODY };

static void remap_row_take_text(char *ret, size_t size, const struct pg_result *r, int column)
{
	utf8_printable(ret, size, db_null(r, 0, column) ? "" : db_text(r, 0, column));
}

bool remap_row_take(struct remap_row *row, const struct pg_result *r, const struct sources *sources)
{
	const char *digits = db_text(r, 0, BODY);
	size_t len = strlen(digits) / 2;
	*row = (struct remap_row){.id = db_int8(r, 0, ID)};
	remap_row_take_text(row->name, sizeof row->name, r, SOURCE);
	remap_row_take_text(row->request_id, sizeof row->request_id, r, REQUEST_ID);
	remap_row_take_text(row->traceparent, sizeof row->traceparent, r, TRACEPARENT);
	remap_row_take_text(row->content_type, sizeof row->content_type, r, CONTENT_TYPE);
	row->source = sources_find(sources, row->name);
	row->headers = strdup(db_text(r, 0, HEADERS));
	row->bytes = malloc(len + 1);
	if (!row->headers || !row->bytes ||
		!encode_read(ENCODING_HEX, digits, 2 * len, (unsigned char *)row->bytes, len, &len))
		return false;
	row->body = (struct insert_body){
		.bytes = row->bytes, .len = len, .content_type = row->content_type, .headers = row->headers};
	return true;
}

static void note(struct remap_row *row, const struct txn_problems *problems, const char *code)
{
	row->unreadable++;
	if (!problems || problems->count == 0)
		row->code = row->code ? row->code : code;
	for (int i = 0; problems && i < problems->count && row->problems.count < TXN_PROBLEMS_MAX; i++)
		row->problems.list[row->problems.count++] = problems->list[i];
}

static void leave_out_contradictions(struct remap_row *row)
{
	int left = 0;
	for (int i = 0; i < row->count; i++) {
		for (int j = 0; j < row->count; j++) {
			if (strcmp(row->items[i].txn.transaction_id, row->items[j].txn.transaction_id) == 0 &&
				!txn_same(&row->items[i].txn, &row->items[j].txn))
				row->items[i].is_left_out = true;
		}
	}
	for (int i = 0; i < row->count; i++) {
		if (row->items[i].is_left_out)
			note(row, NULL, "items_differ");
		else
			row->items[left++].txn = row->items[i].txn;
	}
	row->count = left;
}

/* The value of a kept header.  What is no object has none: the table holds objects only, but its owner may change it. */
static const char *remap_row_header(void *ctx, const char *name)
{
	struct remap_row *row = ctx;
	struct json_value key, value;
	struct fault f;
	size_t len = strlen(row->headers);
	if (!json_scan(row->headers, len, &f) || json_value_kind(json_value_of(row->headers, len)) != JSON_IS_OBJECT)
		return NULL;
	for (struct json_walk w = json_walk_into(json_value_of(row->headers, len)); json_walk_next(&w, &key, &value);) {
		if (json_value_equals(key, name) && json_value_text(value, row->header, sizeof row->header, &len))
			return row->header;
	}
	return NULL;
}

/* The body without its content coding, which is among the kept headers. */
static bool remap_row_decode(struct remap_row *row, const char **bytes, size_t *len, struct fault *f)
{
	static struct buf decoded = {.max = PAYLOAD_MAX};
	enum content_coding coding;
	*bytes = row->body.bytes;
	*len = row->body.len;
	if (!content_coding_read(remap_row_header(row, "content-encoding"), &coding) || coding == CONTENT_CODING_NONE)
		return true;
	buf_reset(&decoded, PAYLOAD_MAX);
	if (!content_coding_gunzip(row->body.bytes, row->body.len, PAYLOAD_MAX, &decoded, f))
		return false;
	*bytes = decoded.data ? decoded.data : "";
	*len = decoded.len;
	return true;
}

bool remap_row_map(struct remap_row *row, const struct currency_extras *extras)
{
	static struct payload payload;
	const char *bytes;
	size_t len;
	static char target[KEPT_HEADERS_MAX + 1];
	const char *query = row->source ? remap_row_header(row, KEPT_QUERY) : NULL;
	snprintf(target, sizeof target, "%s", query ? query : "");
	const struct places_request request = {
		.id = row->request_id, .header = remap_row_header, .ctx = row, .target = target};
	struct txn_problems problems;
	struct fault f;
	if (!row->source)
		return true;
	if (!remap_row_decode(row, &bytes, &len, &f) ||
		!payload_open(row->source, &request, bytes, len, false, &payload, &f)) {
		if (f.kind == FAULT_BUSY)
			return false;
		note(row, NULL, payload_code(row->source, bytes, len, &f));
		return true;
	}
	row->items = calloc((size_t)payload.count + 1, sizeof *row->items);
	if (!row->items)
		return false;
	for (int i = 0; i < payload.count; i++) {
		problems.count = 0;
		if (payload_next(&payload, extras, &row->items[row->count].txn, &problems, &f))
			row->count++;
		else
			note(row, &problems, "malformed");
	}
	leave_out_contradictions(row);
	return true;
}

void remap_row_finish(struct remap_row *row)
{
	free(row->headers);
	free(row->bytes);
	free(row->items);
	*row = (struct remap_row){.id = row->id};
}
