/* main.c - the responder: a FastCGI program of one thread that makes webhooks durable. */

#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "auth/api_keys_file.h"
#include "counts.h"
#include "gate.h"
#include "ingest/finder.h"
#include "ingest/intake.h"
#include "ingest/notifier.h"
#include "ingest/rejections.h"
#include "key.h"
#include "pg/lane.h"
#include "runtime/log.h"
#include "runtime/settings.h"
#include "source/sources_file.h"
#include "txn/currency.h"
#include "verify.h"

#define PROGRAM "payhook-app"
#define DESCRIPTORS (GATE_SLOTS + 64) /* a connection for each slot, and our own */

static const int SIGNALS[] = {SIGTERM, SIGINT, SIGUSR1, SIGUSR2};

/* The parts of the program. */
struct responder {
	struct settings settings;
	struct sources sources;
	struct api_keys keys;
	struct event_base *base;
	struct lanes lanes;
	struct notifier *notifier;
	struct service service;
	struct gate *gate;
	struct event *signals[COUNT_OF(SIGNALS)];
	enum { DATABASE_UNKNOWN, DATABASE_UP, DATABASE_DOWN } database; /* as logged last */
};

/* ---- the intake's news ---- */

static void on_up(void *ctx)
{
	struct responder *r = ctx;
	if (r->database != DATABASE_UP)
		LOG(LOG_LEVEL_INFO, "database is there", LOG_NUMBER("strays", r->lanes.strays));
	r->database = DATABASE_UP;
	gate_open(r->gate);
}

/* Requests that come while the database is away are answered 503, so the gate opens all the same; but not before the
 * first attempt, or a reload would answer 503 for its first moments. */
static void on_down(void *ctx, const struct fault *why)
{
	struct responder *r = ctx;
	if (r->database != DATABASE_DOWN)
		LOG(LOG_LEVEL_ERROR, "database is away", LOG_TEXT("reason", why->text));
	r->database = DATABASE_DOWN;
	gate_open(r->gate);
}

static void on_enqueued(void *ctx)
{
	struct responder *r = ctx;
	notifier_mark(r->notifier);
}

static void on_committed(void *ctx, int webhooks, int64_t us)
{
	struct responder *r = ctx;
	counts_commit(r->service.counts, webhooks, us);
}

static void on_unrecorded(void *ctx, int count)
{
	struct responder *r = ctx;
	counts_unrecorded(r->service.counts, count);
}

static const struct intake_events EVENTS = {
	.up = on_up, .down = on_down, .enqueued = on_enqueued, .committed = on_committed};

/* ---- ending ---- */

static void on_drained(void *ctx)
{
	struct responder *r = ctx;
	event_base_loopbreak(r->base);
}

static void on_signal(evutil_socket_t signal_number, short what, void *arg)
{
	(void)what;
	struct responder *r = arg;
	LOG(LOG_LEVEL_INFO, "responder drains", LOG_NUMBER("signal", signal_number));
	gate_drain(r->gate, on_drained, r);
}

/* ---- setting up ---- */

static void complain(const char *complaint)
{
	fprintf(stderr, PROGRAM ": %s\n", complaint);
}

static void help(void)
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
		complain("DATABASE_URL is not set, nor POSTGRES_HOST: which PostgreSQL?");
		return false;
	}
	return true;
}

static const char *scheme_of(const struct source *s)
{
	switch (s->door) {
	case SOURCE_SIGNED:
		return scheme_name(s->signer.scheme);
	case SOURCE_OPEN:
		return "none";
	case SOURCE_CLOSED:
		return "closed";
	}
	return "";
}

/* Whoever asks for signatures must not get a responder that takes unsigned webhooks. */
static bool sources_can_be_met(const struct settings *settings, struct sources *ret)
{
	struct fault f;
	if (!sources_load(settings->sources_file, &settings->extra_currencies, complain, ret))
		return false;
	bool good = true;
	for (int i = 0; i < ret->count; i++) {
		if (!settings->require_signatures || ret->list[i].door != SOURCE_OPEN)
			continue;
		good = fault_set(&f, FAULT_INPUT,
			"REQUIRE_SIGNATURES=true: the source %s takes unsigned webhooks; SOURCES_FILE should give it a scheme, or close it",
			ret->list[i].name);
		complain(f.text);
	}
	if (!good)
		sources_finish(ret);
	return good;
}

