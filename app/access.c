/* access.c - who may read. */

#include "access.h"

#include <stdio.h>
#include <time.h>

#include "auth_failure.h"
#include "http/network.h"
#include "runtime/log.h"

/* Whose key it is stands beside the reason; that of nobody's does not. */
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

static bool is_near(struct request *rq)
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
		return wanted == API_OPERATE || is_near(rq);
	const char *shown = rq->header(rq, "authorization");
	enum access_decision decision =
		api_keys_judge(rq->service->keys, shown ? shown : "", wanted, (int64_t)time(NULL), &key);
	if (decision != API_GRANTED) {
		access_refuse(rq, decision, key);
		return false;
	}
	if (log_wants(LOG_LEVEL_DEBUG))
		LOG(LOG_LEVEL_DEBUG, "API key used", LOG_TEXT("request_id", rq->id), LOG_TEXT("key", key->name));
	return true;
}
