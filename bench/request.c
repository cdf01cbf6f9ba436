/* request.c - webhooks and lookups as bytes on a connection.
 *
 * A request is written by one snprintf() with a body of fixed length: it must cost the load little, because the load
 * shares the cores with what it measures. */

#include "request.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "sign.h"

/* The rest of a body, behind the id.  bench/insert.sql and fill.c store the same content. */
#define REST                                                                                   \
	"\",\"source_account\":\"acc_user_789\",\"destination_account\":\"acc_merchant_456\"," \
	"\"amount\":1500.50,\"currency\":\"INR\"}"

void request_id(struct random *r, char ret[REQUEST_ID_LEN + 1])
{
	static const char DIGITS[] = "0123456789abcdef";
	char *to = ret + 4;
	memcpy(ret, "txn_", 4);
	for (int word = 0; word < 2; word++) {
		uint64_t bits = random_next(r);
		for (int i = 0; i < 16; i++, bits >>= 4)
			*to++ = DIGITS[bits & 15];
	}
	*to = '\0';
}

size_t request_post(const char *id, char ret[REQUEST_MAX])
{
	static const char BODY[] = "{\"transaction_id\":\"";
	int len = snprintf(ret, REQUEST_MAX,
		"POST /v1/webhooks/transactions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
		"Content-Length: %zu\r\n\r\n%s%.*s" REST,
		sizeof BODY - 1 + REQUEST_ID_LEN + sizeof REST - 1, BODY, REQUEST_ID_LEN, id);
	return (size_t)len;
}

static size_t request_signed(const char *id, char ret[REQUEST_MAX])
{
	char body[REQUEST_MAX / 2], headers[SIGN_HEADERS_MAX];
	int body_len = snprintf(body, sizeof body, "{\"transaction_id\":\"%.*s" REST, REQUEST_ID_LEN, id);
	sign_headers(body, (size_t)body_len, headers);
	int len = snprintf(ret, REQUEST_MAX,
		"POST /v1/webhooks/transactions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
		"%sContent-Length: %d\r\n\r\n%s",
		headers, body_len, body);
	return (size_t)len;
}

static size_t request_large(const char *id, char ret[REQUEST_MAX])
{
	static const int BODY_LEN = 1000, FRAME_LEN = sizeof "{\"transaction_id\":\"\",\"description\":\"" REST - 1;
	int len = snprintf(ret, REQUEST_MAX,
		"POST /v1/webhooks/transactions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
		"Content-Length: %d\r\n\r\n{\"transaction_id\":\"%.*s\",\"description\":\"%0*d" REST,
		BODY_LEN, REQUEST_ID_LEN, id, BODY_LEN - FRAME_LEN - REQUEST_ID_LEN, 0);
	return (size_t)len;
}

#define PAYMENTS 100000

static size_t request_event(const char *source, const char *id, struct random *r, char ret[REQUEST_MAX])
{
	static const size_t FRAME_LEN = sizeof "{\"transaction_id\":\"\",\"payment_id\":\"" REST - 1, PAYMENT_LEN = 9;
	int len = snprintf(ret, REQUEST_MAX,
		"POST /v1/webhooks/%s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
		"Content-Length: %zu\r\n\r\n{\"transaction_id\":\"%.*s\",\"payment_id\":\"pay_%05d" REST,
		source, FRAME_LEN + REQUEST_ID_LEN + PAYMENT_LEN, REQUEST_ID_LEN, id, (int)random_below(r, PAYMENTS));
	return (size_t)len;
}

/* Such as a provider sends; the numbers are other ones in each body. */
static int text_body(const char *id, struct random *r, char ret[REQUEST_MAX])
{
	return snprintf(ret, REQUEST_MAX,
		"{\"transaction_id\":\"%.*s\",\"object\":\"charge\",\"balance_transaction\":\"bal_%016llx\","
		"\"billing_details\":{\"address\":{\"city\":\"Bengaluru\",\"country\":\"IN\",\"line1\":\"%llu Residency Road\","
		"\"line2\":null,\"postal_code\":\"560025\",\"state\":\"KA\"},\"email\":\"customer%llu@example.com\","
		"\"name\":\"A. Customer\",\"phone\":null},\"captured\":true,\"created\":%llu,\"customer\":\"cus_%016llx\","
		"\"description\":\"Order of three books and a lamp, to be delivered\",\"disputed\":false,\"failure_code\":null,"
		"\"fraud_details\":{},\"invoice\":\"inv_%016llx\",\"livemode\":true,\"outcome\":{\"network_status\":"
		"\"approved_by_network\",\"reason\":null,\"risk_level\":\"normal\",\"risk_score\":%llu,\"type\":\"authorized\"},"
		"\"paid\":true,\"payment_method_details\":{\"card\":{\"brand\":\"visa\",\"checks\":{\"cvc_check\":\"pass\"},"
		"\"country\":\"IN\",\"exp_month\":8,\"exp_year\":2029,\"last4\":\"4242\"},\"type\":\"card\""
		"},\"x\":\"" REST,
		REQUEST_ID_LEN, id, (unsigned long long)random_next(r), (unsigned long long)random_below(r, 1000),
		(unsigned long long)random_below(r, 100000), (unsigned long long)random_below(r, 2000000000),
		(unsigned long long)random_next(r), (unsigned long long)random_next(r),
		(unsigned long long)random_below(r, 100));
}

