/* signature.c - verifies that a webhook was signed with a secret of its source.
 *
 * signature_claim.c reads a request into one form, whatever its scheme is.  From there all schemes take the same path:
 * secrets, not_after, time.  The body is hashed as received, before any parsing.  Every error ends in a failed
 * verification.
 *
 * The digest is calculated even if the time is out of tolerance.  Only then can the report distinguish a wrong clock
 * from a forgery.  Checking the time first would save nothing: an attacker can write a current time.
 *
 * A replay within the tolerance is not detected here: the database finds the stored transaction.  The caller answers
 * the provider and records the report. */

#include "auth/signature.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "auth/signature_claim.h"

#define OTHER_URL_BODY_MAX 8192 /* bytes; a longer body is not hashed again to look for a wrong URL */

/* The signatures of the list that have the version of this key.  Returns their number; ret borrows them. */
static int candidates(
	const struct signature_claim *c, const struct digest_key *key, struct digest_part ret[SIGNATURES_MAX])
{
	int count = 0;
	bool ed25519 = digest_key_kind(key) == DIGEST_ED25519;
	for (int i = 0; i < c->list.count; i++) {
		const struct signature_value *value = &c->list.value[i];
		if ((value->version == SIGNATURE_ED25519) == ed25519)
			ret[count++] = (struct digest_part){value->bytes, value->len};
	}
	return count;
}

/* not_after is the last second in which a secret is valid. */
static bool is_active(const struct signature_claim *c, int secret)
{
	return c->now_s <= c->secrets[secret].not_after_s;
}

/* The result of trying the secrets. */
struct finding {
	int tried;   /* number of secrets for which there is a signature of their version */
	int match;   /* index of a secret that matches, an active one if there is one; -1: none */
	bool failed; /* libcrypto failed for at least one secret */
};

/* Tries the secrets until an active one matches.  One that has expired does not end the search: during a rotation a
 * request may carry signatures by both secrets.  A forgery is tried with every secret, so the time of the answer
 * reveals their number and nothing of their values. */
static struct finding try_secrets(const struct signature_claim *c)
{
	struct finding found = {.match = -1};
	for (int i = 0; i < c->count; i++) {
		struct digest_part signatures[SIGNATURES_MAX];
		const struct digest_key *key = c->secrets[i].key;
		int count = candidates(c, key, signatures);
		if (count == 0)
			continue;
		found.tried++;
		enum digest_outcome outcome = digest_verify(key, c->part, c->parts, signatures, count);
		found.failed = found.failed || outcome == DIGEST_FAILED;
		if (outcome == DIGEST_MATCHES)
			found.match = i;
		if (outcome == DIGEST_MATCHES && is_active(c, i))
			break;
	}
	return found;
}

/* Whether a secret made the signature for this URL.  part[0] is the URL, see signature_claim.c. */
static bool signed_for(const struct signature_claim *c, const char *url)
{
	struct signature_claim other = *c;
	other.part[0] = (struct digest_part){url, strlen(url)};
	return try_secrets(&other).match >= 0;
}

/* Square signs the URL that is registered with it, byte for byte.  A digest cannot show whether the URL or the secret
 * is wrong.  Two common mistakes in the URL can be tried: http for https or the reverse, and a slash at the end.  This
 * costs three more digests for each secret and every forgery, hence the bound on the body. */
static bool is_for_another_url(const struct signature_claim *c)
{
	const char *url = c->signer->url;
	const char *rest = strstr(url, "://");
	char other[SIGNER_URL_MAX + sizeof "https/"];
	if (c->signer->scheme != SCHEME_SQUARE || !rest || c->part[1].len > OTHER_URL_BODY_MAX)
		return false;
	const char *scheme = strncasecmp(url, "https", 5) == 0 ? "http" : "https";
	size_t len = strlen(rest);
	bool slash = rest[len - 1] == '/';
	int kept = (int)(slash ? len - 1 : len);
	const char *end = slash ? "" : "/";
	snprintf(other, sizeof other, "%s%s", scheme, rest);
	if (signed_for(c, other))
		return true;
	snprintf(other, sizeof other, "%s%.*s%s", scheme, kept, rest, end);
	if (signed_for(c, other))
		return true;
	snprintf(other, sizeof other, "%.*s%.*s%s", (int)(rest - url), url, kept, rest, end);
	return signed_for(c, other);
}

