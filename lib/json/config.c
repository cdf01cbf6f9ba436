/* config.c - a strict reader of configuration files in JSON.
 *
 * Values are slices of the text (json/value.h), so the line of a complaint is counted only when it is needed.  Each
 * place points to the outer one, and the JSON pointer of a complaint is built from these pointers.  Nothing is kept
 * between two files.  Which members exist, which are required, and whether a file with complaints is used is decided by
 * the caller. */

#include "json/config.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/fault.h"
#include "base/utf8.h"
#include "json/scan.h"

#define COMPLAINT_MAX 511   /* bytes of a complaint's text; the longest quotes a word and lists the valid ones */
#define LINE_MAX_BYTES 6143 /* of a complaint, including the file's name, a path */
#define TEXT_MAX 1023       /* bytes of the longest string that is read: a URL */

/* The line of a byte, counted from 1. */
static int line_of(const struct json_config *c, const char *at)
{
	int line = 1;
	for (const char *byte = c->text; byte < at; byte++)
		line += *byte == '\n';
	return line;
}

static void add_pointer(struct buf *b, const struct json_place *p)
{
	if (!p->outer)
		return;
	add_pointer(b, p->outer);
	if (p->name)
		buf_add_format(b, "/%s", p->name);
	else
		buf_add_format(b, "/%d", p->index);
}

/* The byte that decides the line of a complaint.  A missing member is reported at the object it should be in. */
static const char *position(const struct json_place *p)
{
	while (!p->value.at && p->outer)
		p = p->outer;
	return p->value.at;
}

void json_config_complain(const struct json_place *p, const char *format, ...)
{
	struct json_config *c = p->config;
	char text[COMPLAINT_MAX + 1];
	va_list args;
	va_start(args, format);
	utf8_format(text, sizeof text, format, args);
	va_end(args);
	struct buf b = BUF_INIT(LINE_MAX_BYTES);
	buf_add_format(&b, "%s:%d: ", c->file, line_of(c, position(p)));
	add_pointer(&b, p);
	buf_add_format(&b, "%s%s", p->outer ? ": " : "", text);
	c->complaints++;
	/* Without memory the complaint loses its place, but not its reason. */
	c->report(c->ctx, buf_ok(&b) ? b.data : text);
	buf_finish(&b);
}

bool json_config_open(struct json_config *c, size_t len, struct json_place *ret)
{
	struct fault f;
	size_t byte;
	struct json_place top = {.config = c, .value = {.at = c->text, .len = len}};
	if (!json_scan_at(c->text, len, &byte, &f)) {
		top.value.at = c->text + byte;
		if (c->is_discreet)
			json_config_complain(
				&top, "is no strict JSON, or a member stands in it twice: see byte %zu", byte);
		else
			json_config_complain(&top, "%s", f.text);
		return false;
	}
	top.value = json_value_of(c->text, len);
	*ret = top;
	return true;
}

/* Complains that the value is missing or of the wrong kind. */
static void complain_kind(const struct json_place *p, const char *wanted)
{
	if (json_config_given(p))
		json_config_complain(
			p, "%s is wanted, and this is %s", wanted, json_kind_name(json_value_kind(p->value)));
	else
		json_config_complain(p, "is missing");
}

void json_config_members(const struct json_place *p, const char *const names[], struct json_place ret[], int count)
{
	struct json_value name, value;
	for (int i = 0; i < count; i++)
		ret[i] = (struct json_place){.config = p->config, .outer = p, .name = names[i]};
	if (!json_config_given(p) || json_value_kind(p->value) != JSON_IS_OBJECT) {
		complain_kind(p, "an object");
		return;
	}
	for (struct json_walk w = json_walk_into(p->value); json_walk_next(&w, &name, &value);) {
		int i = 0;
		while (i < count && !json_value_equals(name, names[i]))
			i++;
		if (i < count) {
			ret[i].value = value;
			continue;
		}
		char quoted[FAULT_QUOTE_MAX];
		/* The complaint has the pointer of the object and the line of the unknown member. */
		struct json_place unknown = *p;
		unknown.value.at = name.at;
		if (p->config->is_discreet)
			json_config_complain(&unknown, "there is a member here that nobody knows");
		else
			json_config_complain(
				&unknown, "there is no member %s here", fault_quote(name.at + 1, name.len - 2, quoted));
	}
}

