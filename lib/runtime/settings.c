/* settings.c - the settings of the C programs, read from the environment.
 *
 * Each setting is a row of a table, which settings_table.py generates from settings.table during the build.  The
 * kind of a setting alone decides how it is read and printed.  After the rows, the rules that concern several
 * settings are checked.
 *
 * All problems are reported before settings_read() returns false, so an operator corrects them in one pass; the
 * caller's settings are written only if there is none.  The value of a secret never appears in a complaint.
 * Settings that no C program reads are not here: the shell checks those. */

#include "runtime/settings.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "http/host.h"
#include "http/network.h"
#include "http/url.h"

#define SLOTS_HTTP 256 /* concurrent calls: each needs a connection, and a processor is expected to bear that many */
#define SLOTS_SIMULATED 100000
#define KEEP_LEAST_DAYS 31 /* a provider may resend a webhook for 30 days, and it must find its transaction */
#define HEADER_NAME_MAX 64 /* bytes of a header's name */
#define PATH_SHOWN_MAX 120 /* bytes of a path in a complaint, so that the reason behind it is not cut off */

/* FILED and SECRET may also be read from a file; a secret has no default. */
enum kind { TEXT, FILED, SECRET, URL, NUMBER, CHOICE };

struct setting {
	const char *name;
	enum kind kind;
	size_t offset;       /* in struct settings, of a char[SETTINGS_TEXT_MAX] or an int */
	const char *initial; /* the default, in the form of a value */
	int least, most;     /* NUMBER: the range, both included */
	const char *choices; /* CHOICE: the words, separated by a space, in the order of the enum */
	const char *meaning; /* a sentence */
};

#define AT(member) offsetof(struct settings, member)

static const struct setting TABLE[] = {
#include "settings_table.h"
};

#undef AT

static char *text_of(struct settings *s, const struct setting *t)
{
	return (char *)s + t->offset;
}

static int *number_of(struct settings *s, const struct setting *t)
{
	return (int *)(void *)((char *)s + t->offset);
}

static bool settings_read_text(struct settings *s, const struct setting *t, const char *value, struct fault *f)
{
	size_t len = strlen(value);
	if (len >= SETTINGS_TEXT_MAX)
		return fault_set(f, FAULT_INPUT, "%s is longer than %d bytes", t->name, SETTINGS_TEXT_MAX - 1);
	memcpy(text_of(s, t), value, len + 1);
	return true;
}

static bool read_url(struct settings *s, const struct setting *t, const char *value, struct fault *f)
{
	struct fault why;
	if (!settings_read_text(s, t, value, f))
		return false;
	return !*value || url_check(value, &why) || fault_set(f, FAULT_INPUT, "%s: %s", t->name, why.text);
}

/* Decimal digits only: strtol() alone would also accept blanks and a sign. */
static bool read_number(struct settings *s, const struct setting *t, const char *value, struct fault *f)
{
	char *end, quoted[FAULT_QUOTE_MAX];
	errno = 0;
	long number = strtol(value, &end, 10);
	bool digits = value[0] >= '0' && value[0] <= '9' && *end == '\0';
	if (!digits || errno || number < t->least || number > t->most)
		return fault_set(f, FAULT_INPUT, "%s=%s: a whole number from %d to %d is wanted", t->name,
			fault_quote(value, strlen(value), quoted), t->least, t->most);
	*number_of(s, t) = (int)number;
	return true;
}

/* Finds the word with this number, from 0, in a list separated by spaces.  Returns its length; 0 past the end. */
static size_t choice_word(const char *choices, int number, const char **word)
{
	for (; number > 0 && *choices; number--) {
		choices += strcspn(choices, " ");
		choices += strspn(choices, " ");
	}
	*word = choices;
	return strcspn(choices, " ");
}

static bool read_choice(struct settings *s, const struct setting *t, const char *value, struct fault *f)
{
	const char *word;
	char quoted[FAULT_QUOTE_MAX];
	size_t len;
	for (int i = 0; (len = choice_word(t->choices, i, &word)) > 0; i++) {
		if (strlen(value) == len && memcmp(value, word, len) == 0) {
			*number_of(s, t) = i;
			return true;
		}
	}
	return fault_set(f, FAULT_INPUT, "%s=%s: one of these is wanted: %s", t->name,
		fault_quote(value, strlen(value), quoted), t->choices);
}

