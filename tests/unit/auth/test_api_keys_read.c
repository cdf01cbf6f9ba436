/* test_api_keys_read.c - reading API_KEYS_FILE: what is accepted, and the errors that are reported. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "auth/api_keys_read.h"

#define SHA_A "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb" /* of "a" */
#define SHA_B "3E23E8160039594A33894F6564E1B1348BBD7A0088D42C4ACB73EEAED59C009D" /* of "b" */
#define SHA_OF_NOTHING "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define A "{\"name\":\"a\",\"sha256\":\"" SHA_A "\",\"scopes\":[\"read\"]}"
#define ONE(members) "{\"keys\":[\n{" members "}]}"
#define NAME "\"name\":\"a\","
#define SHA "\"sha256\":\"" SHA_A "\","
#define SCOPES "\"scopes\":[\"read\"]"

static struct api_keys k;
static char complaints[4000];

static void complain(void *ctx, const char *complaint)
{
	(void)ctx;
	size_t len = strlen(complaints);
	snprintf(complaints + len, sizeof complaints - len, "%s%s", len ? "\n" : "", complaint);
}

static bool reads(const char *text)
{
	complaints[0] = '\0';
	return api_keys_read("keys.json", text, strlen(text), complain, NULL, &k);
}

static void takes(const char *text)
{
	cr_assert(reads(text), "%s", complaints);
	cr_expect_str_eq(complaints, "");
}

static void refuses(const char *text, const char *why)
{
	cr_assert_not(reads(text), "%s was taken", text);
	cr_expect_str_eq(complaints, why);
	cr_expect_eq(k.count, 0);
}

Test(api_keys_read, reads_names_digests_scopes_and_ends)
{
	const struct api_key *key;
	takes("{\"keys\":[" A ",{\"name\":\"ops-2\",\"sha256\":\"" SHA_B
	      "\",\"scopes\":[\"operate\",\"payload\",\"read\"],\"not_after\":\"2026-12-31T00:00:00Z\"}]}");
	cr_assert_eq(k.count, 2);
	cr_expect_str_eq(k.list[0].name, "a");
	cr_expect_eq(k.list[0].scopes, API_READ);
	cr_expect_eq(k.list[0].not_after_s, INT64_MAX);
	cr_expect_eq(k.list[1].scopes, API_READ | API_OPERATE | API_PAYLOAD);
	cr_expect_eq(k.list[1].not_after_s, 1798675200);
	cr_expect_eq(api_keys_judge(&k, "Bearer a", API_READ, 0, &key), API_GRANTED);
	cr_expect_eq(api_keys_judge(&k, "Bearer b", API_OPERATE, 0, &key), API_GRANTED);
	cr_expect_str_eq(key->name, "ops-2");
}

Test(api_keys_read, refuses_what_is_no_file_of_keys)
{
	refuses("", "keys.json:1: is no strict JSON, or a member stands in it twice: see byte 0");
	refuses("{}", "keys.json:1: /keys: is missing");
	refuses("[]", "keys.json:1: is no strict JSON, or a member stands in it twice: see byte 0");
	refuses("{\"keys\":[]}", "keys.json:1: /keys: is empty");
	refuses("{\"keys\":{}}", "keys.json:1: /keys: an array is wanted, and this is an object");
	refuses("{\"keys\":[1]}", "keys.json:1: /keys/0: an object is wanted, and this is a number\n"
				  "keys.json:1: /keys/0/name: is missing\nkeys.json:1: /keys/0/sha256: is missing\n"
				  "keys.json:1: /keys/0/scopes: is missing");
	refuses("{\"keys\":[\n" A ",\n]}",
		"keys.json:3: is no strict JSON, or a member stands in it twice: see byte 118");
}

Test(api_keys_read, reports_every_mistake_in_a_key)
{
	refuses("{\"keys\":[\n{\"name\":\"A\",\"sha256\":\"00\",\n\"scopes\":[\"write\"],\"not_after\":\"soon\"}]}",
		"keys.json:2: /keys/0/name: lower case letters, digits and hyphens are wanted\n"
		"keys.json:2: /keys/0/sha256: the SHA-256 of a key is wanted, in 64 hexadecimal digits\n"
		"keys.json:3: /keys/0/scopes/0: this: one of these is wanted: read operate payload\n"
		"keys.json:3: /keys/0/not_after: is no time as 2027-01-01T00:00:00Z is one");
}

