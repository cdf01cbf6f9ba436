#include <criterion/criterion.h>
#include <string.h>

#include "signature.h"

/* test_signature.c - requests signed by each scheme's published algorithm. */

struct headers {
	const char *name[4], *value[4];
};

static const char *header_of(void *ctx, const char *name)
{
	struct headers *h = ctx;
	for (int i = 0; i < 4 && h->name[i]; i++) {
		if (strcmp(h->name[i], name) == 0)
			return h->value[i];
	}
	return NULL;
}

/* The vector of GitHub's documentation, "Validating webhook deliveries". */
Test(signature, verifies_githubs_published_request)
{
	struct signer s;
	struct fault f;
	struct signature_report r;
	struct signer_settings settings = {.scheme = SCHEME_GITHUB};
	struct headers h = {
		{"x-hub-signature-256"}, {"sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"}};
	struct signature_request request = {header_of, &h, "Hello, World!", 13};
	cr_assert(signer_init(&s, &settings, &f));
	cr_assert(signer_add_secret(&s, "It's a Secret to Everybody", 26, 0, &f));
	cr_expect(signature_verify(&s, &request, 0, &r), "%s", r.text);
	cr_expect(signature_verify(&s, &request, 0, &r), "%s", r.text);
	request.body = "Hello, World?";
	cr_expect_not(signature_verify(&s, &request, 0, &r));
	cr_expect_eq(r.cause, SIGNATURE_WRONG);
	signer_finish(&s);
}

/* The vectors of the Standard Webhooks libraries' own tests. */
Test(signature, verifies_standard_webhooks_published_request)
{
	struct signer s;
	struct fault f;
	struct signature_report r;
	struct signer_settings settings = {.scheme = SCHEME_STANDARD_WEBHOOKS};
	struct headers h = {{"webhook-id", "webhook-timestamp", "webhook-signature"},
		{"msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="}};
	struct signature_request request = {header_of, &h, "{\"test\": 2432232314}", 20};
	cr_assert(signer_init(&s, &settings, &f));
	cr_assert(signer_add_secret(&s, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 38, 0, &f));
	cr_expect(signature_verify(&s, &request, 1614265330, &r), "%s", r.text);
	cr_expect_not(signature_verify(&s, &request, 1614265330 + 301, &r));
	cr_expect_eq(r.cause, SIGNATURE_OLD);
	signer_finish(&s);
}
