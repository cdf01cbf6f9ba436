/* content_coding.c - decodes the body of a request.  Beside lib/auth/digest.c it is the only file that uses zlib.
 *
 * A few kilobytes of gzip can decode to megabytes, so decoding goes piece by piece and stops at the limit of a body: neither
 * memory nor time depend on what a sender has compressed.  A second member, or any byte behind the first, is refused: readers
 * of gzip differ in what they make of it.  zlib verifies the CRC-32 and the length at the end.  Which bytes are signed is left
 * to the caller. */

#include "http/content_coding.h"

#include <limits.h>
#include <string.h>
#include <strings.h>
#define ZLIB_CONST /* its input is not written */
#include <zlib.h>

#define PIECE_BYTES 16384
#define GZIP_ONLY (15 + 16) /* inflateInit2(): the largest window, and the header of gzip alone */

bool content_coding_read(const char *header, enum content_coding *ret)
{
	if (!header || !*header || strcasecmp(header, "identity") == 0)
		*ret = CONTENT_CODING_NONE;
	else if (strcasecmp(header, "gzip") == 0 || strcasecmp(header, "x-gzip") == 0)
		*ret = CONTENT_CODING_GZIP;
	else
		return false;
	return true;
}

static bool content_coding_malformed(const char *why, struct fault *f)
{
	return fault_set(f, FAULT_MALFORMED, "the body is not one member of gzip: %s", why);
}

static bool content_coding_no_memory(struct fault *f)
{
	return fault_set(f, FAULT_BUSY, "no memory to decode a body");
}

/* Appends one piece, in which decoding ended if result is Z_STREAM_END. */
static bool add_piece(
	const z_stream *z, int result, const void *piece, size_t len, size_t *left, struct buf *ret, struct fault *f)
{
	if (result == Z_MEM_ERROR)
		return content_coding_no_memory(f);
	if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR)
		return content_coding_malformed(z->msg ? z->msg : "it wants a dictionary", f);
	if (len > *left)
		return fault_set(f, FAULT_TOO_LARGE, "the body decodes to more bytes than a body may have");
	buf_add(ret, piece, len);
	*left -= len;
	if (!buf_ok(ret))
		return content_coding_no_memory(f);
	if (result != Z_STREAM_END && len == 0)
		return content_coding_malformed("it breaks off", f);
	return result != Z_STREAM_END || z->avail_in == 0 || content_coding_malformed("other bytes follow it", f);
}

static bool inflate_all(z_stream *z, size_t left, struct buf *ret, struct fault *f)
{
	int result = Z_OK;
	while (result != Z_STREAM_END) {
		unsigned char piece[PIECE_BYTES];
		z->next_out = piece;
		z->avail_out = sizeof piece;
		result = inflate(z, Z_NO_FLUSH);
		if (!add_piece(z, result, piece, sizeof piece - z->avail_out, &left, ret, f))
			return false;
	}
	return true;
}

bool content_coding_gunzip(const char *bytes, size_t len, size_t most, struct buf *ret, struct fault *f)
{
	z_stream z = {0};
	if (len > UINT_MAX)
		return fault_set(f, FAULT_TOO_LARGE, "the body has %zu bytes", len);
	if (inflateInit2(&z, GZIP_ONLY) != Z_OK)
		return content_coding_no_memory(f);
	z.next_in = (const unsigned char *)bytes;
	z.avail_in = (unsigned)len;
	bool good = inflate_all(&z, most, ret, f);
	(void)inflateEnd(&z);
	if (!good && f->kind == FAULT_TOO_LARGE)
		return fault_set(f, FAULT_TOO_LARGE, "the body decodes to more than %zu bytes", most);
	return good;
}
