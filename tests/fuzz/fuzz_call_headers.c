/* fuzz_call_headers.c - the input as the file of PROCESSOR_HEADERS, with values that may name a file with the same bytes: each
 * line that comes of it is one header, and none is reserved. */

#include <string.h>
#include <strings.h>

#include "call_headers.h"
#include "fuzz.h"

struct input {
	const char *text;
	size_t len;
};

static bool fuzz_secret(void *ctx, const char *path, struct buf *ret, struct fault *f)
{
	const struct input *in = ctx;
	MUST_HOLD(*path);
	if (*path == '0')
		return fault_set(f, FAULT_INPUT, "no such file");
	if (*path == '1')
		buf_add_text(ret, "token\n");
	else
		buf_add(ret, in->text, in->len < 64 ? in->len : 64);
	return true;
}

static void must_be_one_header(const char *line)
{
	const char *colon = strchr(line, ':');
	MUST_HOLD(colon && colon > line && colon[1] == ' ' && colon[2]);
	for (const char *c = line; *c; c++)
		MUST_HOLD(((unsigned char)*c >= ' ' || *c == '\t') && *c != 0x7f);
	for (const char *c = line; c < colon; c++)
		MUST_HOLD(*c > ' ' && *c < 0x7f);
	MUST_HOLD(strncasecmp(line, "content-length:", 15) != 0 && strncasecmp(line, "host:", 5) != 0);
	MUST_HOLD(strncasecmp(line, "transfer-encoding:", 18) != 0 && strncasecmp(line, "proxy-", 6) != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct input in = {(const char *)data, len};
	struct call_headers h;
	struct fault f;
	if (len > CALL_HEADERS_FILE_MAX)
		return 0;
	if (!call_headers_read(in.text, len, fuzz_secret, &in, &h, &f)) {
		MUST_HOLD(*f.text);
		return 0;
	}
	MUST_HOLD(h.count >= 0 && h.count <= CALL_HEADERS_MAX);
	for (int i = 0; i < h.count; i++) {
		must_be_one_header(h.text.data + h.at[i]);
		MUST_HOLD(call_headers_have(&h, h.text.data + h.at[i]));
	}
	call_headers_finish(&h);
	return 0;
}
