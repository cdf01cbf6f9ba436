/* test_request.c - the load's requests are complete: length, body, and gzip. */

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "request.h"

struct message {
	char text[REQUEST_MAX];
	size_t len;
	const char *body;
	size_t body_len;
};

static void make(enum request_kind kind, struct random *r, struct message *ret)
{
	const struct request_plan plan = {.kind = kind, .source = "some"};
	ret->len = request_make(&plan, r, ret->text);
	const char *end = memmem(ret->text, ret->len, "\r\n\r\n", 4);
	cr_assert(end, "kind %d: no end of the head in %zu bytes", kind, ret->len);
	ret->body = end + 4;
	ret->body_len = ret->len - (size_t)(ret->body - ret->text);
}

static size_t declared_len(const struct message *m)
{
	const char *at = memmem(m->text, m->len, "Content-Length: ", 16);
	return at ? (size_t)strtoul(at + 16, NULL, 10) : 0;
}

Test(request, has_the_length_that_it_declares)
{
	static const enum request_kind KINDS[] = {
		REQUEST_UNIQUE, REQUEST_SIGNED, REQUEST_LARGE, REQUEST_EVENT, REQUEST_TEXT, REQUEST_GZIP};
	struct random r;
	struct message m;
	random_seed(&r);
	for (int i = 0; i < 6000; i++) {
		make(KINDS[i % 6], &r, &m);
		cr_assert_eq(declared_len(&m), m.body_len, "kind %d", KINDS[i % 6]);
	}
}

Test(request, in_gzip_is_one_member_of_the_same_text)
{
	struct random r;
	struct message plain, zipped;
	char text[REQUEST_MAX];
	random_seed(&r);
	for (int i = 0; i < 1000; i++) {
		make(REQUEST_TEXT, &r, &plain);
		make(REQUEST_GZIP, &r, &zipped);
		cr_assert(memmem(zipped.text, zipped.len, "Content-Encoding: gzip\r\n", 24));
		z_stream z = {.next_in = (Bytef *)zipped.body,
			.avail_in = (uInt)zipped.body_len,
			.next_out = (Bytef *)text,
			.avail_out = sizeof text};
		cr_assert_eq(inflateInit2(&z, 15 + 16), Z_OK);
		cr_assert_eq(inflate(&z, Z_FINISH), Z_STREAM_END);
		cr_assert_eq(z.avail_in, 0);
		cr_assert_leq(abs((int)z.total_out - (int)plain.body_len), 30); /* numbers have more or fewer digits */
		cr_assert_eq(memcmp(text, plain.body, 19), 0);
		cr_assert_eq(text[z.total_out - 1], '}');
		inflateEnd(&z);
	}
}
