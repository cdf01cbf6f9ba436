/* oauth.c - fetches the token with which the processor is called, and keeps it fresh.
 *
 * One request at a time: calls that need a token while it is under way wait for it, so a thousand calls make one request.
 * The token is renewed when four fifths of its life are over, while it still serves.  Every failure has a reason and is
 * temporary: the calls are retried, and the circuit breaker bounds how often.  Neither the secret nor a token is logged or
 * quoted. */

#include "oauth.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/encode.h"
#include "http_options.h"
#include "oauth_token.h"
#include "runtime/log.h"

#define BEARER "Authorization: Bearer "
#define AGAIN_MS 1000    /* between two requests, if the first failed */
#define REFUSED_MS 60000 /* a token that was fetched for a refusal is not replaced again within this time */
#define FORM_MAX (64 + 3 * SETTINGS_TEXT_MAX)
#define PAIR_MAX (2 * 3 * SETTINGS_TEXT_MAX)
#define BASIC "Authorization: Basic "

struct oauth {
	struct http_request request;
	struct http_loop *loop;
	struct event *timer; /* renews the token */
	bool fetching;
	char line[sizeof BEARER + OAUTH_TOKEN_MAX];
	int64_t number;      /* of the token; 0: there was none */
	int64_t ends_ms;     /* clock_ms() of the end of its life */
	int64_t fetched_ms;  /* clock_ms() of its answer */
	bool is_replacement; /* it was fetched because the one before was refused, and nothing has shown it to be good */
	bool replaces;       /* the request under way is made for that reason */
	int64_t again_ms;    /* no request before this time */
	bool failed;         /* the last request */
	char why[FAULT_TEXT_MAX]; /* of that */
	struct buf body, form;    /* of the answer, of the request */
	char basic[sizeof BASIC + ENCODE_BASE64_MAX(PAIR_MAX)];
	struct curl_slist headers[3];
	oauth_ended *ended;
	void *ctx;
};

/* ---- the request ---- */

/* Adds a text as application/x-www-form-urlencoded has it, which RFC 6749, 2.3.1 wants for the id and the secret too. */
static void oauth_add_encoded(struct buf *b, const char *text)
{
	static const char PLAIN[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._";
	for (; *text; text++) {
		if (strchr(PLAIN, *text))
			buf_add(b, text, 1);
		else
			buf_add_format(b, "%%%02X", (unsigned)(unsigned char)*text);
	}
}

static bool oauth_write_form(struct oauth *oa, const struct settings *s)
{
	buf_add_text(&oa->form, "grant_type=client_credentials");
	if (*s->processor_token_scope) {
		buf_add_text(&oa->form, "&scope=");
		oauth_add_encoded(&oa->form, s->processor_token_scope);
	}
	return buf_ok(&oa->form);
}

static bool write_basic(struct oauth *oa, const struct settings *s)
{
	struct buf pair = BUF_INIT(PAIR_MAX);
	bool good = buf_room(&pair, PAIR_MAX); /* whole at once, so that no copy is left behind */
	oauth_add_encoded(&pair, s->processor_client_id);
	buf_add_text(&pair, ":");
	oauth_add_encoded(&pair, s->processor_client_secret);
	good = good && buf_ok(&pair);
	if (good) {
		memcpy(oa->basic, BASIC, strlen(BASIC));
		encode_write_base64((const unsigned char *)pair.data, pair.len, oa->basic + strlen(BASIC));
	}
	if (pair.data)
		explicit_bzero(pair.data, pair.cap);
	buf_finish(&pair);
	return good;
}

/* A body that is too long ends the request. */
static size_t oauth_on_body(char *bytes, size_t size, size_t count, void *arg)
{
	struct oauth *oa = arg;
	buf_add(&oa->body, bytes, size * count);
	return buf_ok(&oa->body) ? size * count : 0;
}

static bool set_token_request(struct oauth *oa, const struct call_options *o)
{
	static char no_expect[] = "Expect:", accept[] = "Accept: application/json";
	CURL *easy = oa->request.easy;
	int bad = 0;
	oa->headers[0] = (struct curl_slist){.data = oa->basic, .next = &oa->headers[1]};
	oa->headers[1] = (struct curl_slist){.data = accept, .next = &oa->headers[2]};
	oa->headers[2] = (struct curl_slist){.data = no_expect};
	bad |= (int)curl_easy_setopt(easy, CURLOPT_URL, o->settings->processor_token_url);
	bad |= (int)curl_easy_setopt(easy, CURLOPT_USERAGENT, "payhook/" PAYHOOK_VERSION);
	bad |= (int)curl_easy_setopt(easy, CURLOPT_HTTPHEADER, oa->headers);
	bad |= (int)curl_easy_setopt(easy, CURLOPT_POSTFIELDS, oa->form.data);
	bad |= (int)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, oauth_on_body);
	bad |= (int)curl_easy_setopt(easy, CURLOPT_WRITEDATA, oa);
	return !bad && http_options_set(easy, o);
}

/* Starts a request, of which ended() reports the end. */
static void fetch(struct oauth *oa)
{
	if (oa->fetching)
		return;
	buf_reset(&oa->body, OAUTH_ANSWER_MAX + 1);
	oa->fetching = http_loop_start(oa->loop, &oa->request);
	if (oa->fetching)
		return;
	snprintf(oa->why, sizeof oa->why, "no token: out of memory");
	oa->failed = true;
	oa->again_ms = clock_ms() + AGAIN_MS;
}

