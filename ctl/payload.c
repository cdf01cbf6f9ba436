/* payload.c - shows the request that brought a transaction, as it was received.
 *
 * It reads the tables with the right to read that payhook_operator has, and changes nothing.  The body is personal
 * data, and any sender chose its bytes: the command prints it on standard output alone, and nothing of it reaches a log
 * or a fault.  Its whole output is an HTTP message with payhook's own facts in headers before the kept ones. */

#include "payload.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ask.h"
#include "auth/kept_headers.h"
#include "base/encode.h"
#include "base/utf8.h"
#include "ctl.h"
#include "json/scan.h"
#include "json/value.h"
#include "runtime/settings.h"

#define SOURCES_SHOWN 8 /* of those that have a transaction with the id */
#define HEADER_NAME_MAX 256
#define HEADER_VALUE_MAX (32 * 1024) /* nginx takes a header of 8 KiB at most */

/* The transactions of this id, of all sources or of one, each with its request if that is kept.  Age: in whole days. */
static const struct statement PAYLOAD = {"payload",
	"SELECT t.source, t.payload_id IS NOT NULL,"
	"  to_regclass('payhook.payloads_' || to_char(t.created_at AT TIME ZONE 'UTC', 'YYYYMMDD')) IS NOT NULL,"
	"  floor(extract(epoch FROM now() - t.created_at) / 86400)::bigint,"
	"  to_char(p.received_at AT TIME ZONE 'UTC', " DB_TIME_FORMAT "),"
	"  translate(p.request_id::text, '-', ''), p.content_type, p.headers::text, encode(p.body, 'hex')"
	" FROM payhook.transactions t"
	" LEFT JOIN payhook.payloads p ON p.payload_id = t.payload_id AND p.received_at = t.payload_at"
	" WHERE t.transaction_id = $1::text AND coalesce(t.source = $2::text, true) ORDER BY t.source LIMIT 8"};
enum { SOURCE, WAS_KEPT, HAS_DAY, AGE, RECEIVED_AT, REQUEST_ID, CONTENT_TYPE, HEADERS, BODY };

enum part { PART_ALL, PART_HEADERS, PART_BODY };

/* One run of the command. */
struct showing {
	const char *id;
	const char *source; /* NULL: the only one that has the id */
	enum part part;
	bool escape;
	int keep_days; /* PAYLOADS_KEEP_DAYS */
	int status;
};

static bool payload_arguments(struct showing *s, int argc, char **argv)
{
	int parts = 0;
	s->id = argc > 0 && argv[0][0] ? argv[0] : NULL;
	for (int i = 1; i < argc; i++) {
		bool headers = strcmp(argv[i], "--headers") == 0, body = strcmp(argv[i], "--body") == 0;
		if (headers || body) {
			s->part = headers ? PART_HEADERS : PART_BODY;
			parts++;
		} else if (strcmp(argv[i], "--escape") == 0) {
			s->escape = true;
		} else if (strcmp(argv[i], "--source") == 0 && i + 1 < argc) {
			s->source = argv[++i];
		} else {
			parts = 2;
		}
	}
	return s->id && parts < 2;
}

/* ---- the message ---- */

/* Prints len bytes; with escape, in a form that controls no terminal and shows which byte it was.  lines: line feeds
 * are printed as they are. */
static void print_bytes(const char *bytes, size_t len, bool escape, bool lines)
{
	if (!escape) {
		(void)fwrite(bytes, 1, len, stdout);
		return;
	}
	for (size_t at = 0, length; at < len; at += length ? length : 1) {
		length = utf8_length(bytes + at, len - at);
		bool is_line = lines && bytes[at] == '\n';
		if (is_line || (length > 0 && !utf8_is_control(bytes + at, length)))
			(void)fwrite(bytes + at, 1, length, stdout);
		else
			for (size_t i = 0; i < (length ? length : 1); i++)
				printf("\\x%02x", (unsigned)(unsigned char)bytes[at + i]);
	}
}

/* A value is one line in any case: it was one when it came. */
static void print_header(const char *name, const char *value)
{
	print_bytes(name, strlen(name), true, false);
	printf(": ");
	print_bytes(value, strlen(value), true, false);
	printf("\r\n");
}

static void print_kept_headers(const char *object)
{
	static char value[HEADER_VALUE_MAX];
	char name[HEADER_NAME_MAX];
	struct json_value key, text;
	struct fault f;
	size_t len;
	if (!json_scan(object, strlen(object), &f) ||
		json_value_kind(json_value_of(object, strlen(object))) != JSON_IS_OBJECT)
		return;
	for (struct json_walk w = json_walk_into(json_value_of(object, strlen(object)));
		json_walk_next(&w, &key, &text);) {
		if (json_value_text(key, name, sizeof name, &len) && strcmp(name, KEPT_QUERY) != 0 &&
			json_value_text(text, value, sizeof value, &len))
			print_header(name, value);
	}
}

/* A kept value as a text; "" if there is none. */
static const char *kept_value(const char *object, const char *at)
{
	static char value[HEADER_VALUE_MAX];
	struct json_value v;
	struct fault f;
	size_t len;
	*value = '\0';
	if (!json_scan(object, strlen(object), &f) || !json_value_find(json_value_of(object, strlen(object)), at, &v) ||
		!json_value_text(v, value, sizeof value, &len))
		*value = '\0';
	return value;
}

