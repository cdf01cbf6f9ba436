/* test_encode.c - strict decoding of base64, base64url and hexadecimal. */

#include <criterion/criterion.h>
#include <string.h>

#include "base/encode.h"

static void reads(enum encoding encoding, const char *text, const char *bytes, size_t len)
{
	unsigned char got[64];
	size_t got_len = 99;
	cr_assert(encode_read(encoding, text, strlen(text), got, sizeof got, &got_len), "\"%s\" is refused", text);
	cr_expect_eq(got_len, len, "\"%s\" has %zu bytes", text, got_len);
	cr_expect_arr_eq(got, bytes, len, "\"%s\"", text);
	/* With exactly the space that is needed, and with one byte less. */
	cr_expect(encode_read(encoding, text, strlen(text), got, len, &got_len), "\"%s\"", text);
	cr_expect(len == 0 || !encode_read(encoding, text, strlen(text), got, len - 1, &got_len), "\"%s\"", text);
}

static void refuses(enum encoding encoding, const char *text)
{
	unsigned char got[64];
	size_t got_len = 99;
	cr_expect_not(encode_read(encoding, text, strlen(text), got, sizeof got, &got_len), "\"%s\" is accepted", text);
	cr_expect_eq(got_len, 99);
}

/* RFC 4648, section 10. */
Test(encode, reads_the_published_texts)
{
	reads(ENCODING_BASE64, "", "", 0);
	reads(ENCODING_BASE64, "Zg==", "f", 1);
	reads(ENCODING_BASE64, "Zm8=", "fo", 2);
	reads(ENCODING_BASE64, "Zm9v", "foo", 3);
	reads(ENCODING_BASE64, "Zm9vYg==", "foob", 4);
	reads(ENCODING_BASE64, "Zm9vYmE=", "fooba", 5);
	reads(ENCODING_BASE64, "Zm9vYmFy", "foobar", 6);
	reads(ENCODING_BASE64, "+/+/", "\xfb\xff\xbf", 3);
	reads(ENCODING_HEX, "", "", 0);
	reads(ENCODING_HEX, "666F6F626172", "foobar", 6);
	reads(ENCODING_HEX, "00fFaAbB9e", "\x00\xff\xaa\xbb\x9e", 5);
}

Test(encode, refuses_base64_that_is_not_exactly_in_its_form)
{
	const char *bad[] = {"Z", "Zg", "Zg=", "Zm8", "Zm9vY", "Zm9v=", "Zm9vYg=", "=",
		"==", "===", "====", "Z===", "Z=g=", "Zg==Zg==", "Zm9v\n", "Zm9v Zm9v", " Zm9v", "Zm9-", "Zm9_",
		"Zm\x80v", "Zm9v====", "Zm9\"", "Zm9.", "Zm9@", "Zm9[", "Zm9`", "Zm9{", "Zm9:"};
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		refuses(ENCODING_BASE64, bad[i]);
}

Test(encode, refuses_bits_that_belong_to_no_byte)
{
	refuses(ENCODING_BASE64, "Zh==");
	refuses(ENCODING_BASE64, "Zm9=");
	refuses(ENCODING_BASE64, "AB==");
	refuses(ENCODING_BASE64, "//==");
	reads(ENCODING_BASE64, "AA==", "\0", 1);
	reads(ENCODING_BASE64, "/w==", "\xff", 1);
}

Test(encode, refuses_hex_that_is_not_exactly_in_its_form)
{
	const char *bad[] = {"0", "000", "0g", "g0", "0x00", " 00", "00 ", "00\n", "-1", "+1", "0\x80", "00:00", "/0",
		":0", "@0", "G0", "`0", "AB=="};
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		refuses(ENCODING_HEX, bad[i]);
}

Test(encode, reads_every_byte_back)
{
	static const char LETTERS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	static const char DIGITS[] = "0123456789abcdef";
	for (unsigned i = 0; i < 256; i++) {
		char byte = (char)i;
		char base64[] = {LETTERS[i >> 2], LETTERS[(i & 3) << 4], '=', '=', '\0'};
		char hex[] = {DIGITS[i >> 4], DIGITS[i & 15], '\0'};
		reads(ENCODING_BASE64, base64, &byte, 1);
		reads(ENCODING_HEX, hex, &byte, 1);
	}
}

Test(encode, writes_base64_that_it_reads_back)
{
	static const char *const TEXTS[] = {
		"", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"}; /* RFC 4648, 10 */
	char text[ENCODE_BASE64_MAX(256)];
	for (size_t i = 0; i < COUNT_OF(TEXTS); i++) {
		cr_expect_eq(encode_write_base64((const unsigned char *)"foobar", i, text), strlen(TEXTS[i]));
		cr_expect_str_eq(text, TEXTS[i]);
	}
	unsigned char all[256], got[256];
	size_t len;
	for (int i = 0; i < 256; i++)
		all[i] = (unsigned char)(255 - i);
	cr_expect_eq(encode_write_base64(all, 256, text), sizeof text - 1);
	cr_assert(encode_read(ENCODING_BASE64, text, strlen(text), got, sizeof got, &len));
	cr_expect(len == 256 && memcmp(got, all, 256) == 0);
}

Test(encode, does_not_read_past_its_length)
{
	unsigned char got[8];
	size_t len;
	cr_expect(encode_read(ENCODING_HEX, "00zz", 2, got, sizeof got, &len) && len == 1);
	cr_expect(encode_read(ENCODING_BASE64, "Zm9v!", 4, got, sizeof got, &len) && len == 3);
}