int json_config_elements(const struct json_place *p, struct json_place ret[], int most)
{
	struct json_value value;
	int count = 0;
	if (!json_config_given(p) || json_value_kind(p->value) != JSON_IS_ARRAY) {
		complain_kind(p, "an array");
		return 0;
	}
	for (struct json_walk w = json_walk_into(p->value); json_walk_next(&w, NULL, &value); count++) {
		if (count == most) {
			json_config_complain(p, "more than %d elements", most);
			return 0;
		}
		ret[count] = (struct json_place){.config = p->config, .outer = p, .index = count, .value = value};
	}
	if (count == 0)
		json_config_complain(p, "is empty");
	return count;
}

/* The number of bytes that are characters and no control characters.  A half of a surrogate pair is no character. */
static size_t printable_bytes(const char *text, size_t len)
{
	size_t at = 0;
	for (size_t length; (length = utf8_length(text + at, len - at)) > 0; at += length) {
		if (utf8_is_control(text + at, length))
			break;
	}
	return at;
}

bool json_config_text(const struct json_place *p, size_t most, char *ret)
{
	char text[TEXT_MAX + 1];
	size_t len = 0, printable;
	bool good = false;
	assert(most <= TEXT_MAX);
	if (!json_config_given(p) || json_value_kind(p->value) != JSON_IS_STRING)
		complain_kind(p, "a string");
	else if (!json_value_text(p->value, text, most + 1, &len))
		json_config_complain(p, "is longer than %zu bytes", most);
	else if (len == 0)
		json_config_complain(p, "is empty");
	else if ((printable = printable_bytes(text, len)) < len)
		json_config_complain(p, "holds %s",
			utf8_length(text + printable, len - printable) ? "a control character"
								       : "half of a surrogate pair");
	else
		good = true;
	if (good)
		memcpy(ret, text, len + 1);
	/* An operator may have written a secret where a name or a path belongs. */
	explicit_bzero(text, sizeof text);
	return good;
}

/* Only digits are accepted; "1e3" and "1.0" are whole numbers too, but no setting needs these forms.  Nine digits
 * always fit an int. */
bool json_config_number(const struct json_place *p, int least, int most, int *ret)
{
	long long number = 0;
	bool good = json_config_given(p) && p->value.len <= 9;
	for (size_t i = 0; good && i < p->value.len; i++) {
		good = p->value.at[i] >= '0' && p->value.at[i] <= '9';
		number = number * 10 + (p->value.at[i] - '0');
	}
	if (good && number >= least && number <= most) {
		*ret = (int)number;
		return true;
	}
	if (!json_config_given(p))
		json_config_complain(p, "is missing");
	else if (json_value_kind(p->value) != JSON_IS_NUMBER)
		json_config_complain(p, "a whole number from %d to %d is wanted, and this is %s", least, most,
			json_kind_name(json_value_kind(p->value)));
	else if (p->config->is_discreet)
		json_config_complain(p, "a whole number from %d to %d is wanted", least, most);
	else
		json_config_complain(p, "%.*s: a whole number from %d to %d is wanted",
			(int)(p->value.len < 32 ? p->value.len : 32), p->value.at, least, most);
	return false;
}

bool json_config_word(const struct json_place *p, const char *const words[], int count, int *ret)
{
	char text[64], list[FAULT_TEXT_MAX] = "", quoted[FAULT_QUOTE_MAX];
	size_t len = 0;
	if (!json_config_text(p, sizeof text - 1, text))
		return false;
	for (int i = 0; i < count; i++) {
		if (strcmp(text, words[i]) == 0) {
			*ret = i;
			return true;
		}
		if (len < sizeof list)
			len += (size_t)snprintf(list + len, sizeof list - len, " %s", words[i]);
	}
	fault_quote(text, strlen(text), quoted);
	json_config_complain(p, "%s: one of these is wanted:%s", p->config->is_discreet ? "this" : quoted, list);
	return false;
}

bool json_config_flag(const struct json_place *p, bool *ret)
{
	enum json_kind kind = json_config_given(p) ? json_value_kind(p->value) : JSON_IS_NULL;
	if (kind == JSON_IS_TRUE || kind == JSON_IS_FALSE) {
		*ret = kind == JSON_IS_TRUE;
		return true;
	}
	complain_kind(p, "true or false");
	return false;
}
