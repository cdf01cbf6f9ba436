/* verify.c - explains why a captured request does or does not verify.
 *
 * The verification is source_verify(), the function that the responder calls, so the result is the responder's.  If
 * the signature does not verify, two more questions are answered the same way: whether the request would have
 * verified at its own signed time, and whether it verifies without the changes that editors make to a captured body.
 *
 * The report shows why a signature does not verify, but never the signature that would: it contains no secret and no
 * computed digest.  It does contain accounts and amounts of the request, for the operator's terminal; payhook never
 * logs them. */

#include "verify.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "auth/signature_header.h"
#include "base/clock.h"
#include "ctl.h"
#include "http/content_coding.h"
#include "http/content_type.h"
#include "http_message.h"
#include "runtime/settings.h"
#include "source/payload.h"
#include "source/sources_file.h"
#include "verify_body.h"

/* Bytes of the request.  A body up to twice PAYLOAD_MAX is read, so that it is reported as answered 413. */
#define INPUT_MAX (HTTP_HEAD_MAX + 2 * PAYLOAD_MAX)

#define REQUEST_ID_MAX 32 /* digits, as nginx writes them */

/* One run of the command. */
struct verifying {
	const struct settings *settings;
	struct sources sources;
	const struct source *source;
	int64_t now_s;               /* unix time at which the request is judged */
	bool is_dated;               /* now_s is the argument of --at, or the time at which the request was received */
	bool is_kept;                /* the request is one that "payload" has printed, and was verified when it came */
	struct http_message message; /* its body is replaced by what it decodes to, once it is decoded */
	bool is_coding_known;
	enum content_coding coding; /* of the body as it is now */
	struct signature_report report;
};

/* ---- arguments and input ---- */

/* Reads unix seconds, or RFC 3339 in UTC. */
static bool read_time(const char *text, int64_t *ret)
{
	struct fault f;
	return signature_read_time(text, strlen(text), ret, &f) || clock_read(text, ret);
}

static bool read_arguments(struct verifying *v, int argc, char **argv)
{
	v->now_s = (int64_t)time(NULL);
	v->is_dated = argc == 3;
	v->is_kept = argc == 2 && strcmp(argv[1], "--kept") == 0;
	if (argc != 1 && !v->is_kept && (argc != 3 || strcmp(argv[1], "--at") != 0)) {
		ctl_complain("usage: verify SOURCE [--at TIME | --kept] < request.http");
		return false;
	}
	if (v->is_dated && !read_time(argv[2], &v->now_s)) {
		fprintf(stderr, CTL_PROGRAM ": --at %s: no time as 2026-02-19T12:00:00Z or 1771502400 is one\n",
			argv[2]);
		return false;
	}
	return true;
}

static bool find_source(struct verifying *v, const char *name)
{
	if (!sources_load(v->settings->sources_file, &v->settings->extra_currencies, ctl_complain, &v->sources))
		return false;
	v->source = sources_find(&v->sources, name);
	if (v->source)
		return true;
	fprintf(stderr, CTL_PROGRAM ": no source is named %s, or it is closed; there are:", name);
	for (int i = 0; i < v->sources.count; i++) {
		if (v->sources.list[i].auth != SOURCE_AUTH_DISABLED)
			fprintf(stderr, " %s", v->sources.list[i].name);
	}
	fprintf(stderr, "\n");
	return false;
}

/* The tolerance of a kept request is reckoned from the time at which it was received. */
static bool date_kept(struct verifying *v, struct fault *f)
{
	const char *received = http_message_header(&v->message, "x-payhook-received-at");
	v->is_dated = received && clock_read(received, &v->now_s);
	return v->is_dated ||
	       fault_set(f, FAULT_INPUT, "it has no header X-Payhook-Received-At, as \"payload\" prints one");
}

/* Reads and parses standard input.  After --kept an empty one means that "payload" has reported why it printed nothing.
 * The buffer has one byte more than INPUT_MAX, so a full buffer means that the request is too long. */
static bool read_message(struct verifying *v)
{
	static char text[INPUT_MAX + 1];
	struct fault f;
	size_t len = 0;
	ssize_t got = 1;
	while (got > 0 && len < sizeof text) {
		got = read(STDIN_FILENO, text + len, sizeof text - len);
		if (got > 0)
			len += (size_t)got;
	}
	if (v->is_kept && got == 0 && len == 0)
		return false;
	if (got < 0)
		fault_set(&f, FAULT_INPUT, "it cannot be read: %s", strerror(errno));
	else if (len == sizeof text)
		fault_set(&f, FAULT_INPUT, "it is longer than %d bytes", INPUT_MAX);
	else if (http_message_read(text, len, &v->message, &f) && (!v->is_kept || date_kept(v, &f)))
		return true;
	fprintf(stderr, CTL_PROGRAM ": the request on standard input: %s\n", f.text);
	return false;
}

