/* test_processor_options.c - what the operator adds to each call: headers and payhook's own signature. */

#include <criterion/criterion.h>
#include <string.h>
#include <time.h>

#include "auth/digest.h"
#include "base/encode.h"
#include "support/caller.h"

#define SECRET "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

static struct caller c;
static struct fault f;

static void open_all(void)
{
	caller_open(&c);
}

static void close_all(void)
{
	caller_close(&c);
	call_options_finish(&c.options);
}

TestSuite(processor_options, .init = open_all, .fini = close_all);

static void has_headers(const char *text)
{
	cr_assert(call_headers_read(text, strlen(text), NULL, NULL, &c.options.headers, &f), "%s", f.text);
}

static void has_secrets(const char *text)
{
	cr_assert(call_signer_read(text, strlen(text), &c.options.signer, &f), "%s", f.text);
}

static struct made original(const char *headers)
{
	struct made m = made_of("stripe", "evt_1");
	c.settings.processor_body = PROCESSOR_BODY_ORIGINAL;
	m.job.content_type = "application/json";
	m.job.headers = headers;
	m.job.body = "{\"a\":1}";
	m.job.body_len = strlen(m.job.body);
	return m;
}

static const struct http_heard *call(struct made m)
{
	caller_call(&c, &m);
	cr_assert_eq(m.result, CALL_DONE, "%s", m.why);
	return http_server_heard(c.server, http_server_calls(c.server) - 1);
}

static void has(const struct http_heard *h, const char *name, const char *value)
{
	const char *found = http_heard_value(h, name);
	cr_assert_not_null(found, "%s is missing in %s", name, h->head);
	cr_expect_str_eq(found, value);
}

/* Whether the header has the signature of what was heard, by the decoded secret. */
static bool is_signed(const struct http_heard *h, const char *secret, int number)
{
	unsigned char key[64], got[64];
	char message[4096], text[256];
	size_t key_len, got_len;
	struct digest_key *k;
	int at = snprintf(message, sizeof message, "%s.", http_heard_value(h, "webhook-id"));
	snprintf(message + at, sizeof message - (size_t)at, "%s.%s", http_heard_value(h, "webhook-timestamp"), h->body);
	snprintf(text, sizeof text, "%s", http_heard_value(h, "webhook-signature"));
	char *part = text, *end;
	for (int i = 0; i < number && part; i++)
		part = (end = strchr(part, ' ')) ? end + 1 : NULL;
	if (part && (end = strchr(part, ' ')))
		*end = '\0';
	cr_assert(part && strncmp(part, "v1,", 3) == 0, "%s", h->head);
	cr_assert(encode_read(ENCODING_BASE64, secret + 6, strlen(secret + 6), key, sizeof key, &key_len));
	cr_assert(encode_read(ENCODING_BASE64, part + 3, strlen(part + 3), got, sizeof got, &got_len));
	cr_assert(digest_key_create(DIGEST_HMAC_SHA256, key, key_len, &k, &f));
	const struct digest_part parts[] = {{message, strlen(message)}}, signatures[] = {{got, got_len}};
	enum digest_outcome outcome = digest_verify(k, parts, 1, signatures, 1);
	digest_key_destroy(k);
	return outcome == DIGEST_MATCHES;
}

Test(processor_options, sends_the_operator_s_headers_with_each_call)
{
	has_headers("Authorization: Bearer t0ken\nX-Tenant: north\n");
	for (int i = 0; i < 2; i++) {
		const struct http_heard *h = call(made_of("transactions", "tx_1"));
		has(h, "Authorization", "Bearer t0ken");
		has(h, "X-Tenant", "north");
		has(h, "Content-Type", "application/json");
		has(h, "Idempotency-Key", "tx_1");
		cr_expect_null(http_heard_value(h, "webhook-signature"));
		cr_expect_null(http_heard_value(h, "Expect"));
	}
}

Test(processor_options, prefers_the_operator_s_header_to_the_provider_s)
{
	has_headers("X-Event-Id: mine\n");
	const struct http_heard *h = call(original("{\"x-event-id\": \"theirs\", \"stripe-signature\": \"t=1\"}"));
	has(h, "x-event-id", "mine");
	has(h, "stripe-signature", "t=1");
}

Test(processor_options, signs_each_call_under_its_idempotency_key)
{
	has_secrets(SECRET "\n");
	const struct http_heard *h = call(made_of("stripe", "evt 1"));
	has(h, "webhook-id", "stripe/evt%201");
	cr_expect(is_signed(h, SECRET, 0), "%s", h->head);
	long long at = strtoll(http_heard_value(h, "webhook-timestamp"), NULL, 10);
	cr_expect_leq(llabs((long long)time(NULL) - at), 5);
}

Test(processor_options, signs_with_two_secrets_while_one_is_replaced)
{
	has_secrets("whsec_AAECAwQFBgcICQoLDA0ODw==\n" SECRET "\n");
	const struct http_heard *h = call(made_of("transactions", "tx_1"));
	cr_expect(is_signed(h, "whsec_AAECAwQFBgcICQoLDA0ODw==", 0));
	cr_expect(is_signed(h, SECRET, 1));
	cr_expect_not(is_signed(h, SECRET, 0));
}

Test(processor_options, signs_a_provider_s_body_in_the_place_of_the_provider_s_own_signature)
{
	has_secrets(SECRET "\n");
	const struct http_heard *h = call(
		original("{\"webhook-id\": \"msg_1\", \"webhook-timestamp\": \"1\", \"webhook-signature\": \"v1,x\"}"));
	has(h, "webhook-id", "stripe/evt_1");
	cr_expect(is_signed(h, SECRET, 0), "%s", h->head);
}

/* A receiver that looks for Svix's names first would verify the provider's signature in the place of payhook's. */
Test(processor_options, sends_no_signature_under_svix_s_names_beside_payhook_s_own)
{
	has_secrets(SECRET "\n");
	const struct http_heard *h =
		call(original("{\"svix-id\": \"msg_1\", \"svix-timestamp\": \"1\", \"svix-signature\": \"v1,x\"}"));
	has(h, "webhook-id", "stripe/evt_1");
	cr_expect_null(http_heard_value(h, "svix-id"));
	cr_expect_null(http_heard_value(h, "svix-timestamp"));
	cr_expect_null(http_heard_value(h, "svix-signature"));
}

Test(processor_options, leaves_the_provider_s_signature_where_payhook_has_none)
{
	const struct http_heard *h =
		call(original("{\"webhook-id\": \"msg_1\", \"webhook-signature\": \"v1,x\", \"svix-id\": \"msg_2\"}"));
	has(h, "webhook-id", "msg_1");
	has(h, "webhook-signature", "v1,x");
	has(h, "svix-id", "msg_2");
}
