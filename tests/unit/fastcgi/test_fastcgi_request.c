/* test_fastcgi_request.c - parameters and headers are found by their whole names; a body is whole, too large, or fails by our
 * fault: it is never the sender's that it breaks off. */

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "fastcgi/fastcgi_request.h"
#include "source/payload.h"

#define LIMIT PAYLOAD_MAX
#define LENGTH "1048576" /* that of LIMIT */

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
	return fastcgi_request_body(&in, length, LIMIT, ret, why);
}

Test(fastcgi_request, is_whole_up_to_the_longest_payload)
{
	struct buf body = BUF_INIT(LIMIT);
	struct fault why;
	cr_expect_eq(reads(0, 0, "", &body, &why), BODY_WHOLE);
	cr_expect_eq(body.len, 0);
	cr_expect_eq(reads(4096, 0, "4096", &body, &why), BODY_WHOLE);
	cr_expect_eq(body.len, 4096);
	buf_reset(&body, 0);
	cr_expect_eq(reads(LIMIT, 0, LENGTH, &body, &why), BODY_WHOLE);
	cr_expect_eq(body.len, LIMIT);
	cr_expect_str_eq(why.text, "untouched");
	buf_finish(&body);
}

Test(fastcgi_request, longer_than_a_payload_is_read_to_its_end)
{
	struct buf body = BUF_INIT(LIMIT);
	struct fault why;
	cr_expect_eq(reads(LIMIT + 1, 0, "1048577", &body, &why), BODY_TOO_LARGE);
	cr_expect_eq(given.left, 0);
	cr_expect_str_eq(why.text, "untouched");
	buf_finish(&body);
}

