/* test_oauth_token.c - the answer of a token server: what is a token, and what is not. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "oauth_token.h"

static struct oauth_token t;
static struct fault f;

static void reads(const char *body, const char *token, int life_s)
{
	cr_assert(oauth_token_read(body, strlen(body), &t, &f), "%s: %s", body, f.text);
	cr_expect_str_eq(t.text, token);
	cr_expect_eq(t.life_s, life_s, "%s: %d", body, t.life_s);
}

static void refuses(const char *body, const char *why)
{
	t = (struct oauth_token){.life_s = 7};
	cr_expect_not(oauth_token_read(body, strlen(body), &t, &f), "%s", body);
	cr_expect_eq(t.life_s, 7);
	cr_expect_not_null(strstr(f.text, why), "\"%s\" lacks \"%s\"", f.text, why);
	cr_expect_null(strstr(f.text, "hunter2"), "%s", f.text);
}

Test(oauth_token, reads_the_example_of_rfc_6749)
{
	reads("{\"access_token\":\"2YotnFZFEjr1zCsicMWpAA\",\"token_type\":\"bearer\",\"expires_in\":3600,"
	      "\"example_parameter\":\"example_value\"}",
		"2YotnFZFEjr1zCsicMWpAA", 3600);
}

Test(oauth_token, bounds_the_life_of_a_token)
{
	reads("{\"access_token\":\"a\"}", "a", OAUTH_LIFE_S);
	reads("{\"access_token\":\"a\",\"expires_in\":\"120\"}", "a", 120);
	reads("{\"access_token\":\"a\",\"expires_in\":99999999999999999999}", "a", OAUTH_LIFE_MAX_S);
	reads("{\"access_token\":\"a\",\"expires_in\":0}", "a", OAUTH_LIFE_S);
	reads("{\"access_token\":\"a\",\"expires_in\":-5}", "a", OAUTH_LIFE_S);
	reads("{\"access_token\":\"a\",\"expires_in\":null}", "a", OAUTH_LIFE_S);
	reads("{\"access_token\":\"a\",\"expires_in\":{}}", "a", OAUTH_LIFE_S);
}

Test(oauth_token, refuses_what_is_no_token)
{
	refuses("", "no JSON object");
	refuses("<html>hunter2</html>", "no JSON object");
	refuses("[\"hunter2\"]", "no JSON object");
	refuses("{\"access_token\":\"hunter2\",\"access_token\":\"b\"}", "no JSON object");
	refuses("{\"token\":\"hunter2\"}", "no access_token");
	refuses("{\"access_token\":5}", "no access_token");
	refuses("{\"access_token\":\"\"}", "is empty");
	refuses("{\"access_token\":\"hunter2\\r\\nX-Evil: 1\"}", "other characters than visible ASCII");
	refuses("{\"access_token\":\"hunter2\\u0000\"}", "other characters than visible ASCII");
	refuses("{\"access_token\":\"hunter2 b\"}", "other characters than visible ASCII");
	refuses("{\"access_token\":\"hunter2\",\"token_type\":\"mac\"}", "token_type is not Bearer");
	refuses("{\"access_token\":\"hunter2\",\"token_type\":null}", "token_type is not Bearer");
}

Test(oauth_token, bounds_the_length_of_a_token)
{
	static char body[OAUTH_TOKEN_MAX + 64];
	int len = snprintf(body, sizeof body, "{\"access_token\":\"%0*d\"}", OAUTH_TOKEN_MAX, 0);
	cr_expect(oauth_token_read(body, (size_t)len, &t, &f), "%s", f.text);
	snprintf(body, sizeof body, "{\"access_token\":\"%0*d\"}", OAUTH_TOKEN_MAX + 1, 0);
	refuses(body, "longer than 8192 bytes");
}
