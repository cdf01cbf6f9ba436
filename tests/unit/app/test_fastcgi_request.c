/* test_fastcgi_request.c - a body is whole, too large, or fails by our fault; it is never the sender's that it breaks off. */

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "fastcgi_request.h"
#include "source/payload.h"

/* A body of len bytes in pieces, after which the stream ends with this error; 0: cleanly. */
static struct {
	size_t left;
	int error;
} given;

static void fastcgi_request_on_fill(FCGX_Stream *in)
{
	static unsigned char bytes[1000];
	size_t n = given.left < sizeof bytes ? given.left : sizeof bytes;
	memset(bytes, 'x', sizeof bytes);
	given.left -= n;
	in->rdNext = bytes;
	in->stop = bytes + n;
	if (n > 0)
		return;
	in->isClosed = 1;
	in->FCGI_errno = given.error;
}

static enum body_end reads(size_t len, int error, const char *length, struct buf *ret, struct fault *why)
{
	FCGX_Stream in = {.isReader = 1, .fillBuffProc = fastcgi_request_on_fill};
	given.left = len;
	given.error = error;
	*why = (struct fault){.text = "untouched"};
	return fastcgi_request_body(&in, length, ret, why);
}

Test(fastcgi_request, is_whole_up_to_the_longest_payload)
{
	struct buf body = BUF_INIT(PAYLOAD_MAX);
	struct fault why;
	cr_expect_eq(reads(0, 0, "", &body, &why), BODY_WHOLE);
	cr_expect_eq(body.len, 0);
	cr_expect_eq(reads(4096, 0, "4096", &body, &why), BODY_WHOLE);
	cr_expect_eq(body.len, 4096);
	buf_reset(&body, 0);
	cr_expect_eq(reads(PAYLOAD_MAX, 0, "65536", &body, &why), BODY_WHOLE);
	cr_expect_eq(body.len, PAYLOAD_MAX);
	cr_expect_str_eq(why.text, "untouched");
	buf_finish(&body);
}

Test(fastcgi_request, longer_than_a_payload_is_read_to_its_end)
{
	struct buf body = BUF_INIT(PAYLOAD_MAX);
	struct fault why;
	cr_expect_eq(reads(PAYLOAD_MAX + 1, 0, "65537", &body, &why), BODY_TOO_LARGE);
	cr_expect_eq(given.left, 0);
	cr_expect_str_eq(why.text, "untouched");
	buf_finish(&body);
}

/* The sender sent too much, and the reply says so, although the rest of it is never read. */
Test(fastcgi_request, without_an_end_is_too_large_and_not_broken)
{
	struct buf body = BUF_INIT(PAYLOAD_MAX);
	struct fault why;
	cr_expect_eq(reads((size_t)BODY_DRAIN_MOST * 2, 0, "2097152", &body, &why), BODY_ENDLESS);
	cr_expect_gt(given.left, 0);
	buf_finish(&body);
}

Test(fastcgi_request, for_which_there_is_no_memory_is_busy)
{
	struct buf body = BUF_INIT(100); /* as if the second realloc() failed */
	struct fault why;
	cr_expect_eq(reads(5000, 0, "5000", &body, &why), BODY_NO_MEMORY);
	cr_expect_eq(given.left, 0);
	cr_expect_eq(why.kind, FAULT_BUSY);
	cr_expect_str_eq(why.text, "no memory for a body of 5000 bytes");
	buf_finish(&body);
}

static void breaks(size_t len, int error, const char *length, const char *text)
{
	struct buf body = BUF_INIT(PAYLOAD_MAX);
	struct fault why;
	cr_expect_eq(reads(len, error, length, &body, &why), BODY_BROKEN, "%s", text);
	cr_expect_eq(why.kind, FAULT_BUSY);
	cr_expect_str_eq(why.text, text);
	buf_finish(&body);
}

Test(fastcgi_request, that_breaks_off_has_its_reason)
{
	breaks(3, EAGAIN, "1000", "nginx sent no more after 3 of 1000 bytes of the body");
	breaks(3, ECONNRESET, "1000", "after 3 of 1000 bytes of the body: Connection reset by peer");
	breaks(4096, ECONNRESET, "5000", "after 4096 of 5000 bytes of the body: Connection reset by peer");
	breaks(0, FCGX_PROTOCOL_ERROR, "1000", "after 0 of 1000 bytes of the body: FastCGI error -3");
	breaks(999, 0, "1000", "the body ended after 999 bytes, of 1000 announced");
	breaks(1001, 0, "1000", "the body ended after 1001 bytes, of 1000 announced");
	breaks(2, 0, "", "the body ended after 2 bytes, of 0 announced");
	breaks(70000, EAGAIN, "80000", "nginx sent no more after 70000 of 80000 bytes of the body");
}
