/* main.c - the responder: a FastCGI program of one thread that makes webhooks durable. */

#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "auth/api_keys_file.h"
#include "counters.h"
#include "fastcgi.h"
#include "ingest/auth_failures.h"
#include "ingest/ingest.h"
#include "ingest/notifier.h"
#include "ingest/txn_reader.h"
#include "key.h"
#include "pg/connection.h"
#include "runtime/log.h"
#include "runtime/settings.h"
#include "source/sources_file.h"
#include "txn/currency.h"
#include "verify.h"

#define PROGRAM "payhook-app"
#define DESCRIPTORS (FASTCGI_SLOTS + 64) /* a connection for each slot, and our own */

static const int SIGNALS[] = {SIGTERM, SIGINT, SIGUSR1, SIGUSR2};

/* The parts of the program. */
struct responder {
	struct settings settings;
	struct sources sources;
	struct api_keys keys;
	struct event_base *base;
	struct connect_state connect_state;
	struct notifier *notifier;
	struct service service;
	struct fastcgi *fastcgi;
	struct event *signals[COUNT_OF(SIGNALS)];
	enum { DATABASE_UNKNOWN, DATABASE_UP, DATABASE_DOWN } database; /* as logged last */
};

/* ---- the intake's news ---- */

static void responder_on_up(void *ctx)
{
	struct responder *r = ctx;
	if (r->database != DATABASE_UP)
		LOG(LOG_LEVEL_INFO, "database connected",
			LOG_NUMBER("abandoned_connections", r->connect_state.abandoned));
	r->database = DATABASE_UP;
	fastcgi_open(r->fastcgi);
}

/* Requests that come while the database is away are answered 503, so the gate opens all the same; but not before the
 * first attempt, or a reload would answer 503 for its first moments. */
static void responder_on_down(void *ctx, const struct fault *why)
{
	struct responder *r = ctx;
	if (r->database != DATABASE_DOWN)
		LOG(LOG_LEVEL_ERROR, "database unreachable", LOG_TEXT("reason", why->text));
	r->database = DATABASE_DOWN;
	fastcgi_open(r->fastcgi);
}

static void responder_on_enqueued(void *ctx)
{
	struct responder *r = ctx;
	notifier_mark(r->notifier);
}

static void responder_on_committed(void *ctx, int webhooks, int64_t us)
{
	struct responder *r = ctx;
	counters_commit(r->service.counters, webhooks, us);
}

static void responder_on_unrecorded(void *ctx, int count)
{
	struct responder *r = ctx;
	counters_unrecorded(r->service.counters, count);
}

static const struct ingest_events EVENTS = {.up = responder_on_up,
	.down = responder_on_down,
	.enqueued = responder_on_enqueued,
	.committed = responder_on_committed};

/* ---- ending ---- */

static void responder_on_drained(void *ctx)
{
	struct responder *r = ctx;
	event_base_loopbreak(r->base);
}

static void responder_on_signal(evutil_socket_t signal_number, short what, void *arg)
{
	(void)what;
	struct responder *r = arg;
	LOG(LOG_LEVEL_INFO, "responder drains", LOG_NUMBER("signal", signal_number));
	fastcgi_drain(r->fastcgi, responder_on_drained, r);
}

/* ---- setting up ---- */

static void responder_complain(const char *complaint)
{
	fprintf(stderr, PROGRAM ": %s\n", complaint);
}

static void responder_help(void)
{
	printf("Usage: " PROGRAM " [--check | --currencies | --verify SOURCE [--at TIME] | --key NAME SCOPE... |\n"
	       "                   --version | --help]\n\n"
	       "Receives transaction webhooks over FastCGI and makes them durable in PostgreSQL.\n"
	       "It is started by spawn-fcgi, with the listening socket as its standard input.\n"
	       "SIGTERM or SIGUSR2: it answers what is under way and ends.\n\n"
	       "  --check       prints the settings in force, or what is wrong with them (exit status 2)\n"
	       "  --currencies  prints the codes that a transaction may have, with their decimals\n"
	       "  --verify SOURCE [--at TIME]\n"
	       "                why the HTTP request on standard input does or does not verify, now or at a time\n"
	       "  --key NAME SCOPE...\n"
	       "                makes a key for who may read, and its entry for API_KEYS_FILE; scopes: read, operate\n"
	       "  --version     prints the version\n"
	       "  --help        prints this\n\n"
	       "Settings, from the environment:\n");
	settings_help(stdout);
}

