/* fuzz_http_original.c - the input as a kept Content-Type, a line, and the kept headers, whatever they are: each line of the call is
 * one header, which neither payhook sets itself nor belongs to a connection. */

#include <string.h>

#include "fuzz.h"
#include "http_original.h"

static void must_be_one_header(const char *line, int number)
{
	static const char *const OWN[] = {"authorization", "cookie", "host", "content-length", "transfer-encoding",
		"connection", "idempotency-key", "traceparent", "user-agent", "x-payhook-source",
		"proxy-authorization"};
	size_t name = strcspn(line, ":;");
	MUST_HOLD(name > 0 && line[name] && !strpbrk(line, "\r\n"));
	for (size_t i = 0; i < name; i++)
		MUST_HOLD((unsigned char)line[i] > ' ' && (unsigned char)line[i] < 0x7f);
	for (size_t i = 0; number > 0 && i < sizeof OWN / sizeof *OWN; i++)
		MUST_HOLD(strlen(OWN[i]) != name || strncmp(line, OWN[i], name) != 0);
	MUST_HOLD((number == 0) == (strncmp(line, "Content-Type: ", 14) == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct http_original lines = {.text = {.max = HTTP_ORIGINAL_BYTES_MAX}};
	char *type = malloc(len + 1);
	MUST_HOLD(type);
	if (len)
		memcpy(type, data, len);
	type[len] = '\0';
	char *headers = strchr(type, '\n');
	if (headers)
		*headers++ = '\0';
	struct job job = {.content_type = type, .headers = headers};
	bool good = http_original_lines(&lines, &job);
	MUST_HOLD(buf_ok(&lines.text) && lines.count <= HTTP_ORIGINAL_LINES_MAX &&
		  lines.text.len <= HTTP_ORIGINAL_BYTES_MAX);
	for (int i = 0; good && i < lines.count; i++)
		must_be_one_header(lines.text.data + lines.at[i], i);
	free(type);
	return 0;
}
