/* send.c - sends payhook a webhook as a provider would.
 *
 * The example is one that the source reads (example.h), with ids that were never sent before and the time of now
 * (freshen.h), signed with the source's own secret (sign.h).  With --duplicate and --conflict the event is sent twice: as it
 * is, or with another amount the second time.
 *
 * Nothing is written but to standard output, and no secret is printed; the headers that are sent are not either. */

#include "send.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "auth/signature_make.h"
#include "base/utf8.h"
#include "ctl.h"
#include "example.h"
#include "fresh_form.h"
#include "freshen.h"
#include "http/url.h"
#include "post.h"
#include "runtime/settings.h"
#include "secret.h"
#include "sign.h"
#include "source/payload.h"
#include "source/sources_file.h"

#define URL_BYTES 2048
#define LINE_BYTES (SENDING_NAME_MAX + SENDING_VALUE_MAX + 4)
#define OLD_S 60 /* seconds beyond the tolerance, for --old */
#define USAGE                                                                                               \
	"usage: send SOURCE [--kind KIND] [--bad-signature | --old | --duplicate | --conflict] [--url URL]" \
	" [--examples FOLDER]"

enum variant { AS_IT_IS, BAD_SIGNATURE, OLD, DUPLICATE, CONFLICT };

/* One run of the command. */
struct run {
	const char *name, *kind, *url, *folder;
	enum variant variant;
	const struct settings *settings;
	struct sources sources;
	const struct source *source;
	struct example example;
	struct fresh fresh;
	char secret[SECRET_TEXT_MAX], basic[SECRET_TEXT_MAX]; /* for schemes that send the secret itself */
	char target[URL_BYTES];                               /* the URL with the query */
	struct sending sending;
};

static bool send_complain(const struct run *r, const struct fault *f)
{
	fprintf(stderr, CTL_PROGRAM ": %s: %s\n", r->name, f->text);
	return false;
}

/* ---- arguments ---- */

/* Takes an option that has a value. */
static bool take_value(struct run *r, const char *option, const char *value)
{
	const char **place = strcmp(option, "--kind") == 0       ? &r->kind
			     : strcmp(option, "--url") == 0      ? &r->url
			     : strcmp(option, "--examples") == 0 ? &r->folder
								 : NULL;
	if (!place || !value)
		return false;
	*place = value;
	return true;
}

static bool take_variant(struct run *r, const char *option)
{
	static const char *const NAMES[] = {[BAD_SIGNATURE] = "--bad-signature",
		[OLD] = "--old",
		[DUPLICATE] = "--duplicate",
		[CONFLICT] = "--conflict"};
	for (int i = BAD_SIGNATURE; i <= CONFLICT; i++) {
		if (strcmp(option, NAMES[i]) == 0 && r->variant == AS_IT_IS) {
			r->variant = (enum variant)i;
			return true;
		}
	}
	return false;
}

static bool send_arguments(struct run *r, int argc, char **argv)
{
	struct fault f;
	bool is_good = argc > 0 && argv[0][0] != '-';
	for (int i = 1; i < argc && is_good; i++) {
		if (!take_variant(r, argv[i]))
			is_good = take_value(r, argv[i], i + 1 < argc ? argv[i + 1] : NULL) && ++i;
	}
	if (!is_good) {
		ctl_complain(USAGE);
		return false;
	}
	r->name = argv[0];
	if (url_check(r->url, &f))
		return true;
	fprintf(stderr, CTL_PROGRAM ": --url %s: %s\n", strchr(r->url, '@') ? "URL" : r->url, f.text);
	return false;
}

/* ---- the source ---- */

static bool complain_of_source(const struct run *r)
{
	bool is_closed = false;
	for (int i = 0; i < r->sources.count; i++)
		is_closed = is_closed || strcmp(r->sources.list[i].name, r->name) == 0;
	if (is_closed) {
		fprintf(stderr,
			CTL_PROGRAM ": the source %s is closed, and its URL answers 404: give it another scheme in"
				    " SOURCES_FILE\n",
			r->name);
		return false;
	}
	fprintf(stderr, CTL_PROGRAM ": no source is named %s; there are:", r->name);
	for (int i = 0; i < r->sources.count; i++) {
		if (r->sources.list[i].auth != SOURCE_AUTH_DISABLED)
			fprintf(stderr, " %s", r->sources.list[i].name);
	}
	fprintf(stderr, "\n");
	return false;
}

/* Whether the source can be sent what the option wants. */
static bool can_be_sent(const struct run *r)
{
	struct fault f;
	bool is_signed = r->source->auth == SOURCE_AUTH_SIGNATURE;
	if (!is_signed && (r->variant == BAD_SIGNATURE || r->variant == OLD))
		fault_set(&f, FAULT_INPUT, "the source takes unsigned webhooks: no signature can be bad or old");
	else if (r->variant == OLD && !signer_signs_time(&r->source->signer))
		fault_set(&f, FAULT_INPUT, "the scheme %s signs no time: no signature of it is old",
			scheme_name(r->source->signer.scheme));
	else if (!is_signed || signer_sends_secret(&r->source->signer) ||
		 signature_can_be_made(&r->source->signer, (int64_t)time(NULL), &f))
		return true;
	return send_complain(r, &f);
}

