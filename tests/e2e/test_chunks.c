/* test_chunks.c - bodies with Transfer-Encoding: chunked, well-formed and malformed. */

#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "support/wire.h"

#define POST "POST @HOOK@ HTTP/1.1\r\n@HEAD@"
#define CHUNKED POST "Transfer-Encoding: chunked\r\n\r\n"
#define WHOLE "@HEX@\r\n@BODY@\r\n0\r\n\r\n"

Test(chunks, what_the_grammar_allows_is_one_body)
{
	static const struct wire_case cases[] = {
		{"a chunk", CHUNKED WHOLE, 202, KEPT},
		{"a coding in capitals", POST "Transfer-Encoding: CHUNKED\r\n\r\n" WHOLE, 202, KEPT},
		{"a size with zeros before it", CHUNKED "0000000000000000000000@HEX@\r\n@BODY@\r\n0\r\n\r\n", 202,
			KEPT},
		{"an extension", CHUNKED "@HEX@;a=b;c=\"d\"\r\n@BODY@\r\n0;e\r\n\r\n", 202, KEPT},
		{"a space behind the size", CHUNKED "@HEX@ \r\n@BODY@\r\n0\r\n\r\n", 202, KEPT},
		{"a trailer", CHUNKED "@HEX@\r\n@BODY@\r\n0\r\nX-After: 1\r\n\r\n", 202, KEPT},
		{"a trailer that names another length",
			CHUNKED "@HEX@\r\n@BODY@\r\n0\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", 202,
			KEPT},
		{"line feeds alone", CHUNKED "@HEX@\n@BODY@\n0\n\n", 202, KEPT},
		{"no byte at all", CHUNKED "0\r\n\r\n", 400, KEPT},
		{0},
	};

	wire_expect(cases);
}

Test(chunks, a_lie_about_a_size_is_a_bad_request)
{
	static const struct wire_case cases[] = {
		{"a size too small", CHUNKED "5\r\n@BODY@\r\n0\r\n\r\n", 400, CLOSED},
		{"a size too small by one", CHUNKED "@HEX@\r\n@BODY@}\r\n0\r\n\r\n", 400, CLOSED},
		{"a size above the limit", CHUNKED "10001\r\n@BODY@\r\n0\r\n\r\n", 413, CLOSED},
		{"a size that is negative", CHUNKED "-1\r\n@BODY@\r\n0\r\n\r\n", 400, CLOSED},
		{"a size with a plus", CHUNKED "+@HEX@\r\n@BODY@\r\n0\r\n\r\n", 400, CLOSED},
		{"a size with 0x", CHUNKED "0x@HEX@\r\n@BODY@\r\n0\r\n\r\n", 400, CLOSED},
		{"the most that 64 bits hold", CHUNKED "ffffffffffffffff\r\n@BODY@\r\n0\r\n\r\n", 400, CLOSED},
		{"one more than 64 bits hold", CHUNKED "10000000000000000\r\n@BODY@\r\n0\r\n\r\n", 400, CLOSED},
		{"what wraps to the right size", CHUNKED "100000000000000@HEX@\r\n@BODY@\r\n0\r\n\r\n", 400, CLOSED},
		{"the most that 63 bits hold", CHUNKED "7fffffffffffffff\r\n@BODY@\r\n0\r\n\r\n", 400, CLOSED},
		{"half of 64 bits", CHUNKED "8000000000000000\r\n@BODY@\r\n0\r\n\r\n", 400, CLOSED},
		{"no size", CHUNKED "\r\n@BODY@\r\n0\r\n\r\n", 400, CLOSED},
		{"an extension without a size", CHUNKED ";a=b\r\n@BODY@\r\n0\r\n\r\n", 400, CLOSED},
		{"a space before the size", CHUNKED " @HEX@\r\n@BODY@\r\n0\r\n\r\n", 400, CLOSED},
		{"a size that is no number", CHUNKED "zz\r\n@BODY@\r\n0\r\n\r\n", 400, CLOSED},
		{"a NUL in the size", CHUNKED "@NUL@@HEX@\r\n@BODY@\r\n0\r\n\r\n", 400, CLOSED},
		{"a line feed in an extension", CHUNKED "@HEX@;a=\nb\r\n@BODY@\r\n0\r\n\r\n", 400, CLOSED},
		{"carriage returns alone", CHUNKED "@HEX@\r@BODY@\r0\r\r", 400, CLOSED},
		{"a second chunk that is none", CHUNKED "@HEX@\r\n@BODY@\r\nx\r\n\r\n", 400, CLOSED},
		{0},
	};

	wire_expect(cases);
}

