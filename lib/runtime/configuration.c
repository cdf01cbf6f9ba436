/* configuration.c - reads and checks the settings and the files that they name, as a whole.
 *
 * A responder with half of its configuration would be worse than none: if an error in a file left a source without a
 * signature, anyone could submit webhooks.  Therefore the configuration is read completely or not at all, and every
 * error is reported, not only the first.
 *
 * The formats of the files belong to source/sources_read.h and auth/api_keys_read.h. */

#include "runtime/configuration.h"

#include <time.h>

#include "auth/api_keys_file.h"
#include "auth/signature_make.h"
#include "base/buf.h"
#include "source/identity.h"
#include "source/sources_file.h"

const char *configuration_scheme(const struct source *s)
{
	switch (s->auth) {
	case SOURCE_AUTH_SIGNATURE:
		return scheme_name(s->signer.scheme);
	case SOURCE_AUTH_NONE:
		return "none";
	case SOURCE_AUTH_DISABLED:
		return "closed";
	}
	return "";
}

/* Without a name libpq would use its defaults, and webhooks could be stored in a database that nobody chose. */
static bool configuration_names_database(const struct settings *s, void (*report)(const char *))
{
	if (!*s->database)
		report("DATABASE_URL is not set, nor POSTGRES_HOST: which PostgreSQL?");
	return *s->database;
}

/* An unset API_KEYS_FILE is no error: reads are then answered to private networks only. */
static bool read_keys(const struct settings *s, void (*report)(const char *), struct api_keys *ret)
{
	return !*s->api_keys_file || api_keys_load(s->api_keys_file, report, ret);
}

/* Anyone that reads a request with a token or a password can send others, so that one must not travel in clear: nginx has to
 * offer TLS itself, or a balancer before it that is known. */
static bool check_secret_sent(const struct settings *s, const struct source *source, void (*report)(const char *))
{
	struct fault f;
	if (source->auth != SOURCE_AUTH_SIGNATURE || !signer_sends_secret(&source->signer) || s->tls_port > 0 ||
		*s->real_ip_from)
		return true;
	fault_set(&f, FAULT_INPUT,
		"source %s: its token or password would travel without TLS; set TLS_PORT, or REAL_IP_FROM to the balancer that has TLS",
		source->name);
	report(f.text);
	return false;
}

/* A body with several items stands for several transactions, and the processor would get it once for each.  One that is not
 * signed is whatever its sender has written. */
static bool check_original(const struct source *source, void (*report)(const char *))
{
	struct fault f;
	bool is_signed = source->auth != SOURCE_AUTH_SIGNATURE || signer_signs_body(&source->signer);
	if (source->auth == SOURCE_AUTH_DISABLED || (is_signed && !source_has_items(source)))
		return true;
	fault_set(&f, FAULT_INPUT, "PROCESSOR_BODY=original: the source %s has %s", source->name,
		is_signed ? "items, so one of its bodies stands for several transactions"
			  : "no {body} in signed, so that anyone could write what the processor gets");
	report(f.text);
	return false;
}

static bool check_source(const struct settings *s, const struct source *source, void (*report)(const char *))
{
	struct fault f;
	bool good = true;
	if (s->require_signatures && source->auth == SOURCE_AUTH_NONE) {
		good = fault_set(&f, FAULT_INPUT,
			"REQUIRE_SIGNATURES=true: the source %s takes unsigned webhooks; SOURCES_FILE should give it a scheme, or close it",
			source->name);
		report(f.text);
	}
	if (s->processor_body == PROCESSOR_BODY_ORIGINAL)
		good = check_original(source, report) && good;
	return check_secret_sent(s, source, report) && good;
}

/* On failure the secrets that were loaded are wiped. */
static bool read_sources(const struct settings *s, void (*report)(const char *), struct sources *ret)
{
	if (!sources_load(s->sources_file, &s->extra_currencies, report, ret))
		return false;
	bool good = true;
	for (int i = 0; i < ret->count; i++)
		good = check_source(s, &ret->list[i], report) && good;
	if (!good)
		sources_finish(ret);
	return good;
}

/* Reads the files even if no database is named or the keys are bad, so that one run reports all errors. */
static bool read_files(struct configuration *c, void (*report)(const char *))
{
	bool good = configuration_names_database(&c->settings, report);
	good = read_keys(&c->settings, report, &c->keys) && good;
	if (!read_sources(&c->settings, report, &c->sources))
		return false;
	if (!good)
		sources_finish(&c->sources);
	return good;
}

bool configuration_read(struct configuration *ret, void (*report)(const char *complaint))
{
	return settings_read(&ret->settings, report) && read_files(ret, report);
}

void configuration_finish(struct configuration *c)
{
	sources_finish(&c->sources);
}

/* A warning is no error: payhook cannot know what a member of a payload means. */
static void print_warning(bool (*warns)(const struct source *s, struct buf *ret), const struct source *s, FILE *out)
{
	struct buf text = BUF_INIT(IDENTITY_TEXT_MAX);
	if (warns(s, &text) && buf_ok(&text))
		fprintf(out, "warning: %s\n", text.data);
	buf_finish(&text);
}

static void print_keys(const struct api_keys *keys, FILE *out)
{
	for (int i = 0; i < keys->count; i++) {
		fprintf(out, "key %s:", keys->list[i].name);
		for (int n = 0; n < API_SCOPES_MAX; n++) {
			if (keys->list[i].scopes & API_SCOPES[n])
				fprintf(out, " %s", api_scope_name(API_SCOPES[n]));
		}
		fprintf(out, "\n");
	}
}

/* Whether "payhook send" can send in the provider's name: with a public key, or after the not_after of all secrets, it cannot. */
static bool is_sendable(const struct source *s)
{
	struct fault f;
	return s->auth != SOURCE_AUTH_SIGNATURE || signer_sends_secret(&s->signer) ||
	       signature_can_be_made(&s->signer, (int64_t)time(NULL), &f);
}

bool configuration_check(FILE *out, void (*report)(const char *complaint))
{
	static struct configuration c;
	if (!settings_read(&c.settings, report))
		return false;
	settings_print(&c.settings, out);
	if (!read_files(&c, report))
		return false;
	for (int i = 0; i < c.sources.count; i++) {
		const struct source *s = &c.sources.list[i];
		fprintf(out, "source %s: %s, %d secrets%s\n", s->name, configuration_scheme(s), s->signer.count,
			is_sendable(s) ? "" : ", none to sign with");
		print_warning(identity_hides, s, out);
		print_warning(identity_repeats, s, out);
		print_warning(identity_is_chosen_unsigned, s, out);
	}
	print_keys(&c.keys, out);
	configuration_finish(&c);
	return true;
}
