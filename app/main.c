/* main.c - the responder: a FastCGI program of one thread that makes webhooks durable. */

#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "counters.h"
#include "fastcgi.h"
#include "ingest/auth_failures.h"
#include "ingest/ingest.h"
#include "ingest/notifier.h"
#include "ingest/txn_reader.h"
#include "pg/connection.h"
#include "runtime/configuration.h"
#include "runtime/log.h"

#define PROGRAM "payhook-app"
#define DESCRIPTORS (FASTCGI_SLOTS + 64) /* a connection for each slot, and our own */

static const int SIGNALS[] = {SIGTERM, SIGINT, SIGUSR1, SIGUSR2};

/* The parts of the program. */
struct responder {
	struct configuration configuration;
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
	printf("Usage: " PROGRAM " [--check | --version | --help]\n\n"
	       "Receives transaction webhooks over FastCGI and makes them durable in PostgreSQL.\n"
	       "spawn-fcgi starts it, with the listening socket as its standard input.\n"
	       "On SIGTERM or SIGUSR2 it answers the requests in flight and ends.\n\n"
	       "  --check    print the settings, sources and keys in force, or what is wrong with them\n"
	       "             (exit status 2)\n"
	       "  --version  print the version\n"
	       "  --help     print this text\n\n"
	       "Settings, from the environment:\n");
	settings_help(stdout);
}

static void log_sources(const struct sources *all)
{
	for (int i = 0; i < all->count; i++) {
		const struct source *s = &all->list[i];
		bool is_open = s->auth == SOURCE_AUTH_NONE;
		LOG(is_open ? LOG_LEVEL_WARN : LOG_LEVEL_INFO,
			is_open ? "source accepts unsigned webhooks" : "source loaded", LOG_TEXT("source", s->name),
			LOG_TEXT("scheme", configuration_scheme(s)), LOG_NUMBER("secrets", s->signer.count));
	}
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
	r->connect_state = (struct connect_state){.base = r->base, .conninfo = r->configuration.settings.database};
	r->service.settings = &r->configuration.settings;
	r->service.sources = &r->configuration.sources;
	r->service.keys = *r->configuration.settings.api_keys_file ? &r->configuration.keys : NULL;
	r->service.counters = open_counters(&r->configuration.settings);
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
	configuration_finish(&r->configuration);
	libevent_global_shutdown();
}

/* Handles the options; -1: there is none, go on. */
static int read_options(int argc, char **argv)
{
	if (argc < 2)
		return -1;
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		printf(PROGRAM " " PAYHOOK_VERSION "\n");
		return 0;
	}
	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		responder_help();
		return 0;
	}
	if (argc == 2 && strcmp(argv[1], "--check") == 0)
		return configuration_check(stdout, responder_complain) ? 0 : 2;
	fprintf(stderr, PROGRAM ": unknown option %s; see --help\n", argv[1]);
	return 2;
}

int main(int argc, char **argv)
{
	static struct responder r;
	int status = read_options(argc, argv);
	if (status >= 0)
		return status;
	if (!configuration_read(&r.configuration, responder_complain))
		return 2;
	if (!is_listening(STDIN_FILENO)) {
		responder_complain("standard input is not a listening socket: start it by spawn-fcgi");
		return 2;
	}
	raise_descriptors();
	log_open(PROGRAM, (enum log_level)r.configuration.settings.log_level);
	event_set_log_callback(responder_on_libevent);
	if (!responder_start(&r)) {
		responder_complain("cannot start: out of memory");
		responder_finish(&r);
		return 1;
	}
	LOG(LOG_LEVEL_INFO, "responder starts", LOG_TEXT("version", PAYHOOK_VERSION));
	log_sources(&r.configuration.sources);
	event_base_dispatch(r.base);
	LOG(LOG_LEVEL_INFO, "responder ends", LOG_NUMBER("abandoned_connections", r.connect_state.abandoned));
	responder_finish(&r);
	return 0;
}