/* One member of gzip (RFC 1952).  A small window, since setting up one of 32 kB costs more than the compression. */
static size_t gzip(const char *text, size_t len, char ret[REQUEST_MAX / 2])
{
	z_stream z = {.next_in = (z_const Bytef *)text,
		.avail_in = (uInt)len,
		.next_out = (Bytef *)ret,
		.avail_out = REQUEST_MAX / 2};
	if (deflateInit2(&z, 1, Z_DEFLATED, 16 + 10, 4, Z_DEFAULT_STRATEGY) != Z_OK)
		return 0;
	size_t zipped_len = deflate(&z, Z_FINISH) == Z_STREAM_END ? z.total_out : 0;
	deflateEnd(&z);
	return zipped_len;
}

/* Compressed also where it is sent as it is, so that both cost the load the same. */
static size_t request_text(bool in_gzip, const char *id, struct random *r, char ret[REQUEST_MAX])
{
	char text[REQUEST_MAX], zipped[REQUEST_MAX / 2];
	size_t text_len = (size_t)text_body(id, r, text);
	size_t zipped_len = gzip(text, text_len, zipped);
	size_t body_len = in_gzip ? zipped_len : text_len;
	int head_len = snprintf(ret, REQUEST_MAX,
		"POST /v1/webhooks/transactions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
		"%sContent-Length: %zu\r\n\r\n",
		in_gzip ? "Content-Encoding: gzip\r\n" : "", body_len);
	if ((size_t)head_len + body_len > REQUEST_MAX)
		return 0;
	memcpy(ret + head_len, in_gzip ? zipped : text, body_len);
	return (size_t)head_len + body_len;
}

size_t request_get(const char *id, char ret[REQUEST_MAX])
{
	int len = snprintf(
		ret, REQUEST_MAX, "GET /v1/transactions/%.*s HTTP/1.1\r\nHost: localhost\r\n\r\n", REQUEST_ID_LEN, id);
	return (size_t)len;
}

static size_t request_overview(char ret[REQUEST_MAX])
{
	int len = snprintf(ret, REQUEST_MAX, "GET /console/api/v1/overview HTTP/1.1\r\nHost: localhost\r\n\r\n");
	return (size_t)len;
}

size_t request_make(const struct request_plan *plan, struct random *r, char ret[REQUEST_MAX])
{
	char fresh[REQUEST_ID_LEN + 1];
	if (plan->kind == REQUEST_SIGNED) {
		request_id(r, fresh);
		return request_signed(fresh, ret);
	}
	if (plan->kind == REQUEST_LARGE) {
		request_id(r, fresh);
		return request_large(fresh, ret);
	}
	if (plan->kind == REQUEST_EVENT) {
		request_id(r, fresh);
		return request_event(plan->source, fresh, r, ret);
	}
	if (plan->kind == REQUEST_TEXT || plan->kind == REQUEST_GZIP) {
		request_id(r, fresh);
		return request_text(plan->kind == REQUEST_GZIP, fresh, r, ret);
	}
	if (plan->kind == REQUEST_CONSOLE)
		return request_overview(ret);
	bool unique = plan->kind == REQUEST_UNIQUE || (plan->kind == REQUEST_HALF && random_next(r) >> 63);
	if (unique) {
		request_id(r, fresh);
		return request_post(fresh, ret);
	}
	const char *id = plan->known->ids + random_below(r, plan->known->count) * REQUEST_ID_LEN;
	return plan->kind == REQUEST_GET ? request_get(id, ret) : request_post(id, ret);
}
