/* test_api_keys.c - which access an Authorization header grants. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "auth/api_keys.h"

#define NOW 1800000000
#define READER "phk_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG"
#define OPERATOR "a.-_~+/=="
#define BOTH "both"
#define EXPIRED "expired"

static struct api_keys keys;

static void add(const char *name, const char *key, unsigned scopes, int64_t not_after_s)
{
	struct api_key *k = &keys.list[keys.count++];
	snprintf(k->name, sizeof k->name, "%s", name);
	cr_assert(digest_sha256(key, strlen(key), k->sha256));
	k->scopes = scopes;
	k->not_after_s = not_after_s;
}

static void fill(void)
{
	keys.count = 0;
	add("reader", READER, API_READ, INT64_MAX);
	add("operator", OPERATOR, API_OPERATE, INT64_MAX);
	add("both", BOTH, API_READ | API_OPERATE, NOW);
	add("expired", EXPIRED, API_READ, NOW - 1);
}

TestSuite(api_keys, .init = fill);

/* name: the key that is found; NULL: none. */
static void judges(const char *authorization, enum api_scope wanted, enum access_decision decision, const char *name)
{
	const struct api_key *key = &keys.list[0];
	enum access_decision found = api_keys_judge(&keys, authorization, wanted, NOW, &key);
	cr_expect_eq(found, decision, "%s: %s", authorization, access_decision_text(found));
	if (name)
		cr_expect(key && strcmp(key->name, name) == 0, "%s", authorization);
	else
		cr_expect_null(key, "%s", authorization);
}

Test(api_keys, grants_a_scope_that_is_listed_and_no_other)
{
	judges("Bearer " READER, API_READ, API_GRANTED, "reader");
	judges("Bearer " READER, API_OPERATE, API_NO_SCOPE, "reader");
	judges("Bearer " OPERATOR, API_OPERATE, API_GRANTED, "operator");
	judges("Bearer " OPERATOR, API_READ, API_NO_SCOPE, "operator");
	judges("Bearer " BOTH, API_READ, API_GRANTED, "both");
	judges("Bearer " BOTH, API_OPERATE, API_GRANTED, "both");
}

Test(api_keys, are_identified_whatever_their_scopes)
{
	const struct api_key *key;
	cr_expect_eq(api_keys_identify(&keys, "Bearer " OPERATOR, NOW, &key), API_GRANTED);
	cr_expect_eq(key, &keys.list[1]);
	cr_expect_eq(api_keys_identify(&keys, "Bearer " EXPIRED, NOW, &key), API_EXPIRED);
	cr_expect_eq(api_keys_identify(&keys, "Bearer x", NOW, &key), API_UNKNOWN);
	cr_expect_null(key);
}

Test(api_keys, have_scopes_by_their_names)
{
	for (int i = 0; i < API_SCOPES_MAX; i++)
		cr_expect_eq(api_scope_of(api_scope_name(API_SCOPES[i])), API_SCOPES[i]);
	cr_expect_eq(api_scope_of("write"), 0);
	cr_expect_eq(api_scope_of(""), 0);
}

Test(api_keys, know_no_key_after_its_last_second)
{
	const struct api_key *key;
	judges("Bearer " EXPIRED, API_READ, API_EXPIRED, "expired");
	judges("Bearer " EXPIRED, API_OPERATE, API_EXPIRED, "expired");
	judges("Bearer " BOTH, API_READ, API_GRANTED, "both");
	cr_expect_eq(api_keys_judge(&keys, "Bearer " BOTH, API_READ, NOW + 1, &key), API_EXPIRED);
}

Test(api_keys, are_found_wherever_they_stand_among_as_many_as_there_may_be)
{
	char text[64];
	keys.count = 0;
	for (int i = 0; i < API_KEYS_MAX; i++) {
		snprintf(text, sizeof text, "key-%d", i);
		add(text, text, API_READ, INT64_MAX);
	}
	for (int i = 0; i < API_KEYS_MAX; i++) {
		snprintf(text, sizeof text, "Bearer key-%d", i);
		judges(text, API_READ, API_GRANTED, text + strlen("Bearer "));
	}
	judges("Bearer key-64", API_READ, API_UNKNOWN, NULL);
	keys.count = 0;
	judges("Bearer key-1", API_READ, API_UNKNOWN, NULL);
}

Test(api_keys, take_the_word_in_any_case_and_any_blanks_behind_it)
{
	judges("bearer " READER, API_READ, API_GRANTED, "reader");
	judges("BEARER " READER, API_READ, API_GRANTED, "reader");
	judges("Bearer  " READER, API_READ, API_GRANTED, "reader");
	judges("Bearer " OPERATOR, API_OPERATE, API_GRANTED, "operator");
}

Test(api_keys, refuse_a_key_of_nobody)
{
	static char text[API_KEY_MAX + 16] = "Bearer ";
	judges("Bearer phk_0123456789abcdefghijklmnopqrstuvwxyzABCDEFg", API_READ, API_UNKNOWN, NULL);
	judges("Bearer " READER "=", API_READ, API_UNKNOWN, NULL);
	judges("Bearer Bearer", API_READ, API_UNKNOWN, NULL);
	memset(text + strlen(text), 'x', API_KEY_MAX);
	judges(text, API_READ, API_UNKNOWN, NULL);
	text[strlen(text)] = 'x';
	judges(text, API_READ, API_NO_BEARER, NULL);
}

Test(api_keys, refuse_what_is_not_bearer_and_one_key)
{
	const char *bad[] = {"Bearer", "Bearer ", "Bearer  ", "Bearer\t" READER, READER, " Bearer " READER,
		"Basic cmVhZGVyOng=", "Bearer " READER " ", "Bearer " READER ",", "Bearer " READER " x",
		"Bearer \"" READER "\"", "Bearer " READER ", Bearer " BOTH, "Bearer =", "Bearer a=b", "Bearer: " READER,
		"Bearer" READER, "Bearer \xc3\xa4", "Token " READER, "Bearer k\x01"};
	judges("", API_READ, API_NO_KEY, NULL);
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		judges(bad[i], API_READ, API_NO_BEARER, NULL);
}
