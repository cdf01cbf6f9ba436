/* test_call_signer.c - payhook's own signature of a call: the published vector, and what is no secret. */

#include <criterion/criterion.h>
#include <string.h>

#include "call_signer.h"

/* The example of Standard Webhooks and of Svix's documentation. */
#define SECRET "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define ID "msg_p5jXN8AQM9LWM0D4loKWxJek"
#define BODY "{\"test\": 2432232314}"
#define SIGNATURE "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

static struct call_signer s;
static struct fault f;

static void finish(void)
{
	call_signer_finish(&s);
}

TestSuite(call_signer, .fini = finish);

static void reads(const char *text)
{
	call_signer_finish(&s);
	cr_assert(call_signer_read(text, strlen(text), &s, &f), "%s", f.text);
}

static void refuses(const char *text, const char *why)
{
	struct call_signer left = {.count = 7};
	cr_expect_not(call_signer_read(text, strlen(text), &left, &f), "%s", text);
	cr_expect_eq(left.count, 7);
	cr_expect_not_null(strstr(f.text, why), "\"%s\" lacks \"%s\"", f.text, why);
	cr_expect_null(strstr(f.text, "MfKQ"), "the secret is quoted: %s", f.text);
}

Test(call_signer, signs_as_the_published_example)
{
	char got[CALL_SIGNER_SIGNATURES_MAX];
	reads(SECRET "\n");
	cr_assert(call_signer_sign(&s, ID, 1614265330, BODY, strlen(BODY), got));
	cr_expect_str_eq(got, SIGNATURE);
	cr_assert(call_signer_sign(&s, ID, 1614265330, BODY, strlen(BODY), got));
	cr_expect_str_eq(got, SIGNATURE, "the key serves again");
}

Test(call_signer, signs_once_with_each_of_two_secrets)
{
	char got[CALL_SIGNER_SIGNATURES_MAX];
	reads("# new\nwhsec_AAECAwQFBgcICQoLDA0ODw==\n\n# old\r\n" SECRET "\r\n");
	cr_expect_eq(s.count, 2);
	cr_assert(call_signer_sign(&s, ID, 1614265330, BODY, strlen(BODY), got));
	const char *second = strchr(got, ' ');
	cr_assert_not_null(second);
	cr_expect_str_eq(second + 1, SIGNATURE);
	cr_expect_eq(strlen(got), 2 * strlen(SIGNATURE) + 1);
	cr_expect_eq(strncmp(got, "v1,", 3), 0);
	cr_expect_neq(strncmp(got, SIGNATURE, strlen(SIGNATURE)), 0);
}

Test(call_signer, signs_another_id_time_or_body_otherwise)
{
	char got[CALL_SIGNER_SIGNATURES_MAX];
	reads(SECRET);
	cr_assert(call_signer_sign(&s, ID "x", 1614265330, BODY, strlen(BODY), got));
	cr_expect_str_neq(got, SIGNATURE);
	cr_assert(call_signer_sign(&s, ID, 1614265331, BODY, strlen(BODY), got));
	cr_expect_str_neq(got, SIGNATURE);
	cr_assert(call_signer_sign(&s, ID, 1614265330, BODY, strlen(BODY) - 1, got));
	cr_expect_str_neq(got, SIGNATURE);
	cr_assert(call_signer_sign(&s, ID, 1614265330, NULL, 0, got), "an empty body");
}

Test(call_signer, refuses_a_file_without_a_secret)
{
	refuses("", "it has no secret");
	refuses("\n# whsec_\n  \n", "it has no secret");
}

Test(call_signer, refuses_what_is_no_secret)
{
	refuses("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "line 1: a secret begins with whsec_");
	refuses("\nwhsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS", "line 2: after whsec_ base64");
	refuses("whsec_", "line 1: the secret has 0 bytes, and at least 16 are wanted");
	refuses("whsec_MfKQ", "the secret has 3 bytes");
	refuses(SECRET "\n" SECRET "\n" SECRET, "line 3: more than 2 secrets");
	refuses(SECRET " " SECRET, "line 1: after whsec_ base64");
}
