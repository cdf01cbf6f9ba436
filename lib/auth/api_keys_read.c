/* api_keys_read.c - reads the operator's list of API keys from JSON.
 *
 * Reading goes on after a mistake, so that one run reports the mistakes of all keys.  The configuration is read with
 * is_discreet: no report contains text of the document, which may be a key.  A list with any mistake yields no key at
 * all, since a process must not start with a part of its keys. */

#include "auth/api_keys_read.h"

#include <string.h>

#include "base/clock.h"
#include "base/encode.h"
#include "json/config.h"

#define TEXT_MAX 256 /* bytes of a digest as text; a wrong one of up to that length is reported as no digest */

enum member { NAME, SHA256, SCOPES, NOT_AFTER, MEMBERS };

static const char *const NAMES[MEMBERS] = {"name", "sha256", "scopes", "not_after"};

static bool api_keys_read_read_name(const struct json_place *p, const struct api_keys *all, struct api_key *ret)
{
	if (!json_config_text(p, API_KEY_NAME_MAX, ret->name))
		return false;
	if (!api_key_name_valid(ret->name)) {
		json_config_complain(p, "lower case letters, digits and hyphens are wanted");
		return false;
	}
	for (int i = 0; i < all->count; i++) {
		if (strcmp(all->list[i].name, ret->name) == 0) {
			json_config_complain(p, "is the name of another key already");
			return false;
		}
	}
	return true;
}

/* The SHA-256 of no bytes is what "sha256sum </dev/null", or an empty variable in a script, yields.  It is a mistake:
 * no request can carry an empty key, so the entry would grant nothing. */
static bool is_of_nothing(const unsigned char sha256[DIGEST_SHA256_LEN])
{
	unsigned char nothing[DIGEST_SHA256_LEN];
	return digest_sha256("", 0, nothing) && memcmp(nothing, sha256, sizeof nothing) == 0;
}

static void read_sha256(const struct json_place *p, const struct api_keys *all, struct api_key *ret)
{
	char text[TEXT_MAX + 1];
	size_t len;
	if (!json_config_text(p, TEXT_MAX, text))
		return;
	if (!encode_read(ENCODING_HEX, text, strlen(text), ret->sha256, sizeof ret->sha256, &len) ||
		len != sizeof ret->sha256) {
		json_config_complain(p, "the SHA-256 of a key is wanted, in 64 hexadecimal digits");
		return;
	}
	if (is_of_nothing(ret->sha256))
		json_config_complain(p, "is the SHA-256 of no bytes at all");
	for (int i = 0; i < all->count; i++) {
		if (memcmp(all->list[i].sha256, ret->sha256, sizeof ret->sha256) == 0)
			json_config_complain(p, "is the SHA-256 of another key already");
	}
}

/* A repeated scope is a mistake: the operator probably meant the other one. */
static void read_scopes(const struct json_place *p, struct api_key *ret)
{
	struct json_place element[API_SCOPES_MAX];
	const char *words[API_SCOPES_MAX];
	int word;
	for (int i = 0; i < API_SCOPES_MAX; i++)
		words[i] = api_scope_name(API_SCOPES[i]);
	int count = json_config_elements(p, element, API_SCOPES_MAX);
	for (int i = 0; i < count; i++) {
		if (!json_config_word(&element[i], words, API_SCOPES_MAX, &word))
			continue;
		if (ret->scopes & API_SCOPES[word])
			json_config_complain(&element[i], "stands twice");
		ret->scopes |= API_SCOPES[word];
	}
}

static void api_keys_read_read_not_after(const struct json_place *p, struct api_key *ret)
{
	char text[CLOCK_DATE_MAX + 16];
	if (!json_config_given(p) || !json_config_text(p, sizeof text - 1, text))
		return;
	if (!clock_read(text, &ret->not_after_s))
		json_config_complain(p, "is no time as 2027-01-01T00:00:00Z is one");
}

static void read_key(const struct json_place *p, struct api_keys *all)
{
	struct json_place member[MEMBERS];
	struct api_key key = {.not_after_s = INT64_MAX};
	json_config_members(p, NAMES, member, MEMBERS);
	/* A key without a valid name is not added, but its other members are checked. */
	bool has_name = api_keys_read_read_name(&member[NAME], all, &key);
	read_sha256(&member[SHA256], all, &key);
	read_scopes(&member[SCOPES], &key);
	api_keys_read_read_not_after(&member[NOT_AFTER], &key);
	if (has_name)
		all->list[all->count++] = key;
}

bool api_keys_read(const char *file, const char *text, size_t len, void (*report)(void *ctx, const char *complaint),
	void *ctx, struct api_keys *ret)
{
	static const char *const names[] = {"keys"};
	struct json_config config = {.file = file, .text = text, .report = report, .ctx = ctx, .is_discreet = true};
	struct json_place top, list, element[API_KEYS_MAX];
	ret->count = 0;
	if (!json_config_open(&config, len, &top))
		return false;
	json_config_members(&top, names, &list, 1);
	int count = json_config_elements(&list, element, API_KEYS_MAX);
	for (int i = 0; i < count; i++)
		read_key(&element[i], ret);
	if (config.complaints > 0)
		ret->count = 0;
	return config.complaints == 0;
}