/* payhook's own first, as "verify" takes the first of two headers with one name. */
static void print_head(const struct pg_result *r, size_t body_len)
{
	const char *headers = db_text(r, 0, HEADERS);
	printf("POST /v1/webhooks/%s%s HTTP/1.1\r\n", db_text(r, 0, SOURCE), kept_value(headers, "/" KEPT_QUERY));
	print_header("X-Payhook-Received-At", db_text(r, 0, RECEIVED_AT));
	/* A header X-Request-Id of the provider's is kept only if it is signed, and a second one would not verify. */
	if (!db_null(r, 0, REQUEST_ID) && !*kept_value(headers, "/x-request-id"))
		print_header("X-Request-Id", db_text(r, 0, REQUEST_ID));
	print_header("Content-Type", db_text(r, 0, CONTENT_TYPE));
	printf("Content-Length: %zu\r\n", body_len);
	print_kept_headers(db_text(r, 0, HEADERS));
}

/* Returns the exit status. */
static int print_message(const struct showing *s, const struct pg_result *r)
{
	const char *digits = db_text(r, 0, BODY);
	size_t len = strlen(digits) / 2;
	unsigned char *body = malloc(len + 1);
	if (!body || !encode_read(ENCODING_HEX, digits, 2 * len, body, len, &len)) {
		free(body);
		ctl_complain("there is no memory for the body");
		return 1;
	}
	if (s->part != PART_BODY)
		print_head(r, len);
	if (s->part == PART_ALL)
		printf("\r\n");
	if (s->part != PART_HEADERS)
		print_bytes((const char *)body, len, s->escape, true);
	if (s->part != PART_HEADERS && s->escape)
		printf("\n");
	free(body);
	if (fflush(stdout) == 0 && !ferror(stdout))
		return 0;
	ctl_complain("the request cannot be written to standard output");
	return 1;
}

/* ---- why there is none ---- */

static void complain_of_many(const struct showing *s, const struct pg_result *r)
{
	char shown[256];
	fprintf(stderr, CTL_PROGRAM ": several sources have a transaction %s; name one with --source:",
		utf8_printable(shown, sizeof shown, s->id));
	for (int row = 0; row < db_rows(r); row++)
		fprintf(stderr, " %s", utf8_printable(shown, sizeof shown, db_text(r, row, SOURCE)));
	fprintf(stderr, "%s\n", db_rows(r) == SOURCES_SHOWN ? " ..." : "");
}

static void complain_of_none(const struct showing *s)
{
	char shown[512], source[256] = "";
	if (s->source)
		utf8_printable(source, sizeof source, s->source);
	fprintf(stderr, CTL_PROGRAM ": there is no transaction %s%s%s\n", utf8_printable(shown, sizeof shown, s->id),
		s->source ? " of the source " : "", source);
}

/* A day has no partition if the workers made none, and before requests were kept.  An imported transaction has the time
 * that the old service had for it. */
static void complain_of_unkept(const struct showing *s, const struct pg_result *r)
{
	int64_t age = db_int8(r, 0, AGE);
	bool has_day = db_text(r, 0, HAS_DAY)[0] == 't', was_kept = db_text(r, 0, WAS_KEPT)[0] == 't';
	fprintf(stderr, CTL_PROGRAM ": its request is not kept");
	if (s->keep_days == 0)
		fprintf(stderr, ": PAYLOADS_KEEP_DAYS=0\n");
	else if (was_kept && has_day)
		fprintf(stderr, " any more: it was deleted, as \"payhook forget\" does\n");
	else if (was_kept || age > s->keep_days)
		fprintf(stderr, " any more: it is %" PRId64 " days old, and PAYLOADS_KEEP_DAYS=%d\n", age,
			s->keep_days);
	else if (!has_day)
		fprintf(stderr,
			": there is no partition for its day, as it was imported or came to a version that kept none,"
			" or no worker had run for a week\n");
	else
		fprintf(stderr,
			": it was imported, came to a version that kept none, or while PAYLOADS_KEEP_DAYS was 0\n");
}

static void payload_on_answer(void *ctx, const struct pg_result *r)
{
	struct showing *s = ctx;
	s->status = 1;
	if (db_rows(r) == 0)
		complain_of_none(s);
	else if (db_rows(r) > 1)
		complain_of_many(s, r);
	else if (db_null(r, 0, BODY))
		complain_of_unkept(s, r);
	else
		s->status = print_message(s, r);
}

int payload_run(int argc, char **argv)
{
	static struct settings settings;
	struct showing s = {.escape = isatty(STDOUT_FILENO) == 1};
	struct db_params params = {0};
	struct fault f;
	if (!payload_arguments(&s, argc, argv)) {
		ctl_complain("usage: payload ID [--source NAME] [--headers | --body] [--escape]");
		return 2;
	}
	if (!settings_read(&settings, ctl_complain))
		return 2;
	if (!*settings.database) {
		ctl_complain("DATABASE_URL is not set, nor POSTGRES_HOST: which PostgreSQL?");
		return 2;
	}
	s.keep_days = settings.payloads_keep_days;
	db_params_add_text(&params, s.id);
	db_params_add_text(&params, s.source);
	if (!ask_server(settings.database, &PAYLOAD, &params, payload_on_answer, &s, &f)) {
		char why[FAULT_TEXT_MAX];
		fprintf(stderr, CTL_PROGRAM ": the database cannot be asked: %s\n",
			utf8_printable(why, sizeof why, f.text));
		return 1;
	}
	return s.status;
}
