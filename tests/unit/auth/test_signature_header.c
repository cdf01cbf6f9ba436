/* test_signature_header.c - parsing signature headers, well-formed and malformed. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "auth/signature_header.h"

#define HEX "5257a869e7ecebeda32affa62cdca3fa51cad7e77a0e56ff536d0ce8e108d8bd"
#define HEX_0 "6ffbb59b2300aae63f272406069a9788598b792a944a07aba816edb039989a39"
#define BASE64 "K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4="
#define BASE64_64 "hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg=="

typedef bool (*reader)(const char *header, struct signature_list *ret, struct fault *f);

static struct signature_list list;

static void reads(reader read, const char *header, int count)
{
	struct fault f = {FAULT_BUG, "untouched"};
	cr_assert(read(header, &list, &f), "\"%s\" is refused: %s", header, f.text);
	cr_expect_eq(list.count, count, "\"%s\" holds %d", header, list.count);
	cr_expect_str_eq(f.text, "untouched");
}

static void refuses(reader read, const char *header, const char *why)
{
	struct fault f = {FAULT_BUG, ""};
	cr_expect_not(read(header, &list, &f), "\"%s\" is accepted", header);
	cr_expect_eq(f.kind, FAULT_MALFORMED);
	cr_expect_not_null(strstr(f.text, why), "\"%s\": \"%s\" lacks \"%s\"", header, f.text, why);
}

/* The header of Stripe's documentation, "Verify webhook signatures manually". */
Test(signature_header, reads_stripes)
{
	reads(signature_read_stripe, "t=1492774577,v1=" HEX ",v0=" HEX_0, 1);
	cr_expect_eq(list.time_s, 1492774577);
	cr_expect_eq(list.time_len, 10);
	cr_expect_eq(strncmp(list.time, "1492774577,", 11), 0);
	cr_expect_eq(list.value[0].len, 32);
	cr_expect_eq(list.value[0].bytes[0], 0x52);
	cr_expect_eq(list.value[0].bytes[31], 0xbd);
	reads(signature_read_stripe, "v1=" HEX ",t=0", 1);
	reads(signature_read_stripe, "t=1,v1=" HEX ",v1=" HEX_0, 2);
	reads(signature_read_stripe, "t=1,v0=" HEX_0, 0);
	reads(signature_read_stripe, "t=1,v1=nonsense,v1=" HEX ",v1=", 1);
	cr_expect_eq(list.unreadable, 2);
	reads(signature_read_stripe, "t=1,v2=anything at all,=,x=,v1=" HEX, 1);
	reads(signature_read_stripe, "t=99999999999", 0);
}

Test(signature_header, refuses_what_is_not_stripes)
{
	const char *no_equals[] = {"", "t", "v1", "t=1,", ",t=1", "t=1,,v1=" HEX, ",", HEX, "t=1,v1=" HEX ","};
	const char *no_time[] = {"v1=" HEX, "T=1,v1=" HEX, " t=1,v1=" HEX, "v1=" HEX ", t=1", "=1", "tt=1"};
	const char *bad_time[] = {"t=", ("t=,v1=" HEX), "t=-1", "t=+1", "t= 1", "t=1 ", "t=1.5", "t=0x10", "t=1e9",
		"t=a", "t=100000000000", "t=\xd9\xa1", "t==1"};
	for (size_t i = 0; i < COUNT_OF(no_equals); i++)
		refuses(signature_read_stripe, no_equals[i], "no equals sign");
	for (size_t i = 0; i < COUNT_OF(no_time); i++)
		refuses(signature_read_stripe, no_time[i], "no time");
	for (size_t i = 0; i < COUNT_OF(bad_time); i++)
		refuses(signature_read_stripe, bad_time[i], "the time");
	refuses(signature_read_stripe, "t=1,t=1,v1=" HEX, "two times");
	const char *unreadable[] = {"t=1,v1=", "t=1,v1=" HEX "0", "t=1,v1=" HEX "00", "t=1,v1= " HEX, "t=1,v1=0x" HEX,
		"t=1,v1=" BASE64, "t=1,v1=zz", "t=1,v1=\"" HEX "\""};
	for (size_t i = 0; i < COUNT_OF(unreadable); i++)
		refuses(signature_read_stripe, unreadable[i], "no signature in it");
}