static void set_renewal(struct oauth *oa, int64_t ms)
{
	struct timeval tv = clock_timeval(ms > AGAIN_MS ? ms : AGAIN_MS);
	evtimer_add(oa->timer, &tv);
}

/* ---- the answer ---- */

static bool oauth_read_answer(struct oauth *oa, CURLcode result, struct oauth_token *ret, struct fault *f)
{
	long status = 0;
	struct fault why;
	curl_easy_getinfo(oa->request.easy, CURLINFO_RESPONSE_CODE, &status);
	if (!buf_ok(&oa->body))
		return fault_set(f, FAULT_BUSY, "no token: the answer is longer than %d bytes", OAUTH_ANSWER_MAX);
	if (result != CURLE_OK)
		return fault_set(f, FAULT_BUSY, "no token, and no answer from PROCESSOR_TOKEN_URL: %s",
			*oa->request.error ? oa->request.error : curl_easy_strerror(result));
	if (status != 200)
		return fault_set(f, FAULT_BUSY, "no token: HTTP %ld from PROCESSOR_TOKEN_URL", status);
	return oauth_token_read(oa->body.len > 0 ? oa->body.data : "", oa->body.len, ret, &why) ||
	       fault_set(f, FAULT_BUSY, "no token from PROCESSOR_TOKEN_URL: %s", why.text);
}

static void keep_token(struct oauth *oa, const struct oauth_token *token)
{
	int64_t now_ms = clock_ms();
	snprintf(oa->line, sizeof oa->line, "%s%s", BEARER, token->text);
	oa->number++;
	oa->fetched_ms = now_ms;
	oa->ends_ms = now_ms + (int64_t)token->life_s * 1000;
	oa->is_replacement = oa->replaces;
	LOG(oa->failed || oa->number == 1 ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG, "token of the processor fetched",
		LOG_SECONDS("life", (int64_t)token->life_s * 1000000));
	oa->failed = false;
	set_renewal(oa, (int64_t)token->life_s * 800);
}

static void oauth_on_ended(struct http_request *x, CURLcode result)
{
	struct oauth *oa = CONTAINER_OF(x, struct oauth, request);
	struct oauth_token token;
	struct fault f;
	bool good = oauth_read_answer(oa, result, &token, &f);
	explicit_bzero(oa->body.data, oa->body.cap);
	oa->fetching = false;
	if (good) {
		keep_token(oa, &token);
		explicit_bzero(&token, sizeof token);
	} else {
		snprintf(oa->why, sizeof oa->why, "%s", f.text);
		LOG(LOG_LEVEL_WARN, "token of the processor not fetched", LOG_TEXT("reason", oa->why));
		oa->failed = true;
		oa->again_ms = clock_ms() + AGAIN_MS;
		if (oa->ends_ms > clock_ms())
			set_renewal(oa, (oa->ends_ms - clock_ms()) / 4);
	}
	oa->replaces = false;
	oa->ended(oa->ctx, good ? NULL : oa->why);
}

static void oauth_on_renewal(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	fetch(arg);
}

/* ---- the interface ---- */

/* The buffer of the answer has its whole size from the start, so that wiping it wipes every copy. */
struct oauth *oauth_create(
	struct event_base *base, struct http_loop *loop, const struct call_options *o, oauth_ended *ended, void *ctx)
{
	struct oauth *oa = calloc(1, sizeof *oa);
	if (!oa)
		return NULL;
	oa->loop = loop;
	oa->ended = ended;
	oa->ctx = ctx;
	oa->body = BUF_INIT(OAUTH_ANSWER_MAX);
	oa->form = BUF_INIT(FORM_MAX);
	oa->timer = evtimer_new(base, oauth_on_renewal, oa);
	if (!oa->timer || !http_request_init(&oa->request, oauth_on_ended) || !buf_room(&oa->body, OAUTH_ANSWER_MAX) ||
		!oauth_write_form(oa, o->settings) || !write_basic(oa, o->settings) || !set_token_request(oa, o)) {
		oauth_destroy(oa);
		return NULL;
	}
	fetch(oa);
	return oa;
}

void oauth_destroy(struct oauth *oa)
{
	if (!oa)
		return;
	if (oa->fetching)
		http_loop_cancel(oa->loop, &oa->request);
	http_request_finish(&oa->request);
	if (oa->timer)
		event_free(oa->timer);
	if (oa->body.data)
		explicit_bzero(oa->body.data, oa->body.cap);
	buf_finish(&oa->body);
	buf_finish(&oa->form);
	explicit_bzero(oa, sizeof *oa);
	free(oa);
}

const char *oauth_line(const struct oauth *oa, int64_t *number)
{
	if (clock_ms() >= oa->ends_ms)
		return NULL;
	*number = oa->number;
	return oa->line;
}

const char *oauth_want(struct oauth *oa)
{
	if (!oa->fetching && clock_ms() >= oa->again_ms)
		fetch(oa);
	return oa->fetching ? NULL : oa->why;
}

bool oauth_refused(struct oauth *oa, int64_t number)
{
	if (number != oa->number || oa->replaces)
		return true;
	if (oa->is_replacement && clock_ms() - oa->fetched_ms < REFUSED_MS)
		return false;
	oa->ends_ms = 0;
	oa->replaces = true;
	fetch(oa);
	return true;
}

void oauth_accepted(struct oauth *oa, int64_t number)
{
	if (number == oa->number)
		oa->is_replacement = false;
}