/* The sender sent too much, and the reply says so, although the rest of it is never read. */
Test(fastcgi_request, without_an_end_is_too_large_and_not_broken)
{
	struct buf body = BUF_INIT(LIMIT);
	struct fault why;
	cr_expect_eq(reads((size_t)BODY_DRAIN_MOST * 2, 0, "4194304", &body, &why), BODY_ENDLESS);
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
	struct buf body = BUF_INIT(LIMIT);
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

#define SENT_MAX 16

/* Reads a request without a body from these parameters, in nginx's order or any other. */
static void reads_params(const char *const sent[], struct request *rq)
{
	char *envp[SENT_MAX + 1] = {0};
	FCGX_Stream in = {.isReader = 1, .fillBuffProc = fastcgi_request_on_fill};
	struct fault why;
	memset(&given, 0, sizeof given);
	for (size_t i = 0; sent[i]; i++)
		envp[i] = (char *)sent[i];
	*rq = (struct request){.body = BUF_INIT(PAYLOAD_MAX)};
	cr_assert_eq(fastcgi_request_read(&(FCGX_Request){.in = &in, .envp = envp}, PAYLOAD_MAX, rq, &why), BODY_WHOLE);
	buf_finish(&rq->body);
}

#define TRACE "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

/* Every parameter that nginx sends, in its order. */
static const char *const ALL[] = {"HTTP_PROXY=", "REQUEST_METHOD=POST", "REQUEST_URI=/v1/webhooks/a?b=c",
	"CONTENT_TYPE=application/json", "CONTENT_LENGTH=0", "REMOTE_ADDR=192.0.2.1", "PAYHOOK_PEER=192.0.2.2",
	"PAYHOOK_CLIENTS=remote", "PAYHOOK_REQUEST_ID=5f2c", "PAYHOOK_CLIENT_VERIFY=SUCCESS",
	"PAYHOOK_CLIENT_SUBJECT=CN=stripe", "PAYHOOK_METRICS=yes", "PAYHOOK_CERTIFICATE_EXPIRES=1798761600",
	"HTTP_HOST=localhost", "HTTP_TRACEPARENT=" TRACE, NULL};

static void expect_all(const struct request *rq)
{
	cr_expect_str_eq(rq->method, "POST");
	cr_expect_str_eq(rq->target, "/v1/webhooks/a?b=c");
	cr_expect_str_eq(rq->content_type, "application/json");
	cr_expect_str_eq(rq->address, "192.0.2.1");
	cr_expect_str_eq(rq->peer, "192.0.2.2");
	cr_expect_eq(rq->clients, CLIENTS_REMOTE);
	cr_expect_str_eq(rq->id, "5f2c");
	cr_expect_str_eq(rq->client_verify, "SUCCESS");
	cr_expect_str_eq(rq->client_subject, "CN=stripe");
	cr_expect(rq->may_see_metrics);
	cr_expect_eq(rq->certificate_expires, 1798761600);
	cr_expect_str_eq(rq->trace.text, TRACE);
}

Test(fastcgi_request, has_its_parameters_in_whatever_order_they_come)
{
	const char *reversed[COUNT_OF(ALL)] = {0};
	struct request rq;
	for (size_t i = 0; ALL[i]; i++)
		reversed[COUNT_OF(ALL) - 2 - i] = ALL[i];
	reads_params(ALL, &rq);
	expect_all(&rq);
	reads_params(reversed, &rq);
	expect_all(&rq);
}

Test(fastcgi_request, has_empty_texts_for_what_was_not_sent)
{
	struct request rq;
	reads_params((const char *const[]){NULL}, &rq);
	cr_expect_str_empty(rq.method);
	cr_expect_str_empty(rq.peer);
	cr_expect_str_empty(rq.id);
	cr_expect_str_empty(rq.trace.text);
	cr_expect_eq(rq.clients, CLIENTS_BY_ADDRESS);
	cr_expect_not(rq.may_see_metrics);
	cr_expect_eq(rq.certificate_expires, 0);
}

/* Of several parameters with one name the first counts, an empty one too. */
Test(fastcgi_request, does_not_take_one_parameter_for_another)
{
	struct request rq;
	reads_params((const char *const[]){"PAYHOOK_CLIENTS_=local", "XPAYHOOK_CLIENTS=local", "payhook_clients=local",
			     "PAYHOOK_CLIENTS", "HTTP_PAYHOOK_CLIENTS=local", "PAYHOOK_PEER=", "PAYHOOK_PEER=192.0.2.2",
			     "REMOTE_ADDR=192.0.2.1", "REMOTE_ADDR=127.0.0.1", "P", "", NULL},
		&rq);
	cr_expect_eq(rq.clients, CLIENTS_BY_ADDRESS);
	cr_expect_str_empty(rq.peer);
	cr_expect_str_eq(rq.address, "192.0.2.1");
}

static const char *header(const char *const sent[], const char *name)
{
	return fastcgi_request_header((char *const *)sent, &name, 1);
}

Test(fastcgi_request, finds_headers_by_their_names)
{
	static const char *const sent[] = {"WEBHOOK_ID=none", "HTTP_", "HTTP_WEBHOOK_ID_2=second",
		"HTTP_WEBHOOK_ID=first", "HTTP_WEBHOOK_ID=again", "HTTP_VIA=", "HTTP_X=a=b", NULL};
	cr_expect_str_eq(header(sent, "webhook-id"), "first");
	cr_expect_str_eq(header(sent, "webhook-id-2"), "second");
	cr_expect_str_empty(header(sent, "via"));
	cr_expect_str_eq(header(sent, "x"), "a=b");
	cr_expect_null(header(sent, "webhook"));
	cr_expect_null(header(sent, "id"));
	cr_expect_null(header(sent, ""));
	cr_expect_null(header(sent, "x=a"));
	cr_expect_str_eq(
		fastcgi_request_header((char *const *)sent, (const char *const[]){"absent", "x", "via"}, 3), "");
	cr_expect_null(fastcgi_request_header((char *const *)sent, (const char *const[]){"absent", "host"}, 2));
}

Test(fastcgi_request, knows_a_header_that_is_there_twice)
{
	const char *const sent[] = {"HTTP_X_ID=a", "HTTP_X_ID_2=a", "HTTP_X=1", "X_ID=a", "HTTP_X=1", NULL};
	cr_expect(fastcgi_request_repeats((char *const *)sent, "x"));
	cr_expect_not(fastcgi_request_repeats((char *const *)sent, "x-id"));
	cr_expect_not(fastcgi_request_repeats((char *const *)sent, "y"));
}
