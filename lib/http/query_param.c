/* query_param.c - finds one parameter in a request target.
 *
 * A repeated parameter is an error, because a proxy and payhook could each use another one of the two.  The target is
 * searched on each call; no route has more than one parameter. */

#include "http/query_param.h"

#include <string.h>

#include "base/encode.h"

/* Decodes len bytes and returns the number of bytes written, without the NUL.  Returns size if they do not fit or an
 * escape is invalid. */
static size_t decode(const char *at, size_t len, char *ret, size_t size)
{
	size_t out = 0, one;
	for (size_t i = 0; i < len; i++) {
		unsigned char byte = (unsigned char)at[i];
		if (byte == '%') {
			if (len - i < 3 || !encode_read(ENCODING_HEX, at + i + 1, 2, &byte, 1, &one) || byte == 0)
				return size;
			i += 2;
		}
		if (out + 1 >= size)
			return size;
		ret[out++] = (char)byte;
	}
	ret[out] = '\0';
	return out;
}

bool query_param_find(const char *target, const char *name, char *ret, size_t size, struct fault *f)
{
	const char *at = target + strcspn(target, "?#");
	size_t name_len = strlen(name);
	bool found = false;
	*ret = '\0';
	while (*at == '?' || *at == '&') {
		size_t len = strcspn(++at, "&#");
		if (len > name_len && memcmp(at, name, name_len) == 0 && at[name_len] == '=') {
			if (found)
				return fault_set(f, FAULT_MALFORMED, "the parameter %s is there twice", name);
			if (decode(at + name_len + 1, len - name_len - 1, ret, size) == size)
				return fault_set(f, FAULT_MALFORMED,
					"the parameter %s is too long, or its encoding is broken", name);
			found = true;
		}
		at += len;
	}
	return true;
}
