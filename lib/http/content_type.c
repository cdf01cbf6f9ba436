/* content_type.c - decides whether a Content-Type is the one that a source takes, in UTF-8.
 *
 * JSON is application/json, or a type of its own with the suffix +json (RFC 6839, 3.1).  RFC 8259, 11, defines no parameter
 * for it, but many providers add charset=utf-8 or charset=UTF8, with or without quotes.  Any other charset is rejected,
 * because the readers of bodies accept UTF-8 only.  Other parameters are ignored; their syntax is that of RFC 9110, 5.6.6. */

#include "http/content_type.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

/* A value that is quoted in a reason; a longer one is cut there. */
#define VALUE_MAX 64

enum type_end { TYPE_FITS, TYPE_OTHER, TYPE_CHARSET };

static const char *const WANTED[] = {
	[CONTENT_TYPE_JSON] = "application/json",
	[CONTENT_TYPE_FORM] = "application/x-www-form-urlencoded",
};

/* The length of the token (RFC 9110, 5.6.2) that begins here. */
static size_t content_type_token(const char *text)
{
	static const char OTHERS[] = "!#$%&'*+-.^_`|~0123456789";
	size_t len = 0;
	while ((text[len] >= 'a' && text[len] <= 'z') || (text[len] >= 'A' && text[len] <= 'Z') ||
		(text[len] && strchr(OTHERS, text[len])))
		len++;
	return len;
}

static bool content_type_equals(const char *text, size_t len, const char *word)
{
	return len == strlen(word) && strncasecmp(text, word, len) == 0;
}

/* Reads "application/" and a subtype.  Returns the length of both; 0: it is another type. */
static size_t content_type_read(const char *text, enum content_type wanted)
{
	static const char TOP[] = "application/", SUFFIX[] = "+json";
	const size_t top = sizeof TOP - 1, suffix = sizeof SUFFIX - 1;
	if (strncasecmp(text, TOP, top) != 0)
		return 0;
	size_t len = content_type_token(text + top);
	bool has_suffix = wanted == CONTENT_TYPE_JSON && len > suffix &&
			  content_type_equals(text + top + len - suffix, suffix, SUFFIX);
	return has_suffix || content_type_equals(text, top + len, WANTED[wanted]) ? top + len : 0;
}

/* Reads a parameter's value, a token or a quoted string, into ret, cut at VALUE_MAX bytes.  Returns its length in the text;
 * 0: there is none. */
static size_t read_value(const char *text, char ret[VALUE_MAX + 1])
{
	size_t at = 1, out = 0, token = content_type_token(text);
	if (*text != '"') {
		size_t len = token < VALUE_MAX ? token : VALUE_MAX;
		memcpy(ret, text, len);
		ret[len] = '\0';
		return token;
	}
	for (; text[at] && text[at] != '"'; at++) {
		at += text[at] == '\\' && text[at + 1];
		if (out < VALUE_MAX)
			ret[out++] = text[at];
	}
	ret[out] = '\0';
	return text[at] ? at + 1 : 0;
}

/* Reads the parameters.  A charset that is not UTF-8 is written to charset. */
static enum type_end read_parameters(const char *s, char charset[VALUE_MAX + 1])
{
	for (;;) {
		s += strspn(s, " \t");
		if (*s == '\0')
			return TYPE_FITS;
		if (*s++ != ';')
			return TYPE_OTHER;
		s += strspn(s, " \t");
		size_t name = content_type_token(s);
		bool is_charset = content_type_equals(s, name, "charset");
		s += name;
		if (*s != '=')
			continue;
		size_t value = read_value(++s, charset);
		if (value == 0)
			return TYPE_OTHER;
		if (is_charset && strcasecmp(charset, "utf-8") != 0 && strcasecmp(charset, "utf8") != 0)
			return TYPE_CHARSET;
		s += value;
	}
}

bool content_type_fits(const char *content_type, enum content_type wanted, struct fault *f)
{
	char charset[VALUE_MAX + 1], quoted[FAULT_QUOTE_MAX];
	const char *name = WANTED[wanted];
	if (!*content_type)
		return fault_set(f, FAULT_INPUT, "the body must be %s in UTF-8; it came without a Content-Type", name);
	size_t len = content_type_read(content_type, wanted);
	enum type_end end = len > 0 ? read_parameters(content_type + len, charset) : TYPE_OTHER;
	if (end == TYPE_FITS)
		return true;
	if (end == TYPE_CHARSET)
		return fault_set(f, FAULT_INPUT, "the body must be %s in UTF-8; its charset is %s", name,
			fault_quote(charset, strlen(charset), quoted));
	return fault_set(f, FAULT_INPUT, "the body must be %s in UTF-8; its Content-Type is %s", name,
		fault_quote(content_type, strlen(content_type), quoted));
}