/* The header of the Standard Webhooks specification. */
Test(signature_header, reads_standard_webhooks)
{
	reads(signature_read_standard, "v1," BASE64 " v1a," BASE64_64, 2);
	cr_expect_eq(list.value[0].version, SIGNATURE_HMAC);
	cr_expect_eq(list.value[0].len, 32);
	cr_expect_eq(list.value[0].bytes[0], 0x2b);
	cr_expect_eq(list.value[1].version, SIGNATURE_ED25519);
	cr_expect_eq(list.value[1].len, 64);
	cr_expect_null(list.time);
	reads(signature_read_standard, "v2,whatever v1," BASE64, 1);
	reads(signature_read_standard, "v1,nonsense v1," BASE64 " v1a," BASE64, 1);
	cr_expect_eq(list.unreadable, 2);
	reads(signature_read_standard, ",", 0);
	reads(signature_read_standard, "v3,", 0);
}

Test(signature_header, refuses_what_is_not_standard_webhooks)
{
	const char *no_comma[] = {"", " ", "v1", "v1=" BASE64, BASE64, "v1," BASE64 " ", " v1," BASE64,
		"v1," BASE64 "  v1," BASE64, "v1," BASE64 " v1", "v1:" BASE64};
	const char *unreadable[] = {"v1,", "v1a,", "v1, v1,", "v1," BASE64 "=", "v1,K5oZ", "v1," BASE64_64,
		"v1a," BASE64, "v1," HEX, "v1," BASE64 "\n", "v1," BASE64 "," BASE64, "v1,\"" BASE64 "\"",
		"v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN_H_pI4=", "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4",
		"v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI5="};
	for (size_t i = 0; i < COUNT_OF(no_comma); i++)
		refuses(signature_read_standard, no_comma[i], "no comma");
	for (size_t i = 0; i < COUNT_OF(unreadable); i++)
		refuses(signature_read_standard, unreadable[i], "no signature in it");
}

/* Verifying a forged one costs ten times as much as an HMAC, for each signature. */
Test(signature_header, takes_three_signatures_of_ed25519_at_most)
{
	reads(signature_read_standard, "v1a," BASE64_64 " v1a," BASE64_64 " v1a," BASE64_64 " v1," BASE64, 4);
	refuses(signature_read_standard, "v1a," BASE64_64 " v1a," BASE64_64 " v1a," BASE64_64 " v1a," BASE64_64,
		"more than 3 signatures of Ed25519");
}

static bool read_github(const char *header, struct signature_list *ret, struct fault *f)
{
	return signature_read_single(header, "sha256=", ENCODING_HEX, 32, ret, f);
}

static bool read_square(const char *header, struct signature_list *ret, struct fault *f)
{
	return signature_read_single(header, "", ENCODING_BASE64, 32, ret, f);
}

static bool read_any(const char *header, struct signature_list *ret, struct fault *f)
{
	return signature_read_single(header, "", ENCODING_BASE64, 0, ret, f);
}

Test(signature_header, reads_a_single_one)
{
	reads(read_github, "sha256=" HEX, 1);
	reads(read_github, "sha256=5257A869E7ECEBEDA32AFFA62CDCA3FA51CAD7E77A0E56FF536D0CE8E108D8BD", 1);
	reads(read_square, BASE64, 1);
	cr_expect_eq(list.value[0].len, 32);
	reads(read_any, BASE64_64, 1);
	cr_expect_eq(list.value[0].len, 64);
	reads(read_any, "AA==", 1);
}

Test(signature_header, refuses_what_is_no_single_one)
{
	const char *prefix[] = {
		"", HEX, "sha1=" HEX, "SHA256=" HEX, " sha256=" HEX, "sha256:" HEX, "sha512=" HEX, "sha256"};
	const char *form[] = {"sha256=", "sha256=" HEX "0", "sha256=" HEX " ", "sha256= " HEX, "sha256=" BASE64,
		"sha256=" HEX ", sha256=" HEX, "sha256=sha256=" HEX, "sha256=" HEX "\n", "sha256=0x", "sha256=g",
		"sha256=%35"};
	for (size_t i = 0; i < COUNT_OF(prefix); i++)
		refuses(read_github, prefix[i], "does not begin with sha256=");
	for (size_t i = 0; i < COUNT_OF(form); i++)
		refuses(read_github, form[i], "not in hex");
	refuses(read_github, "sha256=00", "has 1 bytes, not 32");
	refuses(read_github, "sha256=" HEX "00", "has 33 bytes, not 32");
	refuses(read_square, BASE64_64, "has 64 bytes, not 32");
	refuses(read_square, HEX, "has 48 bytes, not 32"); /* hexadecimal digits are also letters of base64 */
	refuses(read_any, "", "not in base64");
	refuses(read_any, BASE64 ", " BASE64, "not in base64");
}

/* A list of count entries with a separator between each two. */
static const char *many(const char *entry, const char *separator, int count)
{
	static char text[8192];
	size_t len = 0;
	text[0] = '\0';
	for (int i = 0; i < count && len < sizeof text - 256; i++)
		len += (size_t)snprintf(text + len, sizeof text - len, "%s%s", i ? separator : "", entry);
	return text;
}