Test(api_keys_read, refuses_a_digest_that_is_none)
{
	static const char *const bad[] = {SHA_A "0", "x" SHA_A, SHA_A SHA_A, "phk_abc", " " SHA_A};
	char text[512];
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		snprintf(text, sizeof text, ONE(NAME "\"sha256\":\"%s\"," SCOPES), bad[i]);
		refuses(text, "keys.json:2: /keys/0/sha256: the SHA-256 of a key is wanted, in 64 hexadecimal digits");
	}
	refuses(ONE(NAME "\"sha256\":\"" SHA_OF_NOTHING "\"," SCOPES),
		"keys.json:2: /keys/0/sha256: is the SHA-256 of no bytes at all");
	refuses(ONE(NAME "\"sha256\":7," SCOPES),
		"keys.json:2: /keys/0/sha256: a string is wanted, and this is a number");
}

Test(api_keys_read, refuses_scopes_that_grant_nothing)
{
	refuses(ONE(NAME SHA "\"scopes\":[]"), "keys.json:2: /keys/0/scopes: is empty");
	refuses(ONE(NAME SHA "\"scopes\":\"read\""),
		"keys.json:2: /keys/0/scopes: an array is wanted, and this is a string");
	refuses(ONE(NAME SHA "\"scopes\":[\"read\",\"read\"]"), "keys.json:2: /keys/0/scopes/1: stands twice");
	refuses(ONE(NAME SHA "\"scopes\":[\"read\",\"operate\",\"payload\",\"read\"]"),
		"keys.json:2: /keys/0/scopes: more than 3 elements");
}

Test(api_keys_read, refuses_two_keys_by_one_name_and_one_key_by_two_names)
{
	refuses("{\"keys\":[" A ",\n{\"name\":\"a\",\"sha256\":\"" SHA_B "\",\"scopes\":[\"read\"]}]}",
		"keys.json:2: /keys/1/name: is the name of another key already");
	refuses("{\"keys\":[" A ",\n{\"name\":\"b\",\"sha256\":\"" SHA_A "\",\"scopes\":[\"read\"]}]}",
		"keys.json:2: /keys/1/sha256: is the SHA-256 of another key already");
}

Test(api_keys_read, takes_64_keys_and_no_more)
{
	static char text[API_KEYS_MAX * 200];
	for (int count = API_KEYS_MAX; count <= API_KEYS_MAX + 1; count++) {
		int len = snprintf(text, sizeof text, "{\"keys\":[");
		for (int i = 0; i < count; i++)
			len += snprintf(text + len, sizeof text - (size_t)len,
				"%s{\"name\":\"k%d\",\"sha256\":\"%064d\",\"scopes\":[\"read\"]}", i ? "," : "", i, i);
		snprintf(text + len, sizeof text - (size_t)len, "]}");
		if (count <= API_KEYS_MAX)
			takes(text);
		else
			refuses(text, "keys.json:1: /keys: more than 64 elements");
	}
}

/* Wherever an operator puts a key by mistake, no error message shows it. */
Test(api_keys_read, shows_nothing_that_might_be_a_key)
{
	static const char *const places[] = {"%s", "\"%s\"", "{\"%s\":1}", "{\"%s\":1,\"%s\":2}", "{\"keys\":\"%s\"}",
		"{\"keys\":[\"%s\"]}", "{\"keys\":[{\"name\":\"%s\"}]}", "{\"keys\":[{\"sha256\":\"%s\"}]}",
		"{\"keys\":[{\"%s\":[\"read\"]}]}", "{\"keys\":[{\"scopes\":[\"%s\"]}]}",
		"{\"keys\":[{\"scopes\":\"%s\"}]}", "{\"keys\":[{\"not_after\":\"%s\"}]}",
		"{\"keys\":[{\"name\":\"a\",\"%s\":1,\"%s\":2}]}"};
	static const char *const secrets[] = {"phk_THE-KEY", "the-key", "THE-KEY"};
	for (size_t i = 0; i < COUNT_OF(places) * COUNT_OF(secrets); i++) {
		char text[512];
		const char *secret = secrets[i % COUNT_OF(secrets)];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(text, sizeof text, places[i / COUNT_OF(secrets)], secret, secret);
#pragma GCC diagnostic pop
		cr_expect_not(reads(text), "%s", text);
		cr_expect_null(strstr(complaints, secret), "%s", complaints);
	}
}