/* Reads a file of one line, without its LF or CR LF.  The file may hold a secret, so no fault quotes its content. */
static bool read_line(const char *name, const char *path, char ret[SETTINGS_TEXT_MAX], struct fault *f)
{
	char text[SETTINGS_TEXT_MAX + 2]; /* with CR LF, and a byte that shows a file to be too long */
	char where[64 + 1 + PATH_SHOWN_MAX + 1];
	struct fault why;
	FILE *file = fopen(path, "re");
	size_t len = file ? fread(text, 1, sizeof text, file) : 0;
	int error = !file || ferror(file) ? errno : 0;
	if (file)
		fclose(file);
	snprintf(where, sizeof where, "%s=%.*s", name, PATH_SHOWN_MAX, path);
	if (error)
		return fault_set(f, FAULT_INPUT, "%s: %s", where, strerror(error));
	if (!file_check_mark(text, len, &why))
		return fault_set(f, FAULT_INPUT, "%s: %s", where, why.text);
	if (len > 0 && len < sizeof text && text[len - 1] == '\n')
		len--;
	if (len > 0 && len < sizeof text && text[len - 1] == '\r')
		len--;
	if (len == 0)
		return fault_set(f, FAULT_INPUT, "%s: the file is empty", where);
	if (len >= SETTINGS_TEXT_MAX)
		return fault_set(f, FAULT_INPUT, "%s: the file has more than %d bytes", where, SETTINGS_TEXT_MAX - 1);
	if (memchr(text, '\n', len) || memchr(text, '\0', len))
		return fault_set(f, FAULT_INPUT, "%s: the file has more than one line", where);
	memcpy(ret, text, len);
	ret[len] = '\0';
	return true;
}

/* Reads a text from the variable NAME, with this value, or from the file that NAME_FILE names.  Both at once are an
 * error: neither choice would be safe. */
static bool settings_read_filed(struct settings *s, const struct setting *t, const char *given, struct fault *f)
{
	char name[64];
	snprintf(name, sizeof name, "%s_FILE", t->name);
	const char *path = getenv(name);
	if (!path || !*path)
		return settings_read_text(s, t, *given ? given : t->initial, f);
	if (*given)
		return fault_set(f, FAULT_INPUT, "%s and %s are both set: which?", t->name, name);
	return read_line(name, path, text_of(s, t), f);
}

static bool read_one(struct settings *s, const struct setting *t, struct fault *f)
{
	const char *given = getenv(t->name);
	if (!given)
		given = "";
	const char *value = *given ? given : t->initial;
	switch (t->kind) {
	case TEXT:
		return settings_read_text(s, t, value, f);
	case FILED:
	case SECRET:
		return settings_read_filed(s, t, given, f);
	case URL:
		return read_url(s, t, value, f);
	case NUMBER:
		return read_number(s, t, value, f);
	case CHOICE:
		return read_choice(s, t, value, f);
	}
	return false;
}

/* Adds keyword='value' to a connection string; quotes and backslashes in the value are escaped (PostgreSQL's manual,
 * "Keyword/Value Connection Strings"). */
static void add_key(struct buf *b, const char *key, const char *value)
{
	if (!*value)
		return;
	buf_add_format(b, "%s%s='", b->len > 0 ? " " : "", key);
	for (; *value; value++) {
		if (*value == '\'' || *value == '\\')
			buf_add(b, "\\", 1);
		buf_add(b, value, 1);
	}
	buf_add_text(b, "'");
}

/* DATABASE_URL takes precedence over POSTGRES_*.  If neither names a server, the result is empty, and the program
 * decides whether it needs a database. */
