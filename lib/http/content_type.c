/* content_type.c - decides whether a Content-Type means JSON in UTF-8.
 *
 * RFC 8259, 11, defines no parameter for application/json, but many providers add charset=utf-8, with or without
 * quotes.  Any other charset is rejected, because the JSON reader accepts UTF-8 only.  Other parameters are ignored;
 * their syntax is that of RFC 9110, 5.6.6, except that a quoted value may hold neither spaces nor semicolons. */

#include "http/content_type.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

/* Whether a parameter's value is utf-8: in any case, with or without quotes. */
static bool is_utf8(const char *value, size_t len)
{
	if (len >= 2 && value[0] == '"' && value[len - 1] == '"') {
		value++;
		len -= 2;
	}
	return len == 5 && strncasecmp(value, "utf-8", 5) == 0;
}

bool content_type_is_json(const char *content_type)
{
	static const char JSON[] = "application/json";
	const char *s = content_type;
	if (strncasecmp(s, JSON, sizeof JSON - 1) != 0)
		return false;
	s += sizeof JSON - 1;
	/* At the end of the media type or of a parameter. */
	for (;;) {
		s += strspn(s, " \t");
		if (*s == '\0')
			return true;
		if (*s++ != ';')
			return false;
		s += strspn(s, " \t");
		size_t len = strcspn(s, "; \t");
		if (strncasecmp(s, "charset=", 8) == 0 && !is_utf8(s + 8, len - 8))
			return false;
		s += len;
	}
}
