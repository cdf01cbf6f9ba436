/* test_content_coding.c - which content codings are taken, and decoding of gzip within a bound. */

#include <criterion/criterion.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/base.h"
#include "http/content_coding.h"

#define TEXT_MAX 65536

/* One member of gzip, made by zlib. */
static size_t gzip(const char *text, size_t len, char *ret, size_t size)
{
	z_stream z = {0};
	cr_assert_eq(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_in = (unsigned char *)(uintptr_t)text;
	z.avail_in = (unsigned)len;
	z.next_out = (unsigned char *)ret;
	z.avail_out = (unsigned)size;
	cr_assert_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	return size - z.avail_out;
}

static struct fault f;

static bool decodes(const char *bytes, size_t len, size_t most, struct buf *ret)
{
	char *copy = malloc(len + 1);
	memcpy(copy, bytes, len);
	bool good = content_coding_gunzip(copy, len, most, ret, &f);
	free(copy);
	return good;
}

static void refuses(const char *bytes, size_t len, size_t most, enum fault_kind kind, const char *why)
{
	struct buf b = BUF_INIT(TEXT_MAX);
	cr_assert_not(decodes(bytes, len, most, &b), "%s", why);
	cr_expect_eq(f.kind, kind, "%s", f.text);
	cr_expect_not_null(strstr(f.text, why), "%s: %s", why, f.text);
	buf_finish(&b);
}

Test(content_coding, knows_gzip_and_none)
{
	const char *none[] = {NULL, "", "identity", "Identity"}, *zipped[] = {"gzip", "GZip", "x-gzip"};
	const char *others[] = {"br", "deflate", "compress", "zstd", "gzip, gzip", "gzip,", " gzip", "gzipped", "*"};
	enum content_coding coding = CONTENT_CODING_GZIP;
	for (size_t i = 0; i < COUNT_OF(none); i++) {
		coding = CONTENT_CODING_GZIP;
		cr_expect(content_coding_read(none[i], &coding) && coding == CONTENT_CODING_NONE, "%s",
			none[i] ? none[i] : "");
	}
	for (size_t i = 0; i < COUNT_OF(zipped); i++) {
		coding = CONTENT_CODING_NONE;
		cr_expect(content_coding_read(zipped[i], &coding) && coding == CONTENT_CODING_GZIP, "%s", zipped[i]);
	}
	for (size_t i = 0; i < COUNT_OF(others); i++)
		cr_expect(!content_coding_read(others[i], &coding) && coding == CONTENT_CODING_GZIP, "%s", others[i]);
}

Test(content_coding, decodes_one_member)
{
	static char text[TEXT_MAX], zipped[TEXT_MAX];
	static const size_t lengths[] = {0, 1, 20, 16383, 16384, 16385, TEXT_MAX};
	for (size_t i = 0; i < sizeof text; i++)
		text[i] = (char)(i * 7 + i / 251);
	for (size_t i = 0; i < COUNT_OF(lengths); i++) {
		struct buf b = BUF_INIT(TEXT_MAX);
		size_t len = gzip(text, lengths[i], zipped, sizeof zipped);
		cr_assert(decodes(zipped, len, TEXT_MAX, &b), "%zu bytes: %s", lengths[i], f.text);
		cr_expect_eq(b.len, lengths[i]);
		cr_expect(b.len == 0 || memcmp(b.data, text, b.len) == 0);
		buf_finish(&b);
	}
}

Test(content_coding, stops_at_the_limit)
{
	static char text[TEXT_MAX], zipped[TEXT_MAX];
	struct buf b = BUF_INIT(TEXT_MAX);
	size_t len = gzip(text, sizeof text, zipped, sizeof zipped);
	cr_assert_lt(len, 200);
	cr_expect(decodes(zipped, len, TEXT_MAX, &b));
	buf_finish(&b);
	refuses(zipped, len, TEXT_MAX - 1, FAULT_TOO_LARGE, "the body decodes to more than 65535 bytes");
	refuses(zipped, len, 10, FAULT_TOO_LARGE, "the body decodes to more than 10 bytes");
	refuses(zipped, len, 0, FAULT_TOO_LARGE, "more than 0 bytes");
}

Test(content_coding, refuses_what_is_not_one_whole_member)
{
	char zipped[300], twice[600];
	size_t len = gzip("{\"id\":1}", 8, zipped, sizeof zipped);
	for (size_t cut = 0; cut < len; cut++)
		refuses(zipped, cut, 1000, FAULT_MALFORMED, "breaks off");
	memcpy(twice, zipped, len);
	memcpy(twice + len, zipped, len);
	refuses(twice, 2 * len, 1000, FAULT_MALFORMED, "other bytes follow it");
	twice[len] = '\0';
	refuses(twice, len + 1, 1000, FAULT_MALFORMED, "other bytes follow it");
	refuses("{\"id\":1}", 8, 1000, FAULT_MALFORMED, "not one member of gzip");
	zipped[len - 1] ^= 1;
	refuses(zipped, len, 1000, FAULT_MALFORMED, "incorrect length check");
	zipped[len - 1] ^= 1;
	zipped[len - 5] ^= 1;
	refuses(zipped, len, 1000, FAULT_MALFORMED, "incorrect data check");
}

Test(content_coding, refuses_zlib_and_raw_deflate)
{
	char zlib[300];
	unsigned long len = sizeof zlib;
	cr_assert_eq(compress((unsigned char *)zlib, &len, (const unsigned char *)"{\"id\":1}", 8), Z_OK);
	refuses(zlib, len, 1000, FAULT_MALFORMED, "not one member of gzip");
	refuses(zlib + 2, len - 6, 1000, FAULT_MALFORMED, "not one member of gzip");
}
