/* access.c - decides whether a client may read, and answers the request if it may not.
 *
 * The key is compared by its SHA-256 in constant time (auth/api_keys.h); this file turns the decision into a status.
 * A failed attempt is reported to the operator with its reason.  The client learns no more than the status shows: 401
 * does not distinguish a missing key from an unknown or expired one. */

#include "access.h"

#include <stdio.h>
#include <time.h>

#include "auth_failure.h"
#include "http/network.h"
#include "runtime/log.h"

/* The detail begins with the key's name if the file has the key.  The key itself is a credential and is never
 * logged. */
static void access_report(const struct request *rq, enum access_decision decision, const struct api_key *key)
{
	char detail[API_KEY_NAME_MAX + 64];
	snprintf(
		detail, sizeof detail, "%s%s%s", key ? key->name : "", key ? ": " : "", access_decision_text(decision));
	auth_failure_report(rq, &(struct auth_failure){.cause = AUTH_FAILURE_API_KEY, .detail = detail});
}

static void access_refuse(struct request *rq, enum access_decision decision, const struct api_key *key)
{
	struct fault f;
	access_report(rq, decision, key);
	switch (decision) {
	case API_NO_KEY:
	case API_NO_BEARER:
	case API_UNKNOWN:
	case API_EXPIRED:
		rq->reply.challenge = "Bearer";
		http_problem(rq, 401, "a key is wanted, as Authorization: Bearer KEY");
		return;
	case API_NO_SCOPE:
		http_problem(rq, 403, "this key is not for that");
		return;
	case API_FAILED:
		fault_set(&f, FAULT_BUSY, "%s", access_decision_text(decision));
		http_fault(rq, &f);
		return;
	case API_GRANTED:
		return;
	}
}

/* Without a file of keys, answers 403 to a client outside this host and private networks. */
static bool admit_private_address(struct request *rq)
{
	if (network_is_private(rq->address))
		return true;
	http_problem(rq, 403,
		"without API_KEYS_FILE, reads are answered to this host and private networks only; it opens them to keys");
	return false;
}

bool access_granted(struct request *rq, enum api_scope wanted)
{
	const struct api_key *key;
	if (!rq->service->keys)
		return wanted == API_OPERATE || admit_private_address(rq);
	const char *authorization = rq->header(rq, "authorization");
	enum access_decision decision = api_keys_judge(
		rq->service->keys, authorization ? authorization : "", wanted, (int64_t)time(NULL), &key);
	if (decision != API_GRANTED) {
		access_refuse(rq, decision, key);
		return false;
	}
	if (log_wants(LOG_LEVEL_DEBUG))
		LOG(LOG_LEVEL_DEBUG, "API key used", LOG_TEXT("request_id", rq->id), LOG_TEXT("key", key->name));
	return true;
}