static bool choose_database(struct settings *s, struct fault *f)
{
	if (*s->database_url || !*s->postgres_host) {
		memcpy(s->database, s->database_url, sizeof s->database);
		return true;
	}
	struct buf b = BUF_INIT(SETTINGS_TEXT_MAX - 1);
	add_key(&b, "host", s->postgres_host);
	add_key(&b, "port", s->postgres_port);
	add_key(&b, "dbname", s->postgres_db);
	add_key(&b, "user", s->postgres_user);
	add_key(&b, "password", s->postgres_password);
	bool fits = buf_ok(&b);
	if (fits)
		memcpy(s->database, b.data, b.len + 1);
	buf_finish(&b);
	return fits ||
	       fault_set(f, FAULT_INPUT, "POSTGRES_*: together they are longer than %d bytes", SETTINGS_TEXT_MAX - 1);
}

static bool read_currencies(struct settings *s, struct fault *f)
{
	struct fault why;
	return currency_read_extras(s->extra_currencies_text, &s->extra_currencies, &why) ||
	       fault_set(f, FAULT_INPUT, "EXTRA_CURRENCIES: %s", why.text);
}

/* WORKER_SLOTS=0 means the default of the chosen processor. */
static bool choose_slots(struct settings *s, struct fault *f)
{
	(void)f;
	if (s->worker_slots == 0)
		s->worker_slots = s->processor == PROCESSOR_IS_HTTP ? SLOTS_HTTP : SLOTS_SIMULATED;
	return true;
}

/* By default everybody may try payhook, until a transaction can have an effect.  The responders know the processor for
 * this reason alone. */
static bool choose_open_to(struct settings *s, struct fault *f)
{
	struct fault why;
	char *text = s->open_source_from;
	if (!*text)
		snprintf(text, SETTINGS_TEXT_MAX, "%s", s->processor == PROCESSOR_IS_HTTP ? "private" : "all");
	if (strcmp(text, "all") == 0)
		s->open_to = OPEN_TO_ALL;
	else if (strcmp(text, "private") == 0)
		s->open_to = OPEN_TO_PRIVATE;
	else if (networks_read(text, &s->open_networks, &why))
		s->open_to = OPEN_TO_NETWORKS;
	else
		return fault_set(f, FAULT_INPUT, "OPEN_SOURCE_FROM: neither all nor private, and %s", why.text);
	return true;
}

static bool check_keeping(struct settings *s, struct fault *f)
{
	int days = s->transactions_keep_days;
	return days == 0 || days >= KEEP_LEAST_DAYS ||
	       fault_set(f, FAULT_INPUT,
		       "TRANSACTIONS_KEEP_DAYS=%d: 0 or from %d on is wanted, as webhooks are sent again for 30 days",
		       days, KEEP_LEAST_DAYS);
}

static bool check_body(struct settings *s, struct fault *f)
{
	return s->processor_body == PROCESSOR_BODY_CANONICAL || s->payloads_keep_days > 0 ||
	       fault_set(f, FAULT_INPUT,
		       "PROCESSOR_BODY=original: with PAYLOADS_KEEP_DAYS=0 no request is kept that could be sent");
}

static bool check_token(struct settings *s, struct fault *f)
{
	bool has_url = *s->processor_token_url, has_pair = *s->processor_client_id && *s->processor_client_secret;
	bool has_any = *s->processor_client_id || *s->processor_client_secret || *s->processor_token_scope;
	if (has_url ? has_pair : !has_any)
		return true;
	return fault_set(f, FAULT_INPUT,
		has_url ? "PROCESSOR_TOKEN_URL: PROCESSOR_CLIENT_ID and PROCESSOR_CLIENT_SECRET must be set too"
			: "PROCESSOR_CLIENT_ID, PROCESSOR_CLIENT_SECRET, PROCESSOR_TOKEN_SCOPE: PROCESSOR_TOKEN_URL must be set too");
}

static bool check_address(struct settings *s, struct fault *f)
{
	struct fault why;
	return network_address_check(s->worker_metrics_address, &why) ||
	       fault_set(f, FAULT_INPUT, "WORKER_METRICS_ADDRESS: %s", why.text);
}

static bool check_hosts(struct settings *s, struct fault *f)
{
	struct fault why;
	return host_list_check(s->allowed_hosts, &why) || fault_set(f, FAULT_INPUT, "ALLOWED_HOSTS: %s", why.text);
}