/* Decodes the body, as a responder does before it reads it. */
static bool decode_body(struct verifying *v, struct fault *f)
{
	static struct buf decoded = {.max = PAYLOAD_MAX};
	size_t most = (size_t)v->settings->body_limit;
	if (v->coding == CONTENT_CODING_NONE)
		return true;
	if (!content_coding_gunzip(v->message.body, v->message.len, most, &decoded, f))
		return false;
	v->message.body = decoded.data ? decoded.data : "";
	v->message.len = decoded.len;
	v->coding = CONTENT_CODING_NONE;
	return true;
}

/* Decodes the body first if that is what the provider signs.  False: it cannot be decoded. */
static bool read_coding(struct verifying *v, struct fault *f)
{
	v->is_coding_known = content_coding_read(http_message_header(&v->message, "content-encoding"), &v->coding);
	return !v->is_coding_known || !v->source->body.is_signed_decoded || decode_body(v, f);
}

/* ---- the signature ---- */

/* Notes a header that was asked for and comes several times, as far as the caller wants to know. */
static const char *asked_repeated;

static const char *verify_header_of(void *ctx, const char *name)
{
	if (http_message_repeats(ctx, name))
		asked_repeated = name;
	return http_message_header(ctx, name);
}

static bool verify_is_repeated(void *ctx, const char *name)
{
	return http_message_repeats(ctx, name);
}

/* As webhook.c verifies, but with a given time and body.  A kept request no longer has the password of HTTP Basic. */
static bool verify_judge(
	const struct verifying *v, int64_t now_s, const char *body, size_t len, struct signature_report *ret)
{
	struct http_message message = v->message;
	struct signature_request request = {verify_header_of, &message, body, len, message.target, verify_is_repeated};
	return v->is_kept ? source_verify_signature(v->source, &request, now_s, ret)
			  : source_verify(v->source, &request, now_s, ret);
}

/* Of several headers with one name nginx before 1.23 passes each, so that a responder reads the first, and later ones join
 * them with commas.  So a request that has several of one that is read has no one result, and is refused. */
static bool check_repeated(const struct verifying *v)
{
	static const char *const ALWAYS[] = {"content-type", "content-encoding", "content-length"};
	struct http_message message = v->message;
	struct places_request request = {"", verify_header_of, &message, message.target};
	struct signature_report report;
	const char *type = http_message_header(&message, "content-type");
	asked_repeated = NULL;
	for (size_t i = 0; i < COUNT_OF(ALWAYS); i++)
		(void)verify_header_of(&message, ALWAYS[i]);
	for (int i = 0; i < v->source->wanted.header_count; i++)
		(void)verify_header_of(&message, v->source->wanted.headers[i]);
	(void)!ping_is(&v->source->ping, &request, type ? type : "", message.body, message.len);
	if (v->source->auth == SOURCE_AUTH_SIGNATURE)
		(void)!verify_judge(v, v->now_s, message.body, message.len, &report);
	if (!asked_repeated)
		return true;
	fprintf(stderr,
		CTL_PROGRAM ": the request on standard input: it has the header %s several times, of which nginx before"
			    " 1.23 passes the first and later ones join all; leave the one that the provider sent\n",
		asked_repeated);
	return false;
}

/* Whether one of the source's secrets made the signature, even if its time is out of tolerance or the secret has
 * expired. */
static bool verify_is_signed(const struct signature_report *r)
{
	return r->secret >= 0;
}

/* The changes that editors make to a body, as bits: ENDED adds a newline at its end, CONVERTED turns each LF into
 * CR LF. */
enum { ENDED = 1, CONVERTED = 2, MISTAKES = 4 };

static const char *const MISTAKE_NAMES[MISTAKES] = {
	[ENDED] = "without the newline at the end of the body, where editors put one",
	[CONVERTED] = "with LF where the body has CR LF, into which some editors turn it",
	[ENDED | CONVERTED] = "with LF where the body has CR LF, and without the newline at its end: an editor's doing",
};

/* Copies the body to ret, without the bytes that these mistakes add.  Returns the length, at most that of the body. */
static size_t undo(const struct http_message *m, int mistakes, char *ret)
{
	size_t len = 0;
	for (size_t i = 0; i < m->len; i++) {
		bool is_pair = m->body[i] == '\r' && i + 1 < m->len && m->body[i + 1] == '\n';
		if (!is_pair || !(mistakes & CONVERTED))
			ret[len++] = m->body[i];
	}
	if (!(mistakes & ENDED) || len == 0 || ret[len - 1] != '\n')
		return len;
	len--;
	return len > 0 && ret[len - 1] == '\r' ? len - 1 : len;
}

