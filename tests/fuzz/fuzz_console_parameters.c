/* fuzz_console_parameters.c - the first line of the input as a request target of the console, the rest as the body of a POST.  What is
 * read is UTF-8 within its bounds. */

#include <string.h>

#include "base/utf8.h"
#include "fuzz.h"
#include "parameters.h"

#define INPUT_MAX 65536

static void must_be_texts(const struct endpoint *e, const struct parameters *p)
{
	for (int i = 0; e->parameters[i]; i++) {
		const char *at = p->value[i];
		size_t left = at ? strlen(at) : 0;
		for (size_t one; left > 0; at += one, left -= one) {
			one = utf8_length(at, left);
			MUST_HOLD(one > 0);
		}
	}
}

static void read_as(const char *method, const char *target, const char *text, size_t len)
{
	static struct path path;
	static struct parameters p;
	const char *allow;
	struct fault f;
	if (!path_read(target, &path, &f))
		return;
	const struct endpoint *e = endpoint_find(method, &path, &allow);
	if (!e)
		return;
	struct buf body = BUF_INIT(INPUT_MAX);
	buf_add(&body, text, len);
	MUST_HOLD(buf_ok(&body));
	if (parameters_read(e, target, &path, &body, &p, &f))
		must_be_texts(e, &p);
	else
		MUST_HOLD(f.kind == FAULT_MALFORMED || f.kind == FAULT_INPUT || f.kind == FAULT_TOO_LARGE);
	buf_finish(&body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	if (len > INPUT_MAX)
		return 0;
	size_t line = 0;
	while (line < len && data[line] != '\n')
		line++;
	char *target = calloc(line + 1, 1);
	MUST_HOLD(target);
	memcpy(target, data, line);
	const char *rest = line < len ? (const char *)data + line + 1 : "";
	size_t rest_len = line < len ? len - line - 1 : 0;
	read_as("GET", target, rest, rest_len);
	read_as("POST", target, rest, rest_len);
	free(target);
	return 0;
}