static bool settings_can_be_met(const struct settings *settings)
{
	if (!*settings->database) {
		responder_complain("DATABASE_URL is not set, nor POSTGRES_HOST: which PostgreSQL?");
		return false;
	}
	return true;
}

static const char *scheme_of(const struct source *s)
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

/* Whoever asks for signatures must not get a responder that takes unsigned webhooks. */
static bool sources_can_be_met(const struct settings *settings, struct sources *ret)
{
	struct fault f;
	if (!sources_load(settings->sources_file, &settings->extra_currencies, responder_complain, ret))
		return false;
	bool good = true;
	for (int i = 0; i < ret->count; i++) {
		if (!settings->require_signatures || ret->list[i].auth != SOURCE_AUTH_NONE)
			continue;
		good = fault_set(&f, FAULT_INPUT,
			"REQUIRE_SIGNATURES=true: the source %s takes unsigned webhooks; SOURCES_FILE should give it a scheme, or close it",
			ret->list[i].name);
		responder_complain(f.text);
	}
	if (!good)
		sources_finish(ret);
	return good;
}

static bool keys_can_be_met(const struct settings *settings, struct api_keys *ret)
{
	return !*settings->api_keys_file || api_keys_load(settings->api_keys_file, responder_complain, ret);
}

static bool check(const struct settings *settings)
{
	static struct sources sources;
	static struct api_keys keys;
	settings_print(settings, stdout);
	bool good = settings_can_be_met(settings);
	good = keys_can_be_met(settings, &keys) && good;
	if (!sources_can_be_met(settings, &sources))
		return false;
	for (int i = 0; i < sources.count; i++) {
		const struct source *s = &sources.list[i];
		printf("source %s: %s, %d secrets\n", s->name, scheme_of(s), s->signer.count);
	}
	for (int i = 0; i < keys.count; i++)
		printf("key %s:%s%s\n", keys.list[i].name, keys.list[i].scopes & API_READ ? " read" : "",
			keys.list[i].scopes & API_OPERATE ? " operate" : "");
	sources_finish(&sources);
	return good;
}

static void log_sources(const struct sources *all)
{
	for (int i = 0; i < all->count; i++) {
		const struct source *s = &all->list[i];
		bool is_open = s->auth == SOURCE_AUTH_NONE;
		LOG(is_open ? LOG_LEVEL_WARN : LOG_LEVEL_INFO,
			is_open ? "source accepts unsigned webhooks" : "source loaded", LOG_TEXT("source", s->name),
			LOG_TEXT("scheme", scheme_of(s)), LOG_NUMBER("secrets", s->signer.count));
	}
}

/* For "payhook import", which judges by the same table. */
static void print_currencies(const struct currency_extras *extras)
{
	size_t count;
	const struct currency *iso = currency_all(&count);
	for (size_t i = 0; i < count; i++)
		printf("%s:%d\n", iso[i].code, iso[i].minor_unit);
	for (int i = 0; i < extras->count; i++)
		printf("%s:%d\n", extras->list[i].code, extras->list[i].minor_unit);
}

/* Answers the options that end the program; -1: go on. */
static int read_options(int argc, char **argv, const struct settings *settings)
{
	if (argc < 2)
		return -1;
	if (argc == 2 && strcmp(argv[1], "--check") == 0) {
		return check(settings) ? 0 : 2;
	}
	if (argc == 2 && strcmp(argv[1], "--currencies") == 0) {
		print_currencies(&settings->extra_currencies);
		return 0;
	}
	if (strcmp(argv[1], "--verify") == 0)
		return verify_run(settings, argc - 2, argv + 2);
	fprintf(stderr, PROGRAM ": unknown option %s; see --help\n", argv[1]);
	return 2;
}

static void raise_descriptors(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= DESCRIPTORS)
		return;
	limit.rlim_cur = limit.rlim_max < DESCRIPTORS ? limit.rlim_max : DESCRIPTORS;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static bool is_listening(int fd)
{
	int listening = 0;
	socklen_t len = sizeof listening;
	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) == 0 && listening;
}