/* Finds the mistake without which the signature is valid, apart from its time; NULL: none.  A combination that
 * changes nothing in this body is not tried, since its result is known. */
static const char *find_mistake(const struct verifying *v)
{
	static char undone[INPUT_MAX];
	struct signature_report report;
	for (int mistakes = ENDED; mistakes < MISTAKES; mistakes++) {
		size_t len = undo(&v->message, mistakes, undone);
		if (len != v->message.len &&
			(verify_judge(v, v->now_s, undone, len, &report) || verify_is_signed(&report)))
			return MISTAKE_NAMES[mistakes];
	}
	return NULL;
}

/* A secret is named by its position and by the JSON pointer to it in SOURCES_FILE, never by its value. */
static void print_secret(const struct verifying *v)
{
	int secret = v->report.secret, count = v->source->signer.count;
	if (secret < 0) {
		printf("secret     none of %d\n", count);
		return;
	}
	printf("secret     %d of %d (/sources/%d/secrets/%d)", secret + 1, count, (int)(v->source - v->sources.list),
		secret);
	int64_t end = v->source->signer.secrets[secret].not_after_s;
	char date[CLOCK_DATE_MAX];
	if (end != INT64_MAX)
		printf(", counts until %s", clock_date((time_t)end, date));
	printf("\n");
}

/* skew_s is positive for a request signed in the past. */
static void print_time(const struct verifying *v)
{
	char date[CLOCK_DATE_MAX];
	int64_t skew = v->report.skew_s;
	printf("judged at  %s%s\n", clock_date((time_t)v->now_s, date),
		v->is_kept     ? " (received)"
		: !v->is_dated ? " (now)"
			       : "");
	if (!signer_signs_time(&v->source->signer))
		printf("signed at  no time is signed\n");
	else if (verify_is_signed(&v->report))
		printf("signed at  %s, %" PRId64 " s %s; %d s are allowed\n",
			clock_date((time_t)(v->now_s - skew), date), skew < 0 ? -skew : skew,
			skew < 0 ? "later" : "before", v->source->signer.tolerance_s);
}

/* For a request that is too old or from the future: whether anything but the time is wrong with it. */
static void print_own_time(const struct verifying *v)
{
	enum signature_cause cause = v->report.cause;
	struct signature_report then;
	char date[CLOCK_DATE_MAX];
	int64_t own_s = v->now_s - v->report.skew_s;
	if (cause != SIGNATURE_OLD && cause != SIGNATURE_FUTURE)
		return;
	clock_date((time_t)own_s, date);
	if (verify_judge(v, own_s, v->message.body, v->message.len, &then))
		printf("           it would have verified at its own time: --at %s\n", date);
	else
		printf("           nor would it have verified at its own time, %s: %s\n", date, then.text);
}

/* For a kept request, which was verified when it came: what may have changed since. */
static void print_change(const struct verifying *v)
{
	if (v->report.cause == SIGNATURE_MISSING)
		printf("           no header is kept that is a credential itself: a request with one cannot be verified again\n");
	else if (!verify_is_signed(&v->report))
		printf("           it verified when it came; a secret that the source no longer has may have signed it\n");
}

/* Returns whether the signature is valid. */
static bool print_signature(struct verifying *v)
{
	const struct http_message *m = &v->message;
	bool good = verify_judge(v, v->now_s, m->body, m->len, &v->report);
	const char *mistake = good || v->is_kept || verify_is_signed(&v->report) ? NULL : find_mistake(v);
	print_secret(v);
	print_time(v);
	printf("signature  %s%s%s\n", signature_cause_name(v->report.cause), good ? "" : ": ", v->report.text);
	print_own_time(v);
	if (mistake)
		printf("           it is right %s\n", mistake);
	if (v->is_kept && v->source->signer.basic.key)
		printf("           the user and the password of HTTP Basic are not kept, and were right when it came\n");
	if (!good && v->is_kept)
		print_change(v);
	printf("verdict    %s\n", good         ? "it verifies"
				  : v->is_kept ? "it does not verify"
					       : "it does not verify, and is answered 401");
	return good;
}

/* ---- the body, and the answer ---- */

/* A captured request shows no id.  That of a kept one is among the headers that "payload" prints, as a UUID. */
static const char *request_id(const struct verifying *v)
{
	static char digits[REQUEST_ID_MAX + 1];
	struct http_message message = v->message;
	const char *id = v->is_kept ? http_message_header(&message, "x-request-id") : NULL;
	size_t len = 0;
	for (; id && *id && len < REQUEST_ID_MAX; id++) {
		if (*id != '-')
			digits[len++] = *id;
	}
	digits[len] = '\0';
	return len > 0 ? digits : "(the id of the request)";
}