Test(chunks, a_coding_that_is_not_plainly_chunked_is_refused)
{
	static const struct wire_case cases[] = {
		{"twice", POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n" WHOLE, 400, CLOSED},
		{"chunked, then identity",
			POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n" WHOLE, 400, CLOSED},
		{"chunked, identity", POST "Transfer-Encoding: chunked, identity\r\n\r\n" WHOLE, 501, CLOSED},
		{"identity, chunked", POST "Transfer-Encoding: identity, chunked\r\n\r\n" WHOLE, 501, CLOSED},
		{"gzip, chunked", POST "Transfer-Encoding: gzip, chunked\r\n\r\n" WHOLE, 501, CLOSED},
		{"identity", POST "Transfer-Encoding: identity\r\n\r\n" WHOLE, 501, CLOSED},
		{"nothing", POST "Transfer-Encoding:\r\n\r\n" WHOLE, 501, CLOSED},
		{"another word", POST "Transfer-Encoding: xchunked\r\n\r\n" WHOLE, 501, CLOSED},
		{"a parameter", POST "Transfer-Encoding: chunked;q=1\r\n\r\n" WHOLE, 501, CLOSED},
		{"a tab before it", POST "Transfer-Encoding:\tchunked\r\n\r\n" WHOLE, 501, CLOSED},
		{"a vertical tab before it", POST "Transfer-Encoding: \vchunked\r\n\r\n" WHOLE, 501, CLOSED},
		{"a space before the colon", POST "Transfer-Encoding : chunked\r\n\r\n" WHOLE, 400, CLOSED},
		{"on a line that goes on", POST "Transfer-Encoding:\r\n chunked\r\n\r\n" WHOLE, 400, CLOSED},
		{"with a length", POST "Transfer-Encoding: chunked\r\nContent-Length: @LEN@\r\n\r\n" WHOLE, 400,
			CLOSED},
		{"after a length", POST "Content-Length: @LEN@\r\nTransfer-Encoding: chunked\r\n\r\n" WHOLE, 400,
			CLOSED},
		{"after a length, which would hide a request",
			POST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
			     "POST @HOOK@ HTTP/1.1\r\n@HEAD@Content-Length: @LEN@\r\n\r\n@BODY@",
			400, CLOSED},
		{"of HTTP/1.0", "POST @HOOK@ HTTP/1.0\r\n@HEAD@Transfer-Encoding: chunked\r\n\r\n" WHOLE, 400, CLOSED},
		{0},
	};

	wire_expect(cases);
}

/* nginx drops a header whose name contains an underscore.  Then the request has no body, and its bytes are read as the
 * next request. */
Test(chunks, a_coding_under_a_false_name_is_not_one)
{
	static const struct wire_case cases[] = {
		{"an underscore", POST "Transfer_Encoding: chunked\r\nConnection: close\r\n\r\n", 400, CLOSED},
		{"an underscore beside a length",
			POST "Transfer_Encoding: chunked\r\nContent-Length: @LEN@\r\n\r\n@BODY@", 202, KEPT},
		{0},
	};

	wire_expect(cases);
}

/* Chunk extensions and trailers, which nginx reads and drops, count for no size limit. */
Test(chunks, what_stands_beside_the_body_does_not_count_as_body)
{
	static char long_extension[40000], long_trailer[40000];
	static const char many[] = "X-After: yyyyyyyyyyyyyyyyyyyyyyyyyy\r\n";

	int used = snprintf(long_extension, sizeof(long_extension), CHUNKED "@HEX@;a=");
	memset(long_extension + used, 'x', 30000);
	snprintf(long_extension + used + 30000, 64, "\r\n@BODY@\r\n0\r\n\r\n");
	used = snprintf(long_trailer, sizeof(long_trailer), CHUNKED "@HEX@\r\n@BODY@\r\n0\r\n");
	while (used < 30000)
		used += snprintf(long_trailer + used, sizeof(long_trailer) - (size_t)used, many);
	snprintf(long_trailer + used, 8, "\r\n");
	const struct wire_case cases[] = {
		{"an extension of 30 kB", long_extension, 202, KEPT},
		{"a trailer of 30 kB", long_trailer, 202, KEPT},
		{0},
	};
	wire_expect(cases);
}
