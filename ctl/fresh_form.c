/* fresh_form.c - new ids, times of now, or another amount in a form.
 *
 * The fields of a form are words in a text, so the ids among them are replaced where they stand.  JSON in a field is another
 * matter: percent codes hide its ids and times.  It is decoded, made new as any body, and encoded again; the fields around it
 * are texts with words. */

#include "fresh_form.h"

#include <string.h>

#include "http/form.h"
#include "json/scan.h"
#include "json/value.h"
#include "source/payload.h"

/* The text of a field, and where the field has it. */
struct member {
	struct buf text; /* decoded */
	size_t at, len;  /* in the form */
};

/* The fields as an object of texts. */
static bool read_fields(const char *body, size_t len, struct buf *ret)
{
	struct fault f;
	return form_to_json(body, len, ret, &f) && json_scan(ret->data, ret->len, &f);
}

/* Decodes the text of the field, and returns the number of fields before it; -1: there is none, or no memory. */
static int find_member(const char *name, const struct buf *fields, struct buf *ret)
{
	struct json_value field, value;
	size_t len;
	int number = 0;
	for (struct json_walk w = json_walk_into(json_value_of(fields->data, fields->len));
		json_walk_next(&w, &field, &value); number++) {
		if (!json_value_equals(field, name))
			continue;
		char *room = buf_room(ret, value.len);
		if (!room || !json_value_text(value, room, value.len, &len))
			return -1;
		buf_grown(ret, len);
		return number;
	}
	return -1;
}

/* Finds the text of a field by its number, as form_to_json() counts: of two "&" in a row nothing is a field. */
static void place_member(const char *body, size_t len, int number, struct member *ret)
{
	for (size_t at = 0, field; at < len; at += field + 1) {
		const char *end = memchr(body + at, '&', len - at);
		field = end ? (size_t)(end - body) - at : len - at;
		if (field == 0 || number-- > 0)
			continue;
		const char *equals = memchr(body + at, '=', field);
		ret->at = equals ? (size_t)(equals - body) + 1 : at + field;
		ret->len = at + field - ret->at;
		return;
	}
}

/* Finds the JSON of a source that has it in a field of its bodies.  The caller finishes ret->text, whatever the result is. */
static bool open_member(const struct source *source, const char *body, size_t len, struct member *ret)
{
	struct buf fields = BUF_INIT(JSON_TEXT_MAX);
	struct fault f;
	*ret = (struct member){.text = BUF_INIT(JSON_TEXT_MAX)};
	int number = read_fields(body, len, &fields) ? find_member(source->body.member, &fields, &ret->text) : -1;
	buf_finish(&fields);
	if (number < 0 || ret->text.len == 0 || !json_scan_nest(ret->text.data, ret->text.len, &f))
		return false;
	place_member(body, len, number, ret);
	return true;
}

/* Adds a text as a form writes it. */
static void add_encoded(struct buf *b, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		char c = text[i];
		bool is_plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
				(c != '\0' && strchr("*-._", c));
		if (is_plain)
			buf_add(b, &c, 1);
		else if (c == ' ')
			buf_add_text(b, "+");
		else
			buf_add_format(b, "%%%02X", (unsigned)(unsigned char)c);
	}
}

/* Adds a part of the form with its ids replaced; fresh NULL: as it is. */
static void add_words(const struct fresh *fresh, const char *from, size_t len, struct buf *ret)
{
	struct buf part = BUF_INIT(PAYLOAD_MAX);
	buf_add(&part, from, len);
	if (fresh && part.len > 0)
		fresh_text(fresh, part.data, ret);
	else
		buf_add(ret, from, len);
	buf_finish(&part);
}

/* The text that was planned for is gone, so no id is at a place of it. */
static void forget_places(struct fresh *plan)
{
	for (int i = 0; i < plan->count; i++)
		plan->id[i].at = NULL;
}

static void add_form(const struct fresh *fresh, const struct member *m, const struct buf *text, const char *body,
	size_t len, struct buf *ret)
{
	size_t after = m->at + m->len;
	add_words(fresh, body, m->at, ret);
	add_encoded(ret, text->data, text->len);
	add_words(fresh, body + after, len - after, ret);
}

static void fresh_member(struct fresh *plan, const struct source *source, const char *body, size_t len, int64_t now_s,
	bool keeps_ids, struct buf *ret)
{
	struct member m;
	struct buf text = BUF_INIT(PAYLOAD_MAX);
	if (open_member(source, body, len, &m)) {
		fresh_plan(plan, source, m.text.data, m.text.len, now_s, keeps_ids);
		fresh_body(plan, source, m.text.data, m.text.len, &text);
	}
	if (text.len > 0 && buf_ok(&text))
		add_form(plan, &m, &text, body, len, ret);
	else
		buf_add(ret, body, len);
	forget_places(plan);
	buf_finish(&text);
	buf_finish(&m.text);
}

static void fresh_fields(struct fresh *plan, const struct source *source, const char *body, size_t len, int64_t now_s,
	bool keeps_ids, struct buf *ret)
{
	struct buf fields = BUF_INIT(JSON_TEXT_MAX);
	bool is_form = read_fields(body, len, &fields);
	if (is_form)
		fresh_plan(plan, source, fields.data, fields.len, now_s, keeps_ids);
	add_words(is_form ? plan : NULL, body, len, ret);
	forget_places(plan);
	buf_finish(&fields);
}

void fresh_form(struct fresh *plan, const struct source *source, const char *body, size_t len, int64_t now_s,
	bool keeps_ids, struct buf *ret)
{
	plan->count = 0;
	if (source->body.format == BODY_FORM_MEMBER)
		fresh_member(plan, source, body, len, now_s, keeps_ids, ret);
	else
		fresh_fields(plan, source, body, len, now_s, keeps_ids, ret);
}

bool fresh_form_amount(const struct source *source, const char *body, size_t len, struct buf *ret)
{
	struct member m;
	struct buf text = BUF_INIT(PAYLOAD_MAX);
	if (source->body.format != BODY_FORM_MEMBER)
		return false;
	bool is_found = open_member(source, body, len, &m) && fresh_amount(source, m.text.data, m.text.len, &text) &&
			buf_ok(&text);
	if (is_found)
		add_form(NULL, &m, &text, body, len, ret);
	buf_finish(&text);
	buf_finish(&m.text);
	return is_found && buf_ok(ret);
}
