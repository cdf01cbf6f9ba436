/* test_lengths.c - the Content-Length of a request: malformed, repeated, too large, too small. */

#include <criterion/criterion.h>

#include "support/wire.h"

#define POST "POST @HOOK@ HTTP/1.1\r\n@HEAD@"

Test(lengths, a_length_is_digits)
{
	static const struct wire_case cases[] = {
		{"a length", POST "Content-Length: @LEN@\r\n\r\n@BODY@", 202, KEPT},
		{"zeros before it", POST "Content-Length: 00000000000000000000@LEN@\r\n\r\n@BODY@", 202, KEPT},
		{"spaces around it", POST "Content-Length:   @LEN@   \r\n\r\n@BODY@", 202, KEPT},
		{"in capitals", POST "CONTENT-LENGTH: @LEN@\r\n\r\n@BODY@", 202, KEPT},
		{"0", POST "Content-Length: 0\r\n\r\n", 400, KEPT},
		{"none, and no body", POST "\r\n", 400, KEPT},
		{"a plus", POST "Content-Length: +@LEN@\r\n\r\n@BODY@", 400, CLOSED},
		{"a minus", POST "Content-Length: -@LEN@\r\n\r\n@BODY@", 400, CLOSED},
		{"minus 0", POST "Content-Length: -0\r\n\r\n", 400, CLOSED},
		{"nothing", POST "Content-Length:\r\n\r\n@BODY@", 400, CLOSED},
		{"a word", POST "Content-Length: many\r\n\r\n@BODY@", 400, CLOSED},
		{"a space inside", POST "Content-Length: 1 20\r\n\r\n@BODY@", 400, CLOSED},
		{"a tab before it", POST "Content-Length:\t@LEN@\r\n\r\n@BODY@", 400, CLOSED},
		{"a NUL inside", POST "Content-Length: 1@NUL@20\r\n\r\n@BODY@", 400, CLOSED},
		{"hexadecimal", POST "Content-Length: 0x@HEX@\r\n\r\n@BODY@", 400, CLOSED},
		{"a fraction", POST "Content-Length: @LEN@.0\r\n\r\n@BODY@", 400, CLOSED},
		{"an exponent", POST "Content-Length: 1e2\r\n\r\n@BODY@", 400, CLOSED},
		{"quotes", POST "Content-Length: \"@LEN@\"\r\n\r\n@BODY@", 400, CLOSED},
		{"a space before the colon", POST "Content-Length : @LEN@\r\n\r\n@BODY@", 400, CLOSED},
		{"on a line that goes on", POST "Content-Length:\r\n @LEN@\r\n\r\n@BODY@", 400, CLOSED},
		{0},
	};

	wire_expect(cases);
}

Test(lengths, there_is_one_length)
{
	static const struct wire_case cases[] = {
		{"the same twice", POST "Content-Length: @LEN@\r\nContent-Length: @LEN@\r\n\r\n@BODY@", 400, CLOSED},
		{"two", POST "Content-Length: @LEN@\r\nContent-Length: 3\r\n\r\n@BODY@", 400, CLOSED},
		{"two, the first 0", POST "Content-Length: 0\r\nContent-Length: @LEN@\r\n\r\n@BODY@", 400, CLOSED},
		{"a list", POST "Content-Length: @LEN@, @LEN@\r\n\r\n@BODY@", 400, CLOSED},
		/* A header that nginx drops does not count as a second one. */
		{"one beside a false name", POST "Content_Length: 3\r\nContent-Length: @LEN@\r\n\r\n@BODY@", 202, KEPT},
		{"a false name alone", POST "Content_Length: @LEN@\r\nConnection: close\r\n\r\n", 400, CLOSED},
		{"one that Connection names, which drops nothing",
			POST "Connection: keep-alive, Content-Length\r\nContent-Length: @LEN@\r\n\r\n@BODY@", 202,
			KEPT},
		{0},
	};

	wire_expect(cases);
}

/* nginx rejects a length beyond 63 bits at once.  For a smaller one it first reads and discards the body for some
 * seconds (test_slow.c). */
Test(lengths, a_length_that_no_body_has_is_refused)
{
	static const struct wire_case cases[] = {
		{"2^63", POST "Content-Length: 9223372036854775808\r\n\r\n@BODY@", 400, CLOSED},
		{"2^64", POST "Content-Length: 18446744073709551616\r\n\r\n@BODY@", 400, CLOSED},
		{"2^64 and the right one", POST "Content-Length: 18446744073709551@LEN@\r\n\r\n@BODY@", 400, CLOSED},
		{"a hundred digits",
			POST "Content-Length: 99999999999999999999999999999999999999999999999999"
			     "99999999999999999999999999999999999999999999999999\r\n\r\n@BODY@",
			400, CLOSED},
		{0},
	};

	wire_expect(cases);
}

/* The bytes after a body are the next request, and are answered as one. */
Test(lengths, a_body_longer_than_its_content_length_is_cut)
{
	static const struct wire_case cases[] = {
		{"half a webhook", POST "Content-Length: 20\r\nConnection: close\r\n\r\n@BODY@", 400, CLOSED},
		{"a byte too many", POST "Content-Length: @LEN@\r\nConnection: close\r\n\r\n@BODY@}", 202, CLOSED},
		{0},
	};

	wire_expect(cases);
}
