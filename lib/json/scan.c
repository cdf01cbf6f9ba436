/* scan.c - a strict validator of JSON.
 *
 * All rules about what is JSON are here, so that every later reader of the text may rely on them and none can disagree.
 * The scanner makes one pass by recursive descent; JSON_DEPTH_MAX bounds the recursion.  Each function of the grammar
 * is entered at the first byte of its part and returns after the last one.  It keeps no values; json/value.h reads them
 * from the text. */

#include "json/scan.h"

#include <string.h>

#include "base/ascii.h"
#include "base/utf8.h"
#include "json/names.h"

_Static_assert(
	JSON_TEXT_MAX <= JSON_NAMES_TEXT_MAX && JSON_DEPTH_MAX <= JSON_NAMES_DEPTH_MAX, "names fit their tables");

/* The state of one pass. */
struct scan {
	const char *start;
	const char *at;
	const char *end;
	int depth;
	struct fault *f;
};

static bool scan_value(struct scan *s);

/* Sets the fault "at byte 17 there should be WANTED". */
static bool should_be(const struct scan *s, const char *wanted)
{
	size_t byte = (size_t)(s->at - s->start);
	if (s->at >= s->end)
		return fault_set(
			s->f, FAULT_MALFORMED, "the text ends at byte %zu, where there should be %s", byte, wanted);
	return fault_set(s->f, FAULT_MALFORMED, "at byte %zu there should be %s", byte, wanted);
}

/* Sets the fault "at byte 17 there is WHAT". */
static bool there_is(const struct scan *s, const char *what)
{
	return fault_set(s->f, FAULT_MALFORMED, "at byte %zu there is %s", (size_t)(s->at - s->start), what);
}

static bool next_is(const struct scan *s, char c)
{
	return s->at < s->end && *s->at == c;
}

static void scan_skip_space(struct scan *s)
{
	while (s->at < s->end && (*s->at == ' ' || *s->at == '\n' || *s->at == '\t' || *s->at == '\r'))
		s->at++;
}

/* U+0000 and half of a surrogate pair are text by the grammar (RFC 8259, section 8.2).  Whether a value may hold them is
 * left to its reader. */
static bool scan_unicode_escape(struct scan *s)
{
	if (s->end - s->at < 6 || ascii_hex(s->at + 2, 4) < 0)
		return there_is(s, "a \\u without four hexadecimal digits");
	s->at += 6;
	return true;
}

static bool scan_escape(struct scan *s)
{
	if (s->end - s->at >= 2) {
		switch (s->at[1]) {
		case '"':
		case '\\':
		case '/':
		case 'b':
		case 'f':
		case 'n':
		case 'r':
		case 't':
			s->at += 2;
			return true;
		case 'u':
			return scan_unicode_escape(s);
		default:
			break;
		}
	}
	return there_is(s, "a backslash that begins no escape");
}

/* Writes to *ret the bytes between the quotes, still escaped, and whether there is any escape. */
static bool scan_string(struct scan *s, struct json_name *ret)
{
	const char *first = ++s->at;
	bool has_escape = false;
	while (s->at < s->end) {
		unsigned char c = (unsigned char)*s->at;
		if (c == '"') {
			*ret = (struct json_name){first, (size_t)(s->at - first), has_escape};
			s->at++;
			return true;
		}
		if (c == '\\') {
			has_escape = true;
			if (!scan_escape(s))
				return false;
		} else if (c < 0x20) {
			return there_is(s, "a control character inside a string");
		} else if (c < 0x80) {
			s->at++;
		} else {
			size_t length = utf8_length(s->at, (size_t)(s->end - s->at));
			if (length == 0)
				return there_is(s, "a byte that is not UTF-8");
			s->at += length;
		}
	}
	return should_be(s, "a closing quote");
}

static bool skip_digits(struct scan *s)
{
	const char *first = s->at;
	while (s->at < s->end && *s->at >= '0' && *s->at <= '9')
		s->at++;
	return s->at > first;
}

/* The grammar of RFC 8259, section 6.  The digits are not converted, so no number is too large or too long. */
static bool scan_number(struct scan *s)
{
	if (next_is(s, '-'))
		s->at++;
	if (next_is(s, '0')) {
		s->at++;
		if (s->at < s->end && *s->at >= '0' && *s->at <= '9')
			return there_is(s, "a digit behind a leading zero");
	} else if (!skip_digits(s)) {
		return should_be(s, "a digit");
	}
	if (next_is(s, '.')) {
		s->at++;
		if (!skip_digits(s))
			return should_be(s, "a digit");
	}
	if (next_is(s, 'e') || next_is(s, 'E')) {
		s->at++;
		if (next_is(s, '+') || next_is(s, '-'))
			s->at++;
		if (!skip_digits(s))
			return should_be(s, "a digit");
	}
	return true;
}

static bool scan_word(struct scan *s, const char *word)
{
	size_t len = strlen(word);
	if ((size_t)(s->end - s->at) < len || memcmp(s->at, word, len) != 0)
		return should_be(s, "a value");
	s->at += len;
	return true;
}

