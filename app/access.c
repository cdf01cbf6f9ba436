/* access.c - decides whether a client may read, and answers the request if it may not; and from where webhooks may come
 * that nothing signs.
 *
 * The key is compared by its SHA-256 in constant time (auth/api_keys.h); this file turns the decision into a status.
 * A failed attempt is reported to the operator with its reason.  The client learns no more than the status shows: 401
 * does not distinguish a missing key from an unknown or expired one. */

#include "access.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "auth_failure.h"
#include "fastcgi/client.h"
#include "http/host.h"
#include "http/network.h"
#include "runtime/log.h"
#include "runtime/settings.h"

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

bool access_may_send_unsigned(const struct request *rq)
{
	const struct settings *s = rq->service->settings;
	/* A page reaches a private address by DNS rebinding.  Browsers add Origin to each POST, and providers do not. */
	if (s->open_to != OPEN_TO_ALL && rq->header(rq, "origin"))
		return false;
	switch (s->open_to) {
	case OPEN_TO_ALL:
		return true;
	case OPEN_TO_PRIVATE:
		return client_is_local(rq);
	case OPEN_TO_NETWORKS:
		/* A public address may be a provider's egress proxy, which adds Via. */
		return networks_hold(&s->open_networks, rq->address) &&
		       !(network_is_private(rq->address) && client_is_forwarded(rq));
	}
	return false;
}

/* Without a key the address or the port alone decides, so answers 403 to every request that may carry another client's
 * wish: of a page in a browser, or through a proxy. */
static bool admit_without_key(struct request *rq, enum api_scope wanted)
{
	const char *why = NULL;
	if (!host_is_allowed(rq->header(rq, "host"), rq->service->settings->allowed_hosts))
		why = "without an API key, the header Host must be localhost, an address or one of ALLOWED_HOSTS";
	else if (client_is_cross_site(rq))
		why = "without an API key, a page of another site may not read this";
	else if (client_is_forwarded(rq))
		why = "without an API key, a proxy may forward this only if REAL_IP_FROM names it";
	else if (wanted == API_READ && rq->clients == CLIENTS_REMOTE)
		why = "reads through this port need an API key, and there is no API_KEYS_FILE";
	else if (wanted == API_READ && !client_is_local(rq))
		why = "without API_KEYS_FILE, reads are answered to this host and private networks only; it opens them to keys";
	if (why)
		http_problem(rq, 403, why);
	return !why;
}

bool access_granted(struct request *rq, enum api_scope wanted)
{
	const struct api_key *key;
	if (!rq->service->keys || rq->clients == CLIENTS_LOCAL)
		return admit_without_key(rq, wanted);
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
