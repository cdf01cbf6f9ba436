/* fuzz_gzip.c - the input as a body in gzip: what is decoded has the bytes that zlib's own reader of files finds, is refused
 * with a byte less, with a byte behind it, and with a limit below its length; and never exceeds the limit. */

#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "base/buf.h"
#include "fuzz.h"
#include "http/content_coding.h"

#define MOST 65536

static bool decode(const char *bytes, size_t len, size_t most, struct buf *ret, struct fault *f)
{
	*ret = BUF_INIT(MOST);
	bool good = content_coding_gunzip(bytes, len, most, ret, f);
	MUST_HOLD(ret->len <= most);
	return good;
}

static void must_be_refused(const char *bytes, size_t len, size_t most, enum fault_kind kind)
{
	struct buf b;
	struct fault f;
	MUST_HOLD(!decode(bytes, len, most, &b, &f) && f.kind == kind && f.text[0]);
	buf_finish(&b);
}

/* By gzread(), which reads a file. */
static void must_be_as_a_file(const char *bytes, size_t len, const struct buf *decoded)
{
	char path[] = "/tmp/payhook-fuzz-gzip-XXXXXX", piece[4096];
	int fd = mkstemp(path), got;
	size_t at = 0;
	MUST_HOLD(fd >= 0 && write(fd, bytes, len) == (ssize_t)len && lseek(fd, 0, SEEK_SET) == 0);
	unlink(path);
	gzFile file = gzdopen(fd, "rb");
	MUST_HOLD(file);
	while ((got = gzread(file, piece, sizeof piece)) > 0) {
		MUST_HOLD(at + (size_t)got <= decoded->len && memcmp(decoded->data + at, piece, (size_t)got) == 0);
		at += (size_t)got;
	}
	MUST_HOLD(got == 0 && at == decoded->len);
	gzclose(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const char *bytes = (const char *)data;
	struct buf decoded;
	struct fault f = {FAULT_BUG, ""};
	if (decode(bytes, len, MOST, &decoded, &f)) {
		char *more = malloc(len + 1);
		MUST_HOLD(more);
		memcpy(more, bytes, len);
		more[len] = '\0';
		must_be_as_a_file(bytes, len, &decoded);
		must_be_refused(more, len + 1, MOST, FAULT_MALFORMED);
		must_be_refused(bytes, len - 1, MOST, FAULT_MALFORMED);
		if (decoded.len > 0)
			must_be_refused(bytes, len, decoded.len - 1, FAULT_TOO_LARGE);
		free(more);
	} else {
		MUST_HOLD((f.kind == FAULT_MALFORMED || f.kind == FAULT_TOO_LARGE) && f.text[0]);
	}
	buf_finish(&decoded);
	return 0;
}
