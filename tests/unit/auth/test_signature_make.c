/* test_signature_make.c - signing as a provider would, for trials. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "auth/signature.h"
#include "auth/signature_make.h"

#define NOW_S 1771502400
#define BODY "{\"id\":\"evt_1\"}"
#define SECRET "this is no secret but an example"
#define ZEROES "0000000000000000000000000000000000000000000000000000000000000000"

static struct signer signer;
static struct fault f;

static const char *header(void *ctx, const char *name)
{
	return strcmp(name, "x-hub-signature-256") == 0 ? ctx : NULL;
}

static void open_signer(enum scheme scheme, int64_t not_after_s)
{
	struct signer_settings settings = {.scheme = scheme};
	cr_assert(signer_init(&signer, &settings, &f), "%s", f.text);
	if (not_after_s != 0)
		cr_assert(signer_add_secret(&signer, SECRET, strlen(SECRET), not_after_s, &f), "%s", f.text);
}

static bool make(char *value, struct signature_made *ret)
{
	struct signature_request request = {.header = header, .ctx = value, .body = BODY, .len = strlen(BODY)};
	return signature_make(&signer, &request, NOW_S, ret, &f);
}

Test(signature_make, what_it_signs_verifies)
{
	char value[80] = "sha256=" ZEROES;
	struct signature_made made;
	struct signature_report report;
	struct signature_request request = {.header = header, .ctx = value, .body = BODY, .len = strlen(BODY)};
	open_signer(SCHEME_GITHUB, INT64_MAX);
	cr_expect_not(signature_verify(&signer, &request, NOW_S, &report));
	cr_assert(make(value, &made), "%s", f.text);
	cr_assert_eq(made.len, 32);
	for (size_t i = 0; i < made.len; i++)
		snprintf(value + 7 + 2 * i, 3, "%02x", made.bytes[i]);
	cr_expect(signature_verify(&signer, &request, NOW_S, &report), "%s", report.text);
	signer_finish(&signer);
}

static void refuses(char *value, const char *why)
{
	struct signature_made made = {.len = 7};
	cr_expect_not(make(value, &made), "%s", why);
	cr_expect(strstr(f.text, why), "%s: %s", why, f.text);
	cr_expect_eq(made.len, 7, "%s: the result was written", why);
}

Test(signature_make, a_request_without_the_headers_of_the_scheme_is_refused)
{
	open_signer(SCHEME_GITHUB, INT64_MAX);
	refuses(NULL, "the header x-hub-signature-256 is missing");
	signer_finish(&signer);
}

Test(signature_make, an_expired_secret_is_none)
{
	char value[] = "sha256=" ZEROES;
	open_signer(SCHEME_GITHUB, NOW_S - 1);
	refuses(value, "the not_after of all its secrets has passed");
	signer_finish(&signer);
}

Test(signature_make, nobody_signs_with_a_public_key)
{
	char value[] = "sha256=" ZEROES;
	static const char PUBLIC[] = "whpk_HedbCwPC/sPoDaRUitUhFSXHYloaFPOJOHjfGMU4vDw=";
	open_signer(SCHEME_STANDARD_WEBHOOKS, 0);
	cr_assert(signer_add_secret(&signer, PUBLIC, strlen(PUBLIC), INT64_MAX, &f), "%s", f.text);
	refuses(value, "with its public keys only the provider can sign");
	cr_expect_not(signature_can_be_made(&signer, NOW_S, &f));
	signer_finish(&signer);
}