static bool send_find_source(struct run *r)
{
	secret_read(r->settings->sources_file, r->name, "/secrets/0", r->secret);
	secret_read(r->settings->sources_file, r->name, "/basic", r->basic);
	if (!sources_load(r->settings->sources_file, &r->settings->extra_currencies, ctl_complain, &r->sources))
		return false;
	r->source = sources_find(&r->sources, r->name);
	return r->source ? can_be_sent(r) : complain_of_source(r);
}

/* ---- the request ---- */

/* What HTTP itself sets, or the signature does. */
static bool send_leaves_out(const char *name)
{
	static const char *const NAMES[] = {"host", "content-length", "connection", "accept", "accept-encoding"};
	for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
		if (strcmp(name, NAMES[i]) == 0)
			return true;
	}
	return strstr(name, "signature") != NULL; /* of the example's own secret */
}

static void set_headers(struct run *r)
{
	const struct http_message *head = &r->example.head;
	for (int i = 0; i < head->count; i++) {
		struct buf value = BUF_INIT(SENDING_VALUE_MAX);
		fresh_text(&r->fresh, head->header[i].value, &value);
		if (!send_leaves_out(head->header[i].name) && buf_ok(&value))
			sending_set(&r->sending, head->header[i].name, value.len > 0 ? value.data : "");
		buf_finish(&value);
	}
}

/* What the source reads from the request besides the body, and its signature covers, are ids, and so is that of Standard
 * Webhooks.  Other headers, such as the topic of a filter, are words. */
static void add_request_ids(struct run *r)
{
	const struct places_wanted *wanted = &r->source->wanted;
	const char *webhook_id = http_message_header(&r->example.head, "webhook-id");
	char value[PLACE_VALUE_MAX + 1], name[PLACE_NAME_MAX + 2];
	if (webhook_id)
		fresh_add(&r->fresh, webhook_id);
	for (int i = 0; i < wanted->header_count; i++) {
		const char *text = http_message_header(&r->example.head, wanted->headers[i]);
		if (text && source_signs_header(r->source, wanted->headers[i]))
			fresh_add(&r->fresh, text);
	}
	for (int i = 0; i < wanted->query_count; i++) {
		snprintf(name, sizeof name, "%s=", wanted->queries[i]);
		const char *query = strchr(r->example.head.target, '?');
		const char *at = query ? strstr(query, name) : NULL;
		if (!at || (at[-1] != '?' && at[-1] != '&'))
			continue;
		at += strlen(name);
		snprintf(value, sizeof value, "%.*s", (int)strcspn(at, "&"), at);
		fresh_add(&r->fresh, value);
	}
}

/* The URL of the source, with the query of the example. */
static bool set_target(struct run *r)
{
	struct buf query = BUF_INIT(URL_BYTES);
	const char *mark = strchr(r->example.head.target, '?');
	size_t base = strlen(r->url);
	if (mark)
		fresh_text(&r->fresh, mark, &query);
	while (base > 0 && r->url[base - 1] == '/')
		base--;
	int len = snprintf(r->target, sizeof r->target, "%.*s/v1/webhooks/%s%s", (int)base, r->url, r->source->name,
		query.len > 0 ? query.data : "");
	buf_finish(&query);
	r->sending.target = strstr(r->target, "/v1/webhooks/");
	return len > 0 && (size_t)len < sizeof r->target;
}

static bool is_form(const struct run *r)
{
	return source_content_type(r->source) == CONTENT_TYPE_FORM;
}

/* Writes the example anew.  The ids of a duplicate are those of the example itself, so it is one of the run before too. */
static bool send_prepare(struct run *r)
{
	struct fault f;
	const struct example *e = &r->example;
	if (!example_find(r->folder, r->source, &r->settings->extra_currencies, r->kind, &r->example, &f))
		return send_complain(r, &f);
	int64_t now_s = (int64_t)time(NULL);
	bool keeps_ids = r->variant == DUPLICATE;
	r->sending.body = BUF_INIT(PAYLOAD_MAX);
	if (is_form(r)) {
		fresh_form(&r->fresh, r->source, e->body, e->len, now_s, keeps_ids, &r->sending.body);
	} else {
		fresh_plan(&r->fresh, r->source, e->body, e->len, now_s, keeps_ids);
		fresh_body(&r->fresh, r->source, e->body, e->len, &r->sending.body);
	}
	if (!keeps_ids)
		add_request_ids(r);
	set_headers(r);
	if (set_target(r) && buf_ok(&r->sending.body))
		return true;
	fault_set(&f, FAULT_INPUT, "--url %s is too long, or there is no memory", r->url);
	return send_complain(r, &f);
}