/* A header's name (RFC 9110, 5.1) of the letters that nginx passes on.  Headers that every request has, or that clients set, would
 * sign in anybody. */
static bool check_user_header(struct settings *s, struct fault *f)
{
	static const char *const OTHERS[] = {"host", "authorization", "x-forwarded-for", "user-agent", "content-type"};
	char *name = s->console_user_header;
	for (char *at = name; *at; at++)
		*at = (char)(*at >= 'A' && *at <= 'Z' ? *at - 'A' + 'a' : *at);
	bool good = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(name) &&
		    strlen(name) <= HEADER_NAME_MAX;
	for (size_t i = 0; i < COUNT_OF(OTHERS); i++)
		good = good && strcmp(name, OTHERS[i]) != 0;
	return good ||
	       fault_set(f, FAULT_INPUT,
		       "CONSOLE_USER_HEADER: the name of a header is wanted that only the proxy sets: letters, digits and hyphens, %d at most",
		       HEADER_NAME_MAX);
}

/* Rules over several settings, and rules that the kind of a setting does not cover.  They run even if a row was bad,
 * and may then report the same setting once more. */
static bool (*const WHOLE[])(struct settings *s, struct fault *f) = {choose_database, read_currencies, choose_slots,
	choose_open_to, check_keeping, check_body, check_token, check_address, check_hosts, check_user_header};

bool settings_read(struct settings *ret, void (*report)(const char *complaint))
{
	static struct settings s; /* some 20 KB, too large for the stack */
	struct fault f;
	bool good = true;
	memset(&s, 0, sizeof s);
	for (size_t i = 0; i < COUNT_OF(TABLE); i++) {
		if (read_one(&s, &TABLE[i], &f))
			continue;
		report(f.text);
		good = false;
	}
	for (size_t i = 0; i < COUNT_OF(WHOLE); i++) {
		if (WHOLE[i](&s, &f))
			continue;
		report(f.text);
		good = false;
	}
	if (good)
		*ret = s;
	return good;
}

bool settings_name_processor(const struct settings *s, void (*report)(const char *complaint))
{
	bool is_named = s->processor != PROCESSOR_IS_HTTP || *s->processor_url;
	if (!is_named)
		report("PROCESSOR_URL: PROCESSOR=http wants one");
	return is_named;
}

void settings_print(const struct settings *s, FILE *out)
{
	struct settings copy = *s;
	for (size_t i = 0; i < COUNT_OF(TABLE); i++) {
		const struct setting *t = &TABLE[i];
		const char *word;
		size_t len;
		switch (t->kind) {
		case TEXT:
		case FILED:
			fprintf(out, "%s=%s\n", t->name, text_of(&copy, t));
			break;
		case SECRET:
			fprintf(out, "%s=%s\n", t->name, *text_of(&copy, t) ? "(set)" : "");
			break;
		case URL:
			len = strcspn(text_of(&copy, t), "?");
			word = text_of(&copy, t)[len] ? "?(set)" : "";
			fprintf(out, "%s=%.*s%s\n", t->name, (int)len, text_of(&copy, t), word);
			break;
		case NUMBER:
			fprintf(out, "%s=%d\n", t->name, *number_of(&copy, t));
			break;
		case CHOICE:
			len = choice_word(t->choices, *number_of(&copy, t), &word);
			fprintf(out, "%s=%.*s\n", t->name, (int)len, word);
			break;
		}
	}
}

void settings_help(FILE *out)
{
	for (size_t i = 0; i < COUNT_OF(TABLE); i++) {
		const struct setting *t = &TABLE[i];
		fprintf(out, "  %s\n      %s\n", t->name, t->meaning);
		if (t->kind == NUMBER)
			fprintf(out, "      From %d to %d; ", t->least, t->most);
		else if (t->kind == CHOICE)
			fprintf(out, "      One of: %s; ", t->choices);
		else if (t->kind == FILED || t->kind == SECRET)
			fprintf(out, "      %s_FILE names a file that holds it instead; ", t->name);
		else
			fprintf(out, "      ");
		fprintf(out, "default: %s\n", *t->initial ? t->initial : "(none)");
	}
}
