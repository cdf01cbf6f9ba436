/* sign_in.c - finds the operator of a request: by an API key, by a proxy's header, or by being on this host.
 *
 * The order is the argument.  A valid key counts from everywhere, and before the user of a proxy, as its scopes may be more.  A
 * proxy's header counts only if nginx has replaced the address by what a proxy in REAL_IP_FROM reported, since any client can send
 * a header.  Without keys the address alone decides, so every
 * request that may carry another client's wish is refused: of a page in a browser, or through a proxy.
 *
 * The client learns no more than the status shows; the reason is in the log, at most once a second, and among the auth failures
 * (sign_in_failures.h). */

#include "sign_in.h"

#include <stdio.h>
#include <string.h>

#include "attempts.h"
#include "base/clock.h"
#include "base/utf8.h"
#include "fastcgi/client.h"
#include "fastcgi/http.h"
#include "http/host.h"
#include "http/network.h"
#include "runtime/log.h"
#include "sign_in_failures.h"

static void log_sign_in_failed(const struct request *rq, const char *key, const char *why)
{
	static struct log_pause pause;
	int64_t suppressed;
	if (log_pause_over(&pause, &suppressed))
		LOG(LOG_LEVEL_WARN, "sign-in failed", LOG_TEXT("request_id", rq->id), LOG_TEXT("address", rq->address),
			LOG_TEXT("key", key), LOG_TEXT("reason", why),
			LOG_NUMBER("failed_since_start", rq->service->attempts->total),
			LOG_NUMBER("more_since_last", suppressed));
}

bool sign_in_may_fail(struct request *rq)
{
	if (attempts_fail(rq->service->attempts, rq->address, clock_ms() / 1000))
		return true;
	rq->reply.retry_after = 60;
	http_problem(rq, 429,
		"too many requests of this address have failed within a minute; a valid key is taken all the same");
	return false;
}

/* why is for the log, detail for the client. */
static bool sign_in_refuse(struct request *rq, int status, const char *key, const char *why, const char *detail)
{
	bool is_shown = sign_in_may_fail(rq);
	log_sign_in_failed(rq, key, why);
	if (!is_shown)
		return false;
	sign_in_failures_add(rq->service->sign_in_failures, rq, key, why);
	rq->reply.challenge = status == 401 ? "Bearer" : NULL;
	http_problem(rq, status, detail);
	return false;
}

/* ---- by a proxy ---- */

/* A name is one that can be on record: UTF-8 without control characters. */
static bool is_operator_name(const char *text)
{
	size_t len = strlen(text);
	if (len == 0 || len > OPERATOR_NAME_MAX)
		return false;
	for (size_t one; len > 0; text += one, len -= one) {
		one = utf8_length(text, len);
		if (one == 0 || utf8_is_control(text, one))
			return false;
	}
	return true;
}

/* The user that a named proxy has signed in; NULL: none. */
static const char *proxy_user(const struct request *rq)
{
	const char *name = rq->service->settings->console_user_header;
	if (!*name || !client_is_behind_named_proxy(rq))
		return NULL;
	const char *user = rq->header(rq, name);
	return user && *user ? user : NULL;
}

/* Of two headers one is the client's: the proxy has added its own, where it has to replace the other.  The proxy's own cookie signs
 * the user in, so a page of another site could act in the user's name. */
static bool admit_user(struct request *rq, const char *user, struct operator* ret)
{
	if (rq->is_repeated(rq, rq->service->settings->console_user_header))
		return sign_in_refuse(rq, 403, "", "the header with the user of the proxy is there twice",
			"the proxy's header with the user is there twice: the proxy has to replace the one that a client sends");
	if (!is_operator_name(user))
		return sign_in_refuse(rq, 403, "", "the user of the proxy is no name of up to 255 bytes",
			"the proxy's name of the user is not 1 to 255 bytes of UTF-8 without control characters");
	if (client_is_cross_site(rq))
		return sign_in_refuse(rq, 403, "", "a page of another site", "a page of another site may not do this");
	*ret = (struct operator){.scopes = API_READ | API_OPERATE};
	snprintf(ret->name, sizeof ret->name, "%s", user);
	return true;
}

/* ---- on this host ---- */

static bool is_loopback(const char *address)
{
	static const struct network LOOPBACK[] = {
		{.bytes = {[10] = 0xff, [11] = 0xff, [12] = 127}, .bits = 104},
		{.bytes = {[15] = 1}, .bits = 128},
	};
	return network_holds(&LOOPBACK[0], address) || network_holds(&LOOPBACK[1], address);
}

/* What is forwarded came from elsewhere, whatever address the proxy reports. */
static bool is_on_host(const struct request *rq)
{
	if (rq->clients == CLIENTS_REMOTE || client_is_forwarded(rq) || client_is_behind_named_proxy(rq))
		return false;
	return rq->clients == CLIENTS_LOCAL || is_loopback(rq->address);
}

static bool sign_in_without_key(struct request *rq, struct operator* ret)
{
	const char *why = NULL;
	const char *authorization = rq->header(rq, "authorization");
	if (authorization && *authorization)
		return sign_in_refuse(rq, 401, "", "there is no API_KEYS_FILE",
			"no key is known here, since API_KEYS_FILE is not set; this host may read without a key");
	if (!host_is_allowed(rq->header(rq, "host"), rq->service->settings->allowed_hosts))
		why = "without an API key, the header Host must be localhost, an address or one of ALLOWED_HOSTS";
	else if (client_is_cross_site(rq))
		why = "without an API key, a page of another site may not read this";
	else if (client_is_forwarded(rq))
		why = "without an API key, no proxy may forward this, but one that signs users in: REAL_IP_FROM, CONSOLE_USER_HEADER";
	else if (!is_on_host(rq))
		why = "without API_KEYS_FILE, the console is for this host only; set it, and make a key: ./payhook key NAME read "
		      "operate payload";
	if (why)
		return sign_in_refuse(rq, 403, "", why, why);
	*ret = (struct operator){.scopes = API_READ};
	return true;
}

/* ---- by a key ---- */

static bool admit_key(struct request *rq, int64_t now_s, struct operator* ret)
{
	const struct api_key *key;
	const char *authorization = rq->header(rq, "authorization");
	enum access_decision decision =
		api_keys_identify(rq->service->keys, authorization ? authorization : "", now_s, &key);
	if (decision == API_FAILED) {
		struct fault f;
		fault_set(&f, FAULT_BUSY, "%s", access_decision_text(decision));
		http_fault(rq, &f);
		return false;
	}
	if (decision != API_GRANTED)
		return sign_in_refuse(rq, 401, key ? key->name : "", access_decision_text(decision),
			"a key is wanted, as Authorization: Bearer KEY");
	*ret = (struct operator){.scopes = key->scopes};
	snprintf(ret->name, sizeof ret->name, "%s", key->name);
	return true;
}

/* A proxy may send an Authorization of its own, which is no key of the file. */
static bool has_valid_key(const struct request *rq, int64_t now_s)
{
	const struct api_key *key;
	const char *authorization = rq->header(rq, "authorization");
	return rq->service->keys && authorization &&
	       api_keys_identify(rq->service->keys, authorization, now_s, &key) == API_GRANTED;
}

bool sign_in(struct request *rq, int64_t now_s, struct operator* ret)
{
	const char *user = proxy_user(rq);
	if (user && !has_valid_key(rq, now_s))
		return admit_user(rq, user, ret);
	return rq->service->keys ? admit_key(rq, now_s, ret) : sign_in_without_key(rq, ret);
}