/* ---- sending ---- */

static const char *send_header_of(void *ctx, const char *name)
{
	return sending_header(ctx, name);
}

static void print_event(struct run *r)
{
	static struct txn txns[EXAMPLE_TXNS_MAX];
	struct fault f;
	const struct places_request request = {
		.id = "(of the request)", .target = r->sending.target, .header = send_header_of, .ctx = &r->sending};
	int count = example_read(r->source, &r->settings->extra_currencies, &request, r->sending.body.data,
		r->sending.body.len, txns, &f);
	for (int i = 0; i < count; i++) {
		const struct txn *t = &txns[i];
		const char *kind = txn_kind_word(t->kind);
		printf("event      %s%s%s%s%s%s%s%s%s\n", t->transaction_id, kind ? ", " : "", kind ? kind : "",
			*t->amount.digits ? ", " : "", t->amount.digits, *t->currency ? " " : "", t->currency,
			*t->payment_id ? ", payment " : "", t->payment_id);
	}
}

static void print_answer(const struct post_answer *a)
{
	char line[1024];
	printf("answer     %d after %d ms", a->status, a->ms);
	if (*a->request_id)
		printf(", request id %s", a->request_id);
	printf("\n");
	if (a->body.len > 0)
		printf("           %s\n", utf8_printable(line, sizeof line, a->body.data));
}

/* A conflict is answered as CONFLICT_POLICY and the source's own answer say. */
static bool is_expected(enum variant variant, bool is_second, int status)
{
	if (variant == BAD_SIGNATURE || variant == OLD)
		return status == 401;
	return (status >= 200 && status < 300) || (variant == CONFLICT && is_second && status == 409);
}

/* Signs the request as it is now, sends it and shows the answer.  The exit status. */
static int send_once(struct run *r, bool is_second)
{
	static char lines[SENDING_HEADERS_MAX][LINE_BYTES];
	struct post post = {.url = r->target};
	struct post_answer answer;
	struct fault f;
	int64_t time_s = (int64_t)time(NULL) - (r->variant == OLD ? r->source->signer.tolerance_s + OLD_S : 0);
	const struct sign_secrets secrets = {r->secret, r->basic};
	if (!sign_request(&r->sending, r->source, &secrets, time_s, r->variant == BAD_SIGNATURE, &f)) {
		send_complain(r, &f);
		return 2;
	}
	for (; post.count < r->sending.count; post.count++) {
		const struct sending_header *h = &r->sending.header[post.count];
		snprintf(lines[post.count], LINE_BYTES, "%s: %s", h->name, h->value);
		post.line[post.count] = lines[post.count];
	}
	post.body = r->sending.body.data;
	post.len = r->sending.body.len;
	print_event(r);
	if (!post_send(&post, &answer, &f)) {
		fprintf(stderr, CTL_PROGRAM ": there is no answer from %s: %s\n", r->target, f.text);
		return 1;
	}
	print_answer(&answer);
	int status = is_expected(r->variant, is_second, answer.status) ? 0 : 1;
	post_answer_finish(&answer);
	return status;
}

/* The second request of --conflict has another amount. */
static bool change_amount(struct run *r)
{
	struct buf changed = BUF_INIT(PAYLOAD_MAX);
	struct fault f;
	const struct buf *body = &r->sending.body;
	bool is_found = is_form(r) ? fresh_form_amount(r->source, body->data, body->len, &changed)
				   : fresh_amount(r->source, body->data, body->len, &changed);
	if (is_found && buf_ok(&changed)) {
		buf_finish(&r->sending.body);
		r->sending.body = changed;
		return true;
	}
	buf_finish(&changed);
	fault_set(&f, FAULT_INPUT, "%s has no amount that could be another: choose a --kind with one", r->example.name);
	return send_complain(r, &f);
}

static int send_all(struct run *r)
{
	printf("example    %s\nto         %s\n", r->example.name, r->target);
	int status = send_once(r, false);
	if (status != 0 || (r->variant != DUPLICATE && r->variant != CONFLICT))
		return status;
	printf("again      %s\n", r->variant == DUPLICATE ? "the same" : "with another amount");
	return r->variant == CONFLICT && !change_amount(r) ? 2 : send_once(r, true);
}

int send_run(int argc, char **argv)
{
	static struct settings settings;
	static struct run r = {.url = "http://localhost", .folder = EXAMPLES_FOLDER};
	if (!send_arguments(&r, argc, argv) || !settings_read(&settings, ctl_complain))
		return 2;
	r.settings = &settings;
	int status = send_find_source(&r) && send_prepare(&r) ? send_all(&r) : 2;
	explicit_bzero(r.secret, sizeof r.secret);
	explicit_bzero(r.basic, sizeof r.basic);
	buf_finish(&r.sending.body);
	example_finish(&r.example);
	sources_finish(&r.sources);
	return status;
}