static bool enter(struct scan *s)
{
	if (s->depth == JSON_DEPTH_MAX)
		return fault_set(s->f, FAULT_MALFORMED, "at byte %zu the text nests deeper than %d levels",
			(size_t)(s->at - s->start), JSON_DEPTH_MAX);
	s->depth++;
	s->at++;
	scan_skip_space(s);
	return true;
}

static void leave(struct scan *s)
{
	s->depth--;
	s->at++;
}

static bool scan_array(struct scan *s)
{
	if (!enter(s))
		return false;
	while (!next_is(s, ']')) {
		if (!scan_value(s))
			return false;
		scan_skip_space(s);
		if (next_is(s, ']'))
			break;
		if (!next_is(s, ','))
			return should_be(s, "a comma or a closing bracket");
		s->at++;
		scan_skip_space(s);
		if (next_is(s, ']'))
			return there_is(s, "a closing bracket behind a comma");
	}
	leave(s);
	return true;
}

/* A member's name and its colon.  Names are compared after decoding: "a" and "\u0061" are the same name. */
static bool scan_name(struct scan *s, struct json_names *names, struct json_name *ret)
{
	if (!next_is(s, '"'))
		return should_be(s, "a member's name in quotes");
	const char *quote = s->at;
	if (!scan_string(s, ret))
		return false;
	json_name_decode(ret);
	if (!json_names_add(names, ret)) {
		char quoted[FAULT_QUOTE_MAX];
		s->at = quote;
		return fault_set(s->f, FAULT_MALFORMED, "the member %s is named twice in one object, again at byte %zu",
			fault_quote(ret->bytes, ret->len, quoted), (size_t)(quote - s->start));
	}
	scan_skip_space(s);
	if (!next_is(s, ':'))
		return should_be(s, "a colon");
	s->at++;
	scan_skip_space(s);
	return true;
}

static bool scan_member(struct scan *s, struct json_names *names)
{
	struct json_name name;
	return scan_name(s, names, &name) && scan_value(s);
}

/* On failure the names stay open: the whole text is invalid, and the next scan forgets them. */
static bool scan_object(struct scan *s)
{
	if (!enter(s))
		return false;
	struct json_names names = json_names_open();
	while (!next_is(s, '}')) {
		if (!scan_member(s, &names))
			return false;
		scan_skip_space(s);
		if (next_is(s, '}'))
			break;
		if (!next_is(s, ','))
			return should_be(s, "a comma or a closing brace");
		s->at++;
		scan_skip_space(s);
		if (next_is(s, '}'))
			return there_is(s, "a closing brace behind a comma");
	}
	json_names_close(&names);
	leave(s);
	return true;
}

static bool scan_value(struct scan *s)
{
	struct json_name text;
	if (s->at >= s->end)
		return should_be(s, "a value");
	switch (*s->at) {
	case '{':
		return scan_object(s);
	case '[':
		return scan_array(s);
	case '"':
		return scan_string(s, &text);
	case 't':
		return scan_word(s, "true");
	case 'f':
		return scan_word(s, "false");
	case 'n':
		return scan_word(s, "null");
	default:
		if (*s->at == '-' || (*s->at >= '0' && *s->at <= '9'))
			return scan_number(s);
		return should_be(s, "a value");
	}
}

static bool scan_text(struct scan *s, bool takes_array)
{
	static const char byte_order_mark[] = "\xef\xbb\xbf";
	if (s->end - s->at >= 3 && memcmp(s->at, byte_order_mark, 3) == 0)
		return there_is(s, "a byte order mark, which JSON does not have");
	scan_skip_space(s);
	bool is_array = takes_array && next_is(s, '[');
	if (!is_array && !next_is(s, '{'))
		return should_be(s, takes_array ? "an object or an array" : "an object");
	if (is_array ? !scan_array(s) : !scan_object(s))
		return false;
	scan_skip_space(s);
	return s->at == s->end || there_is(s, is_array ? "more behind the array" : "more behind the object");
}

static bool scan_whole(const char *text, size_t len, bool takes_array, size_t *ret, struct fault *f)
{
	struct scan s = {.start = text, .at = text, .end = text + len, .f = f};
	*ret = 0;
	if (len > JSON_TEXT_MAX)
		return fault_set(f, FAULT_TOO_LARGE, "the text has %zu bytes, at most %d are read", len, JSON_TEXT_MAX);
	json_names_begin(len);
	bool good = scan_text(&s, takes_array);
	*ret = (size_t)(s.at - s.start);
	return good;
}

bool json_scan_at(const char *text, size_t len, size_t *ret, struct fault *f)
{
	return scan_whole(text, len, false, ret, f);
}

bool json_scan(const char *text, size_t len, struct fault *f)
{
	size_t byte;
	return scan_whole(text, len, false, &byte, f);
}

bool json_scan_nest(const char *text, size_t len, struct fault *f)
{
	size_t byte;
	return scan_whole(text, len, true, &byte, f);
}
