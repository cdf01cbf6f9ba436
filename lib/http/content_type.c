/* content_type.c - is a Content-Type one of JSON in UTF-8?
 *
 * RFC 8259 defines no parameter for application/json, yet senders add charset=utf-8, in quotes or not.  Any other charset is
 * not what the JSON reader reads, so it is none of ours; other parameters are passed over (RFC 9110, 8.3.1). */

#include "http/content_type.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

/* The value of a parameter is utf-8, in quotes or not, in any case. */
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