static bool refuse_unmatched(const struct signature_claim *c)
{
	/* First, since a claim of HTTP Basic has no parts, whatever its scheme signs. */
	if (c->secrets == &c->signer->basic || c->signer->scheme == SCHEME_BASIC)
		return signature_refuse(
			c->report, SIGNATURE_WRONG, "it has another user or another password than ours");
	if (is_for_another_url(c))
		return signature_refuse(c->report, SIGNATURE_WRONG_URL,
			"it was signed for another URL than ours: http for https, or a slash at the end");
	if (c->signer->scheme == SCHEME_TOKEN)
		return signature_refuse(
			c->report, SIGNATURE_WRONG, "the header %s has another token than ours", c->signer->header);
	return signature_refuse(c->report, SIGNATURE_WRONG,
		"no secret of ours made this signature: %s, or the body was changed on its way",
		c->signer->scheme == SCHEME_SQUARE ? "another secret, another URL" : "another secret");
}

/* Called only after a secret has matched.  Without a match the time is not authentic. */
static bool check_time(const struct signature_claim *c)
{
	struct signature_report *r = c->report;
	if (!c->timed)
		return true;
	int tolerance = c->signer->tolerance_s;
	if (r->skew_s > tolerance)
		return signature_refuse(r, SIGNATURE_OLD,
			"it was signed %" PRId64 " s ago, %d s are allowed; the signature itself is right", r->skew_s,
			tolerance);
	if (r->skew_s < -tolerance)
		return signature_refuse(r, SIGNATURE_FUTURE,
			"it was signed %" PRId64 " s in the future, %d s are allowed; the signature itself is right",
			-r->skew_s, tolerance);
	return true;
}

/* If several causes apply, the first in this order is reported.  A failure of libcrypto comes before a mismatch and
 * before an expired secret, because the secret that could not be tried may be the right one: the request is answered
 * 503, and the provider sends it again.  The time comes last, because it is authentic only then. */
static bool signature_judge(struct signature_claim *c)
{
	struct signature_report *r = c->report;
	int64_t skew = c->timed ? c->now_s - c->time_s : 0;
	if (c->count == 0)
		return signature_refuse(r, SIGNATURE_FAILED, "there is no secret to verify with");
	struct finding found = try_secrets(c);
	r->skew_s = skew;
	r->secret = found.match;
	if (found.tried == 0)
		return signature_refuse(
			r, SIGNATURE_UNSUPPORTED, "none of its signatures is of a version that a secret here is for");
	if (found.failed && (found.match < 0 || !is_active(c, found.match)))
		return signature_refuse(r, SIGNATURE_FAILED, "libcrypto could not calculate");
	if (found.match < 0)
		return refuse_unmatched(c);
	if (!is_active(c, found.match))
		return signature_refuse(r, SIGNATURE_EXPIRED,
			"secret %d made this signature, and its not_after has passed", found.match + 1);
	return check_time(c);
}

/* Leaves the list and the parts unset; a scheme fills them before they are read. */
static void signature_begin(
	struct signature_claim *c, const struct signer *s, int64_t now_s, struct signature_report *ret)
{
	*ret = (struct signature_report){.cause = SIGNATURE_GOOD, .secret = -1};
	c->signer = s;
	c->secrets = s->secrets;
	c->count = s->count;
	c->now_s = now_s;
	c->parts = 0;
	c->values = 0;
	c->timed = false;
	c->report = ret;
}

bool signature_verify(
	const struct signer *s, const struct signature_request *request, int64_t now_s, struct signature_report *ret)
{
	struct signature_claim c;
	signature_begin(&c, s, now_s, ret);
	return signature_claim_read(&c, request) && signature_judge(&c);
}

bool signature_verify_item(
	const struct signer *s, const struct signature_item *item, int64_t now_s, struct signature_report *ret)
{
	struct signature_claim c;
	signature_begin(&c, s, now_s, ret);
	return signature_claim_read_item(&c, item) && signature_judge(&c);
}

bool signature_verify_basic(
	const struct signer *s, const struct signature_request *request, int64_t now_s, struct signature_report *ret)
{
	struct signature_claim c;
	signature_begin(&c, s, now_s, ret);
	c.secrets = &s->basic;
	c.count = s->basic.key ? 1 : 0;
	bool good = signature_claim_read_basic(&c, request) && signature_judge(&c);
	ret->secret = -1; /* it is none of the scheme's */
	return good;
}