static bool keys_can_be_met(const struct settings *settings, struct api_keys *ret)
{
	return !*settings->api_keys_file || api_keys_load(settings->api_keys_file, complain, ret);
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
		bool is_open = s->door == SOURCE_OPEN;
		LOG(is_open ? LOG_LEVEL_WARN : LOG_LEVEL_INFO,
			is_open ? "source takes unsigned webhooks" : "source is there", LOG_TEXT("source", s->name),
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
		r->signals[i] = evsignal_new(r->base, SIGNALS[i], on_signal, r);
		if (!r->signals[i] || evsignal_add(r->signals[i], NULL) < 0)
			return false;
	}
	return true;
}

/* Without its counts a responder works all the same. */
static struct counts *open_counts(const struct settings *s)
{
	struct fault why;
	bool shared;
	struct counts *c = counts_create(s->metrics_folder, &shared, &why);
	if (c && !shared)
		LOG(LOG_LEVEL_WARN, "metrics are not shared, and not shown", LOG_TEXT("reason", why.text));
	return c;
}

static void on_libevent(int severity, const char *words)
{
	LOG(severity >= EVENT_LOG_ERR ? LOG_LEVEL_ERROR : LOG_LEVEL_WARN, "libevent complains",
		LOG_TEXT("reason", words));
}

static bool start(struct responder *r)
{
	r->base = event_base_new();
	if (!r->base)
		return false;
	r->lanes = (struct lanes){.base = r->base, .conninfo = r->settings.database};
	r->service.settings = &r->settings;
	r->service.sources = &r->sources;
	r->service.keys = *r->settings.api_keys_file ? &r->keys : NULL;
	r->service.counts = open_counts(&r->settings);
	if (!r->service.counts)
		return false;
	r->gate = gate_create(r->base, STDIN_FILENO, &r->service);
	r->notifier = notifier_create(&r->lanes);
	r->service.intake = intake_create(&r->lanes, &EVENTS, r);
	r->service.finder = finder_create(&r->lanes);
	r->service.rejections = rejections_create(&r->lanes, on_unrecorded, r);
	return r->gate && r->notifier && r->service.intake && r->service.finder && r->service.rejections &&
	       catch_signals(r);
}

static void finish(struct responder *r)
{
	for (size_t i = 0; i < COUNT_OF(SIGNALS); i++) {
		if (r->signals[i])
			event_free(r->signals[i]);
	}
	gate_destroy(r->gate);
	rejections_destroy(r->service.rejections);
	finder_destroy(r->service.finder);
	intake_destroy(r->service.intake);
	notifier_destroy(r->notifier);
	counts_destroy(r->service.counts);
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
		help();
		return 0;
	}
	if (argc > 1 && strcmp(argv[1], "--key") == 0)
		return key_run(argc - 2, argv + 2);
	if (!settings_read(&r.settings, complain))
		return 2;
	int status = read_options(argc, argv, &r.settings);
	if (status >= 0)
		return status;
	if (!settings_can_be_met(&r.settings) || !keys_can_be_met(&r.settings, &r.keys) ||
		!sources_can_be_met(&r.settings, &r.sources))
		return 2;
	if (!is_listening(STDIN_FILENO)) {
		complain("standard input is not a listening socket: start it by spawn-fcgi");
		return 2;
	}
	raise_descriptors();
	log_open(PROGRAM, (enum log_level)r.settings.log_level);
	event_set_log_callback(on_libevent);
	if (!start(&r)) {
		complain("cannot start: out of memory");
		finish(&r);
		return 1;
	}
	LOG(LOG_LEVEL_INFO, "responder starts", LOG_TEXT("version", PAYHOOK_VERSION));
	log_sources(&r.sources);
	event_base_dispatch(r.base);
	LOG(LOG_LEVEL_INFO, "responder ends", LOG_NUMBER("strays", r.lanes.strays));
	finish(&r);
	return 0;
}
