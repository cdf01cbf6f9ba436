/* fuzz_query_param.c - the input as the name of a parameter, a line, and a request target: what is found is what a second, slower
 * reader finds, and is found again when every byte of it is percent-encoded. */

#include <ctype.h>
#include <string.h>

#include "fuzz.h"
#include "http/query_param.h"

#define SIZE 256

static int digit(char c)
{
	return isdigit((unsigned char)c)    ? c - '0'
	       : isxdigit((unsigned char)c) ? tolower((unsigned char)c) - 'a' + 10
					    : -1;
}

/* False: an escape is broken, or it is too long. */
static bool slow_decode(const char *text, size_t len, char ret[SIZE])
{
	size_t out = 0;
	for (size_t i = 0; i < len; i++) {
		char c = text[i];
		if (c == '%') {
			if (i + 2 >= len || digit(text[i + 1]) < 0 || digit(text[i + 2]) < 0)
				return false;
			c = (char)(digit(text[i + 1]) * 16 + digit(text[i + 2]));
			i += 2;
			if (c == '\0')
				return false;
		}
		if (out == SIZE - 1)
			return false;
		ret[out++] = c;
	}
	ret[out] = '\0';
	return true;
}

/* By cutting the target into pieces.  *ret is "" if there is none. */
static bool slow_find(const char *target, const char *name, char ret[SIZE])
{
	char *copy = strdup(target), *query, *piece, *state = NULL;
	int found = 0;
	bool good = true;
	MUST_HOLD(copy);
	*ret = '\0';
	copy[strcspn(copy, "#")] = '\0';
	query = strchr(copy, '?');
	for (piece = query ? strtok_r(query + 1, "&", &state) : NULL; piece; piece = strtok_r(NULL, "&", &state)) {
		size_t len = strlen(name);
		if (strncmp(piece, name, len) != 0 || piece[len] != '=')
			continue;
		good = good && slow_decode(piece + len + 1, strlen(piece + len + 1), ret);
		found++;
	}
	free(copy);
	return good && found <= 1;
}

static void must_be_found_encoded(const char *value)
{
	char target[4 * SIZE], again[SIZE];
	struct fault f;
	int len = snprintf(target, sizeof target, "/p?a=1&n=");
	for (const char *at = value; *at; at++)
		len += snprintf(target + len, sizeof target - (size_t)len, "%%%02x", (unsigned char)*at);
	MUST_HOLD(query_param_find(target, "n", again, sizeof again, &f) && strcmp(again, value) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char value[SIZE], slow[SIZE];
	struct fault f = {FAULT_BUG, ""};
	char *name = malloc(len + 1);
	MUST_HOLD(name);
	if (len)
		memcpy(name, data, len);
	name[len] = '\0';
	char *target = strchr(name, '\n');
	if (target)
		*target++ = '\0';
	if (target && *name && !strpbrk(name, "&=#?%")) { /* a configured name has none of these */
		bool good = query_param_find(target, name, value, sizeof value, &f);
		MUST_HOLD(good == slow_find(target, name, slow));
		MUST_HOLD(!good || strcmp(value, slow) == 0);
		MUST_HOLD(good || (f.kind == FAULT_MALFORMED && f.text[0]));
		if (good)
			must_be_found_encoded(value);
	}
	free(name);
	return 0;
}