/* After the gate, since libfcgi installs handlers of its own for some of these. */
static bool catch_signals(struct responder *r)
{
	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < COUNT_OF(SIGNALS); i++) {
		r->signals[i] = evsignal_new(r->base, SIGNALS[i], responder_on_signal, r);
		if (!r->signals[i] || evsignal_add(r->signals[i], NULL) < 0)
			return false;
	}
	return true;
}

/* Without its counts a responder works all the same. */
static struct counters *open_counters(const struct settings *s)
{
	struct fault why;
	bool shared;
	struct counters *c = counters_create(s->metrics_folder, &shared, &why);
	if (c && !shared)
		LOG(LOG_LEVEL_WARN, "metrics are not shared and not served", LOG_TEXT("reason", why.text));
	return c;
}

static void responder_on_libevent(int severity, const char *words)
{
	LOG(severity >= EVENT_LOG_ERR ? LOG_LEVEL_ERROR : LOG_LEVEL_WARN, "libevent reported a problem",
		LOG_TEXT("reason", words));
}

static bool responder_start(struct responder *r)
{
	r->base = event_base_new();
	if (!r->base)
		return false;
	r->connect_state = (struct connect_state){.base = r->base, .conninfo = r->settings.database};
	r->service.settings = &r->settings;
	r->service.sources = &r->sources;
	r->service.keys = *r->settings.api_keys_file ? &r->keys : NULL;
	r->service.counters = open_counters(&r->settings);
	if (!r->service.counters)
		return false;
	r->fastcgi = fastcgi_create(r->base, STDIN_FILENO, &r->service);
	r->notifier = notifier_create(&r->connect_state);
	r->service.ingest = ingest_create(&r->connect_state, &EVENTS, r);
	r->service.txn_reader = txn_reader_create(&r->connect_state);
	r->service.auth_failures = auth_failures_create(&r->connect_state, responder_on_unrecorded, r);
	return r->fastcgi && r->notifier && r->service.ingest && r->service.txn_reader && r->service.auth_failures &&
	       catch_signals(r);
}

static void responder_finish(struct responder *r)
{
	for (size_t i = 0; i < COUNT_OF(SIGNALS); i++) {
		if (r->signals[i])
			event_free(r->signals[i]);
	}
	fastcgi_destroy(r->fastcgi);
	auth_failures_destroy(r->service.auth_failures);
	txn_reader_destroy(r->service.txn_reader);
	ingest_destroy(r->service.ingest);
	notifier_destroy(r->notifier);
	counters_destroy(r->service.counters);
	if (r->base)
		event_base_free(r->base);
	sources_finish(&r->sources);
	libevent_global_shutdown();
}

int main(int argc, char **argv)
{
	static struct responder r;
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		printf(PROGRAM " " PAYHOOK_VERSION "\n");
		return 0;
	}
	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		responder_help();
		return 0;
	}
	if (argc > 1 && strcmp(argv[1], "--key") == 0)
		return key_run(argc - 2, argv + 2);
	if (!settings_read(&r.settings, responder_complain))
		return 2;
	int status = read_options(argc, argv, &r.settings);
	if (status >= 0)
		return status;
	if (!settings_can_be_met(&r.settings) || !keys_can_be_met(&r.settings, &r.keys) ||
		!sources_can_be_met(&r.settings, &r.sources))
		return 2;
	if (!is_listening(STDIN_FILENO)) {
		responder_complain("standard input is not a listening socket: start it by spawn-fcgi");
		return 2;
	}
	raise_descriptors();
	log_open(PROGRAM, (enum log_level)r.settings.log_level);
	event_set_log_callback(responder_on_libevent);
	if (!responder_start(&r)) {
		responder_complain("cannot start: out of memory");
		responder_finish(&r);
		return 1;
	}
	LOG(LOG_LEVEL_INFO, "responder starts", LOG_TEXT("version", PAYHOOK_VERSION));
	log_sources(&r.sources);
	event_base_dispatch(r.base);
	LOG(LOG_LEVEL_INFO, "responder ends", LOG_NUMBER("abandoned_connections", r.connect_state.abandoned));
	responder_finish(&r);
	return 0;
}