Test(signature_header, bounds_the_cost_that_a_sender_can_cause)
{
	reads(signature_read_standard, many("v1," BASE64, " ", SIGNATURES_MAX), SIGNATURES_MAX);
	refuses(signature_read_standard, many("v1," BASE64, " ", SIGNATURES_MAX + 1), "more than 8 signatures");
	reads(signature_read_standard, many("v9,", " ", SIGNATURE_ENTRIES_MAX), 0);
	refuses(signature_read_standard, many("v9,", " ", SIGNATURE_ENTRIES_MAX + 1), "more than 16 parts");
	refuses(signature_read_stripe, many("v1=" HEX, ",", SIGNATURES_MAX + 1), "more than 8 signatures");
	refuses(signature_read_stripe, many("a=", ",", SIGNATURE_ENTRIES_MAX + 1), "more than 16 parts");
	char longer[SIGNATURE_HEADER_MAX + 2];
	memset(longer, 'A', sizeof longer - 1);
	longer[sizeof longer - 1] = '\0';
	refuses(signature_read_stripe, longer, "longer than 1024 bytes");
	refuses(signature_read_standard, longer, "longer than 1024 bytes");
	refuses(read_any, longer, "longer than 1024 bytes");
	longer[SIGNATURE_HEADER_MAX] = '\0';
	refuses(read_any, longer, "not in base64"); /* 768 bytes: longer than any signature */
	longer[680] = '\0';
	reads(read_any, longer, 1);
}

Test(signature_header, reads_unix_times)
{
	int64_t time = -1;
	struct fault f;
	cr_expect(signature_read_time("0", 1, &time, &f) && time == 0);
	cr_expect(signature_read_time("1771502400xyz", 10, &time, &f) && time == 1771502400);
	cr_expect(signature_read_time("00000000001", 11, &time, &f) && time == 1);
	const char *bad[] = {
		"", "-1", "+1", " 1", "1 ", "1.0", "1e3", "0x1", "one", "123456789012", "1\n", "\xef\xbc\x91", "١"};
	time = 77;
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		cr_expect_not(signature_read_time(bad[i], strlen(bad[i]), &time, &f), "\"%s\"", bad[i]);
	cr_expect_eq(time, 77);
}

static void dates(const char *text, int64_t expected)
{
	int64_t time = -1;
	struct fault f;
	cr_assert(signature_read_date(text, &time, &f), "%s: %s", text, f.text);
	cr_expect_eq(time, expected, "%s is %lld", text, (long long)time);
}

Test(signature_header, reads_dates)
{
	dates("1970-01-01T00:00:00Z", 0);
	dates("2026-02-19T12:00:00Z", 1771502400);
	dates("2026-02-19T12:00:00.123456789Z", 1771502400);
	dates("2024-02-29T23:59:59Z", 1709251199);
	dates("2016-12-31T23:59:60Z", 1483228800);
	dates("9999-12-31T23:59:59Z", 253402300799);
	dates("0001-01-01T00:00:00Z", -62135596800);
}

Test(signature_header, refuses_what_is_no_date)
{
	const char *bad[] = {"", "Z", "2026", "2026-02-19", "2026-02-19T12:00:00", "2026-02-19 12:00:00Z",
		"2026-02-19t12:00:00z", "2026-02-19T12:00:00+00:00", "2026-02-19T12:00:00z", "2026-02-19T12:00:00Z ",
		" 2026-02-19T12:00:00Z", "2026-02-30T12:00:00Z", "2025-02-29T12:00:00Z", "2026-13-01T12:00:00Z",
		"2026-00-01T12:00:00Z", "2026-01-00T12:00:00Z", "2026-01-32T12:00:00Z", "2026-02-19T24:00:00Z",
		"2026-02-19T12:60:00Z", "2026-02-19T12:00:61Z", "2026-02-19T12:00:00.Z",
		"2026-02-19T12:00:00.1234567890Z", "2026-02-19T12:00:00,5Z", "2026-2-19T12:00:00Z",
		"26-02-19T12:00:00Z", "1771502400", "2026-02-19T12:00Z", "+026-02-19T12:00:00Z",
		"2026-02-19T12:00:00ZZ", "2026-02-19T-1:00:00Z", "2026-02-30T12:00:60Z"};
	struct fault f;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		int64_t time = 77;
		cr_expect_not(signature_read_date(bad[i], &time, &f), "\"%s\"", bad[i]);
		cr_expect_eq(f.kind, FAULT_MALFORMED);
		cr_expect_eq(time, 77);
	}
}
