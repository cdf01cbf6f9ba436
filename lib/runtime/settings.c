/* settings.c - the one table of what an operator can set. */

#include "runtime/settings.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "http/network.h"
#include "http/url.h"

#define SLOTS_HTTP 256 /* calls under way: a connection each, and what a processor may be expected to bear */
#define SLOTS_SIMULATED 100000
#define KEEP_LEAST_DAYS 31 /* a webhook that comes again must find its transaction */
#define PATH_SHOWN_MAX 120 /* bytes of a path in a complaint, whose reason stands behind it */

/* A secret, of which there is no default, may also stand in a file. */
enum kind { TEXT, SECRET, URL, NUMBER, CHOICE };

struct setting {
	const char *name;
	enum kind kind;
	size_t offset;       /* of a char[SETTINGS_TEXT_MAX] or an int in struct settings */
	const char *initial; /* its default, as one would write it */
	int least, most;     /* of a number */
	const char *choices; /* of a choice, by a space, in the order of its enum */
	const char *purpose;
};

#define AT(member) offsetof(struct settings, member)

static const struct setting TABLE[] = {
	{"DATABASE_URL", SECRET, AT(database_url), "", 0, 0, NULL,
		"libpq connection string or URI of an existing PostgreSQL; unset: POSTGRES_*, or a private server"},
	{"POSTGRES_HOST", TEXT, AT(postgres_host), "", 0, 0, NULL,
		"an existing server's host, where DATABASE_URL is unset"},
	{"POSTGRES_PORT", TEXT, AT(postgres_port), "5432", 0, 0, NULL, "its port"},
	{"POSTGRES_DB", TEXT, AT(postgres_db), "payhook", 0, 0, NULL, "its database"},
	{"POSTGRES_USER", TEXT, AT(postgres_user), "payhook", 0, 0, NULL, "the user there"},
	{"POSTGRES_PASSWORD", SECRET, AT(postgres_password), "", 0, 0, NULL, "that user's password"},
	{"PAYHOOK_PORT", NUMBER, AT(port), "0", 0, 65535, NULL, "TCP port of nginx; 0: 80 as root, else 8080"},
	{"TLS_PORT", NUMBER, AT(tls_port), "0", 0, 65535, NULL, "TCP port of nginx for TLS and HTTP/2; 0: none"},
	{"TLS_CERTIFICATE", TEXT, AT(tls_certificate), "", 0, 0, NULL,
		"its certificate with its chain, a PEM file; unset: a self-signed one is made, for trying"},
	{"TLS_KEY", TEXT, AT(tls_key), "", 0, 0, NULL, "the key of that, a PEM file without a passphrase"},
	{"TLS_CLIENT_CA", TEXT, AT(tls_client_ca), "", 0, 0, NULL,
		"who signs the certificates of senders, for the sources that want one, a PEM file"},
	{"PAYHOOK_VAR", TEXT, AT(var), "./var", 0, 0, NULL, "folder of the private server's data and of the logs"},
	{"RESPONDERS", NUMBER, AT(responders), "0", 0, 64, NULL, "responder processes; 0: one for each core"},
	{"RATE_LIMIT", NUMBER, AT(rate_limit), "0", 0, 1000000, NULL,
		"requests a second from one address, answered 429 beyond; 0: no limit"},
	{"SOURCE_RATE_LIMIT", NUMBER, AT(source_rate_limit), "0", 0, 1000000, NULL,
		"webhooks a second of one source, answered 429 beyond; 0: no limit"},
	{"CONNECTION_LIMIT", NUMBER, AT(connection_limit), "0", 0, 1000000, NULL,
		"requests under way of one address, answered 429 beyond; 0: no limit"},
	{"REAL_IP_FROM", TEXT, AT(real_ip_from), "", 0, 0, NULL,
		"addresses and networks of balancers whose X-Forwarded-For tells the sender's address: 10.1.2.3,fd00::/8"},
	{"CONFLICT_POLICY", CHOICE, AT(conflict_policy), "quarantine", 0, 0, "quarantine reject",
		"another content under a known id is kept aside and answered 202 (quarantine) or 409 (reject)"},
	{"EXTRA_CURRENCIES", TEXT, AT(extra_currencies_text), "", 0, 0, NULL,
		"codes beside ISO 4217's with their minor units: USDT:6,BTC:8"},
	{"SOURCES_FILE", TEXT, AT(sources_file), "", 0, 0, NULL,
		"JSON file of the processors that send to us, and how they sign; unset: the built-in source, open"},
	{"REQUIRE_SIGNATURES", CHOICE, AT(require_signatures), "false", 0, 0, "false true",
		"true: no start while a source takes unsigned webhooks"},
	{"API_KEYS_FILE", TEXT, AT(api_keys_file), "", 0, 0, NULL,
		"JSON file of the keys of those who may read; unset: reads are for this host and private networks"},
	{"PROCESSOR", CHOICE, AT(processor), "simulated", 0, 0, "simulated http",
		"what processes a transaction: a delay, or a POST to PROCESSOR_URL"},
	{"PROCESSOR_DELAY_MS", NUMBER, AT(processor_delay_ms), "30000", 0, 86400000, NULL,
		"how long the simulated processor takes, in milliseconds"},
	{"PROCESSOR_URL", URL, AT(processor_url), "", 0, 0, NULL,
		"where the http processor is: http:// or https://, without user and password"},
	{"PROCESSOR_CONNECT_TIMEOUT_MS", NUMBER, AT(processor_connect_timeout_ms), "5000", 1, 600000, NULL,
		"how long the http processor may take to be connected to, its name's look-up and TLS included"},
	{"PROCESSOR_TIMEOUT_MS", NUMBER, AT(processor_timeout_ms), "30000", 1, 3600000, NULL,
		"how long a call of the http processor may take from its start to the end of the answer"},
	{"MAX_ATTEMPTS", NUMBER, AT(max_attempts), "12", 1, 1000, NULL,
		"calls that a transaction gets before it is FAILED"},
	{"CIRCUIT_FAILURES", NUMBER, AT(circuit_failures), "20", 0, 1000000, NULL,
		"failed calls in a row after which a worker only probes the processor; 0: never"},
	{"WORKER_SLOTS", NUMBER, AT(worker_slots), "0", 0, 1000000, NULL,
		"transactions in process in one worker at a time; 0: 256 with http, 100000 with simulated"},
	{"WORKER_GRACE_MS", NUMBER, AT(worker_grace_ms), "2000", 0, 600000, NULL,
		"how long an ending worker lets calls finish before it hands them back, in milliseconds"},
	{"ATTEMPTS_KEEP_DAYS", NUMBER, AT(attempts_keep_days), "30", 0, 36500, NULL,
		"how long the history of attempts is kept; 0: for ever"},
	{"TRANSACTIONS_KEEP_DAYS", NUMBER, AT(transactions_keep_days), "0", 0, 36500, NULL,
		"how long processed transactions are kept, 31 at least; 0: for ever"},
	{"METRICS_FOLDER", TEXT, AT(metrics_folder), "", 0, 0, NULL,
		"folder in memory in which the responders of a host share their counts; unset: no metrics of theirs"},
	{"METRICS_ALLOW", TEXT, AT(metrics_allow), "", 0, 0, NULL,
		"addresses and networks that may read /metrics beside this host's own: 10.1.2.3,fd00::/8"},
	{"WORKER_METRICS_ADDRESS", TEXT, AT(worker_metrics_address), "127.0.0.1", 0, 0, NULL,
		"the address at which a worker answers /metrics"},
	{"WORKER_METRICS_PORT", NUMBER, AT(worker_metrics_port), "9464", 0, 65535, NULL,
		"the port at which a worker answers /metrics; 0: none"},
	{"LOG_LEVEL", CHOICE, AT(log_level), "info", 0, 0, "error warn info debug", "what is worth a line in the logs"},
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

/* The word of that number in a list by spaces; its length, 0 past the end. */
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

/* The one line of a file, whose end is not part of it.  No value is quoted in a fault. */
static bool read_line(const char *name, const char *path, char ret[SETTINGS_TEXT_MAX], struct fault *f)
{
	char text[SETTINGS_TEXT_MAX + 2]; /* an end of line, and a byte too many */
	char where[64 + 1 + PATH_SHOWN_MAX + 1];
	FILE *file = fopen(path, "re");
	size_t len = file ? fread(text, 1, sizeof text, file) : 0;
	int error = !file || ferror(file) ? errno : 0;
	if (file)
		fclose(file);
	snprintf(where, sizeof where, "%s=%.*s", name, PATH_SHOWN_MAX, path);
	if (error)
		return fault_set(f, FAULT_INPUT, "%s: %s", where, strerror(error));
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

/* A secret stands in the variable, or in the file that NAME_FILE names. */
static bool settings_read_secret(struct settings *s, const struct setting *t, const char *value, struct fault *f)
{
	char name[64];
	snprintf(name, sizeof name, "%s_FILE", t->name);
	const char *path = getenv(name);
	if (!path || !*path)
		return settings_read_text(s, t, value, f);
	if (*value)
		return fault_set(f, FAULT_INPUT, "%s and %s are both set: which?", t->name, name);
	return read_line(name, path, text_of(s, t), f);
}

static bool read_one(struct settings *s, const struct setting *t, struct fault *f)
{
	const char *value = getenv(t->name);
	if (!value || !*value)
		value = t->initial;
	switch (t->kind) {
	case TEXT:
		return settings_read_text(s, t, value, f);
	case SECRET:
		return settings_read_secret(s, t, value, f);
	case URL:
		return read_url(s, t, value, f);
	case NUMBER:
		return read_number(s, t, value, f);
	case CHOICE:
		return read_choice(s, t, value, f);
	}
	return false;
}

/* A key of a connection string, its value in quotes (PostgreSQL's manual, 34.1.1.1). */
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

static bool choose_processor(struct settings *s, struct fault *f)
{
	bool http = s->processor == PROCESSOR_IS_HTTP;
	if (s->worker_slots == 0)
		s->worker_slots = http ? SLOTS_HTTP : SLOTS_SIMULATED;
	return !http || *s->processor_url || fault_set(f, FAULT_INPUT, "PROCESSOR_URL: PROCESSOR=http wants one");
}

static bool check_keeping(struct settings *s, struct fault *f)
{
	int days = s->transactions_keep_days;
	return days == 0 || days >= KEEP_LEAST_DAYS ||
	       fault_set(f, FAULT_INPUT,
		       "TRANSACTIONS_KEEP_DAYS=%d: 0 or from %d on is wanted, as webhooks are sent again for 30 days",
		       days, KEEP_LEAST_DAYS);
}

static bool check_balancers(struct settings *s, struct fault *f)
{
	struct fault why;
	return network_list_check(s->real_ip_from, &why) || fault_set(f, FAULT_INPUT, "REAL_IP_FROM: %s", why.text);
}

static bool check_metrics(struct settings *s, struct fault *f)
{
	struct fault why;
	if (!network_list_check(s->metrics_allow, &why))
		return fault_set(f, FAULT_INPUT, "METRICS_ALLOW: %s", why.text);
	return network_address_check(s->worker_metrics_address, &why) ||
	       fault_set(f, FAULT_INPUT, "WORKER_METRICS_ADDRESS: %s", why.text);
}

/* What needs more than one setting, or more than its kind. */
static bool (*const WHOLE[])(struct settings *s, struct fault *f) = {
	choose_database, read_currencies, choose_processor, check_keeping, check_balancers, check_metrics};

bool settings_read(struct settings *ret, void (*report)(const char *complaint))
{
	static struct settings s;
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

void settings_print(const struct settings *s, FILE *out)
{
	struct settings copy = *s;
	for (size_t i = 0; i < COUNT_OF(TABLE); i++) {
		const struct setting *t = &TABLE[i];
		const char *word;
		size_t len;
		switch (t->kind) {
		case TEXT:
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
		fprintf(out, "  %s\n      %s.\n", t->name, t->purpose);
		if (t->kind == NUMBER)
			fprintf(out, "      From %d to %d; ", t->least, t->most);
		else if (t->kind == CHOICE)
			fprintf(out, "      One of: %s; ", t->choices);
		else if (t->kind == SECRET)
			fprintf(out, "      %s_FILE names a file that holds it instead; ", t->name);
		else
			fprintf(out, "      ");
		fprintf(out, "default: %s\n", *t->initial ? t->initial : "(none)");
	}
}
