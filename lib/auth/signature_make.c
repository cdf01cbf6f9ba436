/* signature_make.c - signs a request as its provider would.
 *
 * A responder never signs: the function is for the operator's tool, which has the same secrets.  What is signed comes from
 * signature_claim.c, and nothing of a scheme is known here. */

#include "auth/signature_make.h"

#include <string.h>

#include "auth/signature_claim.h"

static const struct signer_secret *find_secret(const struct signer *s, int64_t now_s, struct fault *f)
{
	bool is_shared = false;
	for (int i = 0; i < s->count; i++) {
		enum digest_kind kind = digest_key_kind(s->secrets[i].key);
		bool is_hmac = kind == DIGEST_HMAC_SHA256 || kind == DIGEST_HMAC_SHA512;
		is_shared = is_shared || is_hmac;
		if (is_hmac && now_s <= s->secrets[i].not_after_s)
			return &s->secrets[i];
	}
	if (is_shared)
		fault_set(f, FAULT_INPUT, "the not_after of all its secrets has passed");
	else
		fault_set(f, FAULT_INPUT,
			"it has no secret to sign with: with its public keys only the provider can sign");
	return NULL;
}

bool signature_can_be_made(const struct signer *s, int64_t now_s, struct fault *f)
{
	return find_secret(s, now_s, f) != NULL;
}

static void claim_begin(
	struct signature_claim *c, const struct signer *s, int64_t now_s, struct signature_report *report)
{
	*report = (struct signature_report){.cause = SIGNATURE_GOOD, .secret = -1};
	memset(c, 0, sizeof *c);
	c->signer = s;
	c->now_s = now_s;
	c->report = report;
}

/* Signs the parts of a claim that has been read. */
static bool signature_of(const struct signature_claim *c, bool is_read, struct signature_made *ret, struct fault *f)
{
	struct signature_made made;
	const struct signer_secret *secret = find_secret(c->signer, c->now_s, f);
	if (!secret)
		return false;
	if (!is_read)
		return fault_set(f, FAULT_INPUT, "%s", c->report->text);
	made.len = digest_hmac(secret->key, c->part, c->parts, made.bytes);
	if (made.len == 0)
		return fault_set(f, FAULT_BUG, "libcrypto could not calculate");
	*ret = made;
	return true;
}

bool signature_make(const struct signer *s, const struct signature_request *request, int64_t now_s,
	struct signature_made *ret, struct fault *f)
{
	struct signature_claim c;
	struct signature_report report;
	claim_begin(&c, s, now_s, &report);
	return signature_of(&c, signature_claim_read(&c, request), ret, f);
}

bool signature_make_item(const struct signer *s, const struct signature_item *item, int64_t now_s,
	struct signature_made *ret, struct fault *f)
{
	struct signature_claim c;
	struct signature_report report;
	claim_begin(&c, s, now_s, &report);
	return signature_of(&c, signature_claim_read_item(&c, item), ret, f);
}
