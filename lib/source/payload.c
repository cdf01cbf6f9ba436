/* payload.c - finds the transactions in the body of a webhook.
 *
 * payload_open() walks the array once to count what the filter admits, so that the caller can allocate before it reads.
 * payload_next() walks it again and reads one transaction at a time.  The walks go over the caller's bytes, so nothing
 * is copied or freed; only a form is rewritten as JSON first.  The caller reads all transactions before it stores the first. */

#include "source/payload.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "http/form.h"
#include "json/scan.h"
#include "txn/txn_json.h"

#define FORM_KEEP (64 * 1024) /* bytes of a form that stay allocated for the next one */

/* Counts the elements that the filter admits.  The bound is on all elements, admitted or not, since each costs a look
 * at the filter.  An array without elements is in order: some providers send one to see whether it is acknowledged. */
static bool open_items(struct payload *p, struct fault *f)
{
	const char *at = p->source->items;
	struct places in = p->in;
	struct json_value items;
	int found = 0;
	if (!json_value_find(p->in.item, at, &items) || json_value_kind(items) != JSON_IS_ARRAY)
		return p->source->body.is_array ? fault_set(f, FAULT_INPUT, "the body is no array")
						: fault_set(f, FAULT_INPUT, "there is no array at %s", at);
	p->walk = json_walk_into(items);
	for (struct json_walk w = p->walk; found <= MAPPING_ITEMS_MAX && json_walk_next(&w, NULL, &in.item); found++)
		p->count += source_mapping_for(p->source, &in) != NULL;
	return found <= MAPPING_ITEMS_MAX || fault_set(f, FAULT_INPUT, "the array%s%s has more than %d elements",
						     *at ? " at " : "", at, MAPPING_ITEMS_MAX);
}

/* Finds one field of a form, and decodes its text into a buffer. */
static bool read_member(const char *name, struct json_value form, struct buf *ret, struct fault *f)
{
	char quoted[FAULT_QUOTE_MAX];
	struct json_value field, value;
	size_t len;
	for (struct json_walk w = json_walk_into(form); json_walk_next(&w, &field, &value);) {
		if (!json_value_equals(field, name))
			continue;
		char *room = buf_room(ret, value.len);
		if (!room || !json_value_text(value, room, value.len, &len))
			return fault_set(f, FAULT_BUSY, "no memory for a field of %zu bytes", value.len);
		buf_grown(ret, len);
		return true;
	}
	return fault_set(f, FAULT_INPUT, "the form has no field %s", fault_quote(name, strlen(name), quoted));
}

/* Reads a form as JSON: its fields as an object, or the text of one field. */
static bool read_form(
	const struct source_body *form, const char *body, size_t len, struct json_value *ret, struct fault *f)
{
	static struct buf fields = {.max = JSON_TEXT_MAX}, text = {.max = JSON_TEXT_MAX};
	struct fault why;
	buf_reset(&fields, FORM_KEEP);
	buf_reset(&text, FORM_KEEP);
	if (!form_to_json(body, len, &fields, f))
		return false;
	if (!json_scan(fields.data, fields.len, &why))
		return fault_set(f, why.kind, "the fields of the form as an object: %s", why.text);
	if (form->format == BODY_FORM_MEMBER &&
		!read_member(form->member, json_value_of(fields.data, fields.len), &text, f))
		return false;
	const struct buf *read = form->format == BODY_FORM_MEMBER ? &text : &fields;
	*ret = (struct json_value){read->data ? read->data : "", read->len};
	return true;
}

static bool payload_scan(const struct source *source, struct json_value text, struct fault *f)
{
	return source->body.is_array ? json_scan_nest(text.at, text.len, f) : json_scan(text.at, text.len, f);
}

/* Opens a body; its text, read as JSON, is strict.  body is the whole of it, of which an identity may be made. */
static bool open_mapped(struct payload *p, const struct places_request *request, struct json_value body,
	char room[PLACES_VALUES_MAX], struct fault *f)
{
	const struct source *s = p->source;
	if (request && places_are_wanted(&s->wanted) &&
		!places_write(&s->wanted, request, body.at, body.len, room, &p->in.request, f))
		return false;
	p->in.item = json_value_of(p->in.item.at, p->in.item.len);
	if (source_has_items(s))
		return open_items(p, f);
	p->count = source_mapping_for(s, &p->in) != NULL;
	return true;
}

bool payload_open(const struct source *source, const struct places_request *request, const char *body, size_t len,
	bool is_scanned, struct payload *ret, struct fault *f)
{
	const struct json_value whole = {body, len};
	struct json_value text = whole;
	struct payload p; /* its values are neither written nor copied */
	if (source->body.format != BODY_JSON && !read_form(&source->body, body, len, &text, f))
		return false;
	p.source = source;
	p.in = places_of(text);
	p.walk = (struct json_walk){0};
	p.index = 0;
	/* The common case is not scanned twice: txn_from_json() scans the body itself. */
	p.count = source_is_plain(source);
	if (p.count == 0 &&
		((!is_scanned && !payload_scan(source, text, f)) || !open_mapped(&p, request, whole, ret->values, f)))
		return false;
	memcpy(ret, &p, offsetof(struct payload, values));
	return true;
}

const char *payload_code(const struct source *source, const char *body, size_t len, const struct fault *f)
{
	struct json_value text;
	struct fault why;
	if (f->kind == FAULT_INPUT)
		return source->body.format == BODY_FORM_MEMBER && !read_form(&source->body, body, len, &text, &why)
			       ? "form_member"
			       : "items";
	return f->kind == FAULT_TOO_LARGE ? "too_large" : "malformed";
}

/* Finds the next item that the filter admits, and the mapping for it, and writes the JSON pointer to it into where. */
static struct places next_item(struct payload *p, const struct mapping **ret, char *where, size_t size)
{
	const struct source *s = p->source;
	struct places in = p->in;
	*where = '\0';
	if (!source_has_items(s)) {
		*ret = source_mapping_for(s, &in);
		return in;
	}
	*ret = NULL;
	while (!*ret && json_walk_next(&p->walk, NULL, &in.item)) {
		snprintf(where, size, "%s/%d", s->items, p->index++);
		*ret = source_mapping_for(s, &in);
	}
	return in;
}

bool payload_next(struct payload *p, const struct currency_extras *extras, struct txn *ret,
	struct txn_problems *problems, struct fault *f)
{
	const struct mapping *m;
	char where[TXN_POINTER_MAX + 1];
	struct places in = next_item(p, &m, where, sizeof where);
	assert(m);
	if (m->is_canonical)
		return txn_from_json(in.item.at, in.item.len, extras, ret, problems, f);
	return mapping_read(m, &in, where, extras, ret, problems, f);
}