/* Prints the answer to a request with a valid signature: the first check that fails decides it, in the responder's
 * order. */
static void print_body(struct verifying *v)
{
	struct fault f;
	struct http_message message = v->message;
	const struct places_request request = {request_id(v), verify_header_of, &message, message.target};
	const struct http_message *m = &v->message;
	const char *type = http_message_header(m, "content-type");
	if (!content_type_fits(type ? type : "", source_content_type(v->source), &f))
		printf("answer     415: %s\n", f.text);
	else if (!v->is_coding_known)
		printf("answer     415: its Content-Encoding is not taken; gzip is, and none\n");
	else if (m->len > (size_t)v->settings->body_limit)
		printf("answer     413: its body has more than %d bytes\n", v->settings->body_limit);
	else if (!decode_body(v, &f))
		verify_body_refuse(v->source, &f);
	else
		verify_body_print(
			&(struct verify_body){v->source, &v->settings->extra_currencies, &request, m->body, m->len});
}

/* ---- the report ---- */

static void print_request(const struct verifying *v)
{
	const struct http_message *m = &v->message;
	const char *length = http_message_header(m, "content-length");
	char expected[SOURCE_NAME_MAX + 32], quoted[FAULT_QUOTE_MAX];
	size_t path = strcspn(m->target, "?"); /* the query is left out, since it may contain a key */
	int64_t declared;
	struct fault f;
	snprintf(expected, sizeof expected, "/v1/webhooks/%s", v->source->name);
	printf("source     %s\n", v->source->name);
	if (v->source->auth == SOURCE_AUTH_SIGNATURE)
		printf("scheme     %s\n", scheme_name(v->source->signer.scheme));
	if (*v->source->signer.url)
		printf("url        %s\n", v->source->signer.url);
	printf("request    %s %s, %d headers, a body of %zu bytes\n", m->method, fault_quote(m->target, path, quoted),
		m->count, m->len);
	if (path != strlen(expected) || strncmp(m->target, expected, path) != 0)
		printf("           it was not sent to %s\n", expected);
	if (v->source->allow_count > 0 || v->source->client != SOURCE_ANY_CLIENT)
		printf("           the source wants an address or a client certificate, else 403: a captured request shows"
		       " neither\n");
	if (length && signature_read_time(length, strlen(length), &declared, &f) && declared != (int64_t)m->len)
		printf("           its Content-Length says %" PRId64 " bytes: this is not the body as it was sent\n",
			declared);
}

/* Whether the request is a ping of the source, which is answered before anything of it is verified. */
static bool print_ping(const struct verifying *v)
{
	struct http_message message = v->message;
	struct places_request request = {"", verify_header_of, &message, message.target};
	const char *type = http_message_header(&message, "content-type");
	int own = v->source->answer.status;
	if (v->message.len > (size_t)v->settings->body_limit ||
		!ping_is(&v->source->ping, &request, type ? type : "", v->message.body, v->message.len))
		return false;
	printf("verdict    it is a ping: nothing of it is verified, and nothing is stored\n");
	printf("answer     %d\n", own ? own : 200);
	return true;
}

/* As webhook.c answers it: what decodes to too much is not verified at all. */
static int print_undecoded(const struct fault *f)
{
	printf("content    cannot be decoded: %s\n", f->text);
	printf("verdict    it does not verify, and is answered %d\n", f->kind == FAULT_TOO_LARGE ? 413 : 401);
	return 1;
}

/* If only the time is wrong, the body is shown too: as it would have been read in time. */
static int print_all(struct verifying *v)
{
	struct fault f;
	bool good = true;
	print_request(v);
	if (print_ping(v))
		return 0;
	if (!read_coding(v, &f))
		return print_undecoded(&f);
	if (v->source->auth == SOURCE_AUTH_SIGNATURE)
		good = print_signature(v);
	else
		printf("verdict    the source is open: whoever reaches the port may send, and nothing is verified\n");
	if (!good && verify_is_signed(&v->report))
		printf("in time    it would have been read so:\n");
	if (good || verify_is_signed(&v->report))
		print_body(v);
	return good ? 0 : 1;
}

int verify_run(int argc, char **argv)
{
	static struct verifying v;
	static struct settings settings;
	if (!settings_read(&settings, ctl_complain))
		return 2;
	v.settings = &settings;
	if (!read_arguments(&v, argc, argv) || !find_source(&v, argv[0]) || !read_message(&v) || !check_repeated(&v)) {
		sources_finish(&v.sources);
		return 2;
	}
	int status = print_all(&v);
	sources_finish(&v.sources);
	return status;
}
