/* test_headers.c - header fields: many, long and malformed ones. */

#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "support/wire.h"

#define GET "GET /livez HTTP/1.1\r\n"
#define HOST "Host: payhook\r\n"
#define END "\r\n"

Test(headers, there_is_one_host)
{
	static const struct wire_case cases[] = {
		{"none", GET END, 400, CLOSED},
		{"two", GET "Host: a\r\nHost: b\r\n" END, 400, CLOSED},
		{"the same twice", GET HOST HOST END, 400, CLOSED},
		{"nothing", GET "Host:\r\n" END, 400, CLOSED},
		{"two names", GET "Host: a b\r\n" END, 400, CLOSED},
		{"a path", GET "Host: a/b\r\n" END, 400, CLOSED},
		{"a NUL", GET "Host: a@NUL@b\r\n" END, 400, CLOSED},
		{"an empty label", GET "Host: a..b\r\n" END, 400, CLOSED},
		{"none with an absolute URI", "GET http://payhook/livez HTTP/1.1\r\n" END, 400, CLOSED},
		/* nginx has one server, which answers for every host name. */
		{"another name", GET "Host: other.example\r\n" END, 200, KEPT},
		{"a port that nobody has", GET "Host: a:99999999\r\n" END, 200, KEPT},
		{"bytes above 127", GET "Host: \xff\xfe\r\n" END, 200, KEPT},
		{"none in HTTP/1.0", "GET /livez HTTP/1.0\r\n" END, 200, CLOSED},
		{0},
	};

	wire_expect(cases);
}

Test(headers, a_name_that_is_none_is_refused_or_dropped)
{
	static const struct wire_case cases[] = {
		{"a space inside", GET HOST "X Y: 1\r\n" END, 400, CLOSED},
		{"a space before the colon", GET HOST "X : 1\r\n" END, 400, CLOSED},
		{"nothing", GET HOST ": 1\r\n" END, 400, CLOSED},
		{"a control character", GET HOST "X\001Y: 1\r\n" END, 400, CLOSED},
		{"a NUL", GET HOST "X@NUL@Y: 1\r\n" END, 400, CLOSED},
		{"an underscore", GET HOST "X_Y: 1\r\n" END, 200, KEPT},
		{"no colon", GET HOST "XY\r\n" END, 200, KEPT},
		{"bytes above 127", GET HOST "X\xc3\xa9: 1\r\n" END, 200, KEPT},
		{"parentheses", GET HOST "X(Y): 1\r\n" END, 200, KEPT},
		{0},
	};

	wire_expect(cases);
}

Test(headers, a_value_has_one_line_and_no_nul)
{
	static const struct wire_case cases[] = {
		{"a NUL", GET HOST "X: a@NUL@b\r\n" END, 400, CLOSED},
		{"a carriage return", GET HOST "X: a\rb\r\n" END, 400, CLOSED},
		{"a second line", GET HOST "X: a\r\n b\r\n" END, 400, CLOSED},
		{"a second line after a tab", GET HOST "X: a\r\n\tb\r\n" END, 400, CLOSED},
		{"a second line of the request line", "GET /livez HTTP/1.1\r\n Host: payhook\r\n" END, 400, CLOSED},
		{"a tab", GET HOST "X: a\tb\r\n" END, 200, KEPT},
		{"another control character", GET HOST "X: a\001b\r\n" END, 200, KEPT},
		{"nothing", GET HOST "X:\r\n" END, 200, KEPT},
		{0},
	};

	wire_expect(cases);
}

Test(headers, lines_may_end_in_a_line_feed_alone)
{
	static const struct wire_case cases[] = {
		{"all of them", "GET /livez HTTP/1.1\nHost: payhook\n\n", 200, KEPT},
		{"one of them", "GET /livez HTTP/1.1\r\nHost: payhook\n\r\n", 200, KEPT},
		{"of a webhook",
			"POST @HOOK@ HTTP/1.1\nHost: a\nContent-Type: application/json\nContent-Length: @LEN@\n\n@BODY@",
			202, KEPT},
		{"carriage returns alone", "GET /livez HTTP/1.1\rHost: payhook\r\r", 400, CLOSED},
		{0},
	};

	wire_expect(cases);
}

/* nginx 1.22 uses the first of repeated headers. */
Test(headers, the_first_content_type_counts)
{
	static const struct wire_case cases[] = {
		{"JSON, then text",
			"POST @HOOK@ HTTP/1.1\r\n@HEAD@Content-Type: text/plain\r\nContent-Length: @LEN@\r\n\r\n@BODY@",
			202, KEPT},
		{"text, then JSON",
			"POST @HOOK@ HTTP/1.1\r\nContent-Type: text/plain\r\n@HEAD@Content-Length: @LEN@\r\n\r\n@BODY@",
			415, KEPT},
		{0},
	};

	wire_expect(cases);
}

static const char *with_header(char *ret, size_t size, size_t line_len)
{
	int used = snprintf(ret, size, GET HOST "X: ");

	memset(ret + used, 'h', line_len - 3);
	snprintf(ret + used + line_len - 3, size - (size_t)used - line_len + 3, "\r\n\r\n");
	return ret;
}

static const char *with_headers(char *ret, size_t size, int count, const char *line)
{
	int used = snprintf(ret, size, GET HOST);

	while (count-- > 0)
		used += snprintf(ret + used, size - (size_t)used, "%s", line);
	snprintf(ret + used, size - (size_t)used, "\r\n");
	return ret;
}

/* nginx has four buffers of 8 KiB; a header line with its line end must fit into one, less one byte that nginx
 * needs. */
Test(headers, up_to_8_kib_of_a_header_are_taken)
{
	static char text[5][48 * 1024], line[7002];

	memset(line, 'h', 7000);
	memcpy(line, "X: ", 3);
	memcpy(line + 6998, "\r\n", 3);
	const struct wire_case cases[] = {
		{"8190 bytes", with_header(text[0], sizeof(text[0]), 8190), 200, KEPT},
		{"8191 bytes", with_header(text[1], sizeof(text[1]), 8191), 431, CLOSED},
		{"8192 bytes", with_header(text[2], sizeof(text[2]), 8192), 431, CLOSED},
		{"four of 7 kB", with_headers(text[3], sizeof(text[3]), 4, line), 200, KEPT},
		{"five of 7 kB", with_headers(text[4], sizeof(text[4]), 5, line), 431, CLOSED},
		{0},
	};
	wire_expect(cases);
}

Test(headers, up_to_1000_headers_are_taken)
{
	static char text[4][80 * 1024];

	const struct wire_case cases[] = {
		{"8 kB of small ones", with_headers(text[0], sizeof(text[0]), 511, "X-Name: value\r\n"), 200, KEPT},
		{"999 beside Host", with_headers(text[1], sizeof(text[1]), 999, "X: 1\r\n"), 200, KEPT},
		{"1000 beside Host", with_headers(text[2], sizeof(text[2]), 1000, "X: 1\r\n"), 431, CLOSED},
		{"10000 beside Host", with_headers(text[3], sizeof(text[3]), 10000, "X: 1\r\n"), 431, CLOSED},
		{0},
	};
	wire_expect(cases);
}
