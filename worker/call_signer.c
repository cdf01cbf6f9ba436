/* call_signer.c - signs calls of the processor by Standard Webhooks (symmetric, v1).
 *
 * The message is the id, the time in seconds and the body, with dots between them.  The keys are prepared when the file is
 * read, so a call costs one HMAC for each.  A file that yields no secret is an error: calls that are not signed, though the
 * operator expects that they are, would be refused by the processor. */

#include "call_signer.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/ascii.h"
#include "base/encode.h"

#define SECRET_PREFIX "whsec_"

static bool signer_read_secret(struct call_signer *s, const char *text, size_t len, int line, struct fault *f)
{
	unsigned char key[CALL_SIGNER_SECRET_MOST];
	size_t prefix = strlen(SECRET_PREFIX), key_len = 0;
	struct fault why;
	if (len < prefix || memcmp(text, SECRET_PREFIX, prefix) != 0)
		return fault_set(f, FAULT_INPUT, "line %d: a secret begins with " SECRET_PREFIX, line);
	if (s->count == CALL_SIGNER_SECRETS_MAX)
		return fault_set(f, FAULT_INPUT, "line %d: more than %d secrets", line, CALL_SIGNER_SECRETS_MAX);
	bool good = encode_read(ENCODING_BASE64, text + prefix, len - prefix, key, sizeof key, &key_len);
	if (!good)
		fault_set(f, FAULT_INPUT, "line %d: after " SECRET_PREFIX " base64 of %d to %d bytes is wanted", line,
			CALL_SIGNER_SECRET_LEAST, CALL_SIGNER_SECRET_MOST);
	else if (key_len < CALL_SIGNER_SECRET_LEAST)
		good = fault_set(f, FAULT_INPUT, "line %d: the secret has %zu bytes, and at least %d are wanted", line,
			key_len, CALL_SIGNER_SECRET_LEAST);
	else if (!digest_key_create(DIGEST_HMAC_SHA256, key, key_len, &s->keys[s->count], &why))
		good = fault_set(f, why.kind, "line %d: %s", line, why.text);
	else
		s->count++;
	explicit_bzero(key, sizeof key);
	return good;
}

bool call_signer_read(const char *text, size_t len, struct call_signer *ret, struct fault *f)
{
	struct call_signer s = {0};
	bool good = true;
	int number = 0;
	for (const char *end; good && len > 0; len -= (size_t)(end - text), text = end) {
		const char *feed = memchr(text, '\n', len), *line = text;
		end = feed ? feed + 1 : text + len;
		size_t line_len = (size_t)((feed ? feed : end) - text);
		ascii_trim(&line, &line_len);
		number++;
		if (line_len > 0 && *line != '#')
			good = signer_read_secret(&s, line, line_len, number, f);
	}
	if (good && s.count == 0)
		good = fault_set(
			f, FAULT_INPUT, "it has no secret: a line with " SECRET_PREFIX " and base64 is wanted");
	if (good)
		*ret = s;
	else
		call_signer_finish(&s);
	return good;
}

void call_signer_finish(struct call_signer *s)
{
	for (int i = 0; i < s->count; i++)
		digest_key_destroy(s->keys[i]);
	*s = (struct call_signer){0};
}

bool call_signer_sign(const struct call_signer *s, const char *id, int64_t time_s, const void *body, size_t len,
	char ret[CALL_SIGNER_SIGNATURES_MAX])
{
	char when[32], base64[ENCODE_BASE64_MAX(DIGEST_HMAC_MAX)];
	unsigned char digest[DIGEST_HMAC_MAX];
	int at = 0, when_len = snprintf(when, sizeof when, ".%" PRId64 ".", time_s);
	const struct digest_part parts[] = {{id, strlen(id)}, {when, (size_t)when_len}, {body, len}};
	ret[0] = '\0';
	for (int i = 0; i < s->count; i++) {
		size_t digest_len = digest_hmac(s->keys[i], parts, COUNT_OF(parts), digest);
		if (digest_len == 0)
			return false;
		encode_write_base64(digest, digest_len, base64);
		at += snprintf(
			ret + at, CALL_SIGNER_SIGNATURES_MAX - (size_t)at, "%sv1,%.44s", i > 0 ? " " : "", base64);
	}
	return true;
}
