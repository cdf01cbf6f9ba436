/* main.c - payhook-app, the responder: a FastCGI program of one thread that makes webhooks durable.
 *
 * A pool of responders shares one listening socket, which is the standard input of each.  main() sets up the parts in
 * an order that matters (settings, socket, log, FastCGI, signals), runs the event loop, and releases the parts when
 * it ends.
 *
 * A signal never loses a webhook: the responder stops accepting, answers the requests in progress, and ends.  If it
 * is killed instead, unanswered webhooks have no 202 and are sent again.  The database may be unreachable at start
 * and at any time: the responder then answers 503 and reconnects by itself. */

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/dumpable.h"
#include "counters.h"
#include "fastcgi/fastcgi.h"
#include "ingest/auth_failures.h"
#include "ingest/ingest.h"
#include "ingest/notifier.h"
#include "ingest/older_workers.h"
#include "ingest/payloads.h"
#include "ingest/transmissions.h"
#include "ingest/txn_reader.h"
#include "ingest/unreadable.h"
#include "pg/connection.h"
#include "runtime/configuration.h"
#include "runtime/descriptors.h"
#include "runtime/log.h"
#include "served.h"
#include "source/identity.h"
#include "source_counters.h"
#include "submission.h"
#include "transmission.h"

#define PROGRAM "payhook-app"
#define DESCRIPTORS (FASTCGI_SLOTS + 64) /* one for each slot, and some for PostgreSQL, the log and the event loop */

#define RELOAD_WAIT_S 3 /* that --check-reload waits for the database */

static const int SIGNALS[] = {SIGTERM, SIGINT, SIGUSR1, SIGUSR2};

/* The parts of the program. */
struct responder {
	struct configuration configuration;
	bool is_spare; /* --spare */
	struct event_base *base;
	struct connect_state connect_state;
	struct notifier *notifier;
	struct service service;
	struct fastcgi_plan plan;
	struct fastcgi *fastcgi;
	struct older_workers *older_workers; /* NULL: the question is answered, or no source needs it */
	struct event *signals[COUNT_OF(SIGNALS)];
	int exit_status;
	enum {
		DATABASE_UNKNOWN,
		DATABASE_UP,
		DATABASE_DOWN
	} database; /* the state logged last, so that a change is logged once */
};

/* ---- events of ingest and auth_failures ---- */

static void responder_on_up(void *ctx)
{
	struct responder *r = ctx;
	if (r->database != DATABASE_UP)
		LOG(LOG_LEVEL_INFO, "database connected",
			LOG_NUMBER("abandoned_connections", r->connect_state.abandoned));
	r->database = DATABASE_UP;
	if (!r->older_workers)
		fastcgi_open(r->fastcgi);
}

/* The server opens even if the database is unreachable, since requests are then answered 503 without delay.  It opens
 * only after the first attempt to connect, because otherwise every reload would answer 503 until the connection is
 * up. */
static void responder_on_down(void *ctx, const struct fault *why)
{
	struct responder *r = ctx;
	if (r->database != DATABASE_DOWN)
		LOG(LOG_LEVEL_ERROR, "database unreachable", LOG_TEXT("reason", why->text));
	r->database = DATABASE_DOWN;
	fastcgi_open(r->fastcgi);
}

/* A commit brought new jobs.  The notifier wakes the workers; if it fails, they find the jobs by themselves. */
static void responder_on_enqueued(void *ctx)
{
	struct responder *r = ctx;
	notifier_mark(r->notifier);
}

static void responder_on_parked(void *ctx, int64_t lane)
{
	struct responder *r = ctx;
	notifier_activate(r->notifier, lane);
}

static void responder_on_unkept(void *ctx, int transactions)
{
	struct responder *r = ctx;
	submission_unkept(&r->service, transactions);
}

static void responder_on_committed(void *ctx, int webhooks, int64_t us)
{
	struct responder *r = ctx;
	counters_commit(r->service.counters, webhooks, us);
}

/* What was not recorded as rows is counted at least. */
static void responder_on_unrecorded(void *ctx, int failures, int errors)
{
	struct responder *r = ctx;
	counters_unrecorded(r->service.counters, failures, errors);
}

static const struct ingest_events EVENTS = {.up = responder_on_up,
	.down = responder_on_down,
	.enqueued = responder_on_enqueued,
	.parked = responder_on_parked,
	.unkept = responder_on_unkept,
	.committed = responder_on_committed};

/* ---- ending ---- */

static void responder_on_drained(void *ctx)
{
	struct responder *r = ctx;
	event_base_loopbreak(r->base);
}

/* The second signal has no effect: a drain is bounded by REQUEST_WAIT_MS, so there is nothing to hasten. */
static void responder_on_signal(evutil_socket_t signal_number, short what, void *arg)
{
	(void)what;
	struct responder *r = arg;
	LOG(LOG_LEVEL_INFO, "responder drains", LOG_NUMBER("signal", signal_number));
	fastcgi_drain(r->fastcgi, responder_on_drained, r);
}

/* ---- workers of a version before ---- */

static const struct source *source_of_events(const struct sources *sources)
{
	for (int i = 0; i < sources->count; i++)
		if (source_has_events(&sources->list[i]))
			return &sources->list[i];
	return NULL;
}

/* Such a worker gives the jobs of events without an amount up, so the responder ends, and its supervisor tries again.
 * If the database was away at the start, requests may be in progress; they are answered. */
static void responder_on_older_workers(void *ctx, const struct older_worker *found, const struct fault *f)
{
	struct responder *r = ctx;
	const char *source = source_of_events(r->service.sources)->name;
	older_workers_destroy(r->older_workers);
	r->older_workers = NULL;
	if (!found && !f) {
		fastcgi_open(r->fastcgi);
		return;
	}
	if (found)
		LOG(LOG_LEVEL_ERROR, "responder cannot start: a worker is older than events of payments",
			LOG_TEXT("source", source), LOG_TEXT("host", found->host), LOG_TEXT("version", found->version),
			LOG_TEXT("todo", "replace this worker, or take the events out of the source"));
	else
		LOG(LOG_LEVEL_ERROR, "responder cannot start: are there older workers?", LOG_TEXT("source", source),
			LOG_TEXT("reason", f->text));
	r->exit_status = 1;
	fastcgi_drain(r->fastcgi, responder_on_drained, r);
}

static void responder_complain(const char *complaint)
{
	fprintf(stderr, PROGRAM ": %s\n", complaint);
}

/* ---- the check before a reload ---- */

struct reload_check {
	struct event_base *base;
	const struct source *source;
	bool is_refused;
};

static void reload_on_older_workers(void *ctx, const struct older_worker *found, const struct fault *f)
{
	struct reload_check *check = ctx;
	char host[FAULT_QUOTE_MAX], version[FAULT_QUOTE_MAX];
	(void)f;
	check->is_refused = found;
	if (found)
		fprintf(stderr,
			PROGRAM ": source %s: a worker is older than events of payments, on host %s, version %s;"
				" replace it first\n",
			check->source->name, fault_quote(found->host, strlen(found->host), host),
			fault_quote(found->version, strlen(found->version), version));
	event_base_loopbreak(check->base);
}

/* Whether new responders would start beside the workers that run.  A reload ends the old ones first, so without this
 * question none would be left.  What cannot be found out in time does not hold up a reload. */
static bool reload_is_possible(const struct configuration *c)
{
	const struct timeval limit = {.tv_sec = RELOAD_WAIT_S};
	struct reload_check check = {.source = source_of_events(&c->sources)};
	if (!check.source || !(check.base = event_base_new()))
		return true;
	struct connect_state connect_state = {.base = check.base, .conninfo = c->settings.database};
	struct older_workers *asked = older_workers_create(&connect_state, reload_on_older_workers, &check);
	if (asked && event_base_loopexit(check.base, &limit) == 0)
		event_base_dispatch(check.base);
	older_workers_destroy(asked);
	event_base_free(check.base);
	libevent_global_shutdown();
	return !check.is_refused;
}

/* ---- setting up ---- */

static void responder_help(void)
{
	printf("Usage: " PROGRAM " [--spare | --check | --check-reload | --version | --help]\n\n"
	       "Receives transaction webhooks over FastCGI and stores them durably in PostgreSQL.\n"
	       "Standard input must be a listening socket, as spawn-fcgi provides it.\n"
	       "SIGTERM, SIGINT, SIGUSR1 and SIGUSR2 make it answer the requests in progress and exit.\n\n"
	       "  --spare    leave new connections to another responder with this option and socket, while that one\n"
	       "             accepts them within 20 ms\n"
	       "  --check    print the effective settings, sources and API keys, or every error in them\n"
	       "             (exit status 2)\n"
	       "  --check-reload\n"
	       "             the same errors, and whether responders with these sources would start beside the\n"
	       "             workers that run (exit status 2)\n"
	       "  --version  print the version\n"
	       "  --help     print this text\n\n"
	       "Environment variables:\n");
	settings_help(stdout);
}

static void log_warning(
	bool (*warns)(const struct source *s, struct buf *ret), const struct source *s, const char *event)
{
	struct buf text = BUF_INIT(IDENTITY_TEXT_MAX);
	if (warns(s, &text) && buf_ok(&text))
		LOG(LOG_LEVEL_WARN, event, LOG_TEXT("source", s->name), LOG_TEXT("reason", text.data));
	buf_finish(&text);
}

/* Warns of each source that accepts unsigned webhooks, at every start, and from where it does if it is open. */
static void log_sources(const struct sources *all, const struct settings *settings)
{
	for (int i = 0; i < all->count; i++) {
		const struct source *s = &all->list[i];
		bool is_unsigned = s->auth == SOURCE_AUTH_NONE;
		LOG(is_unsigned ? LOG_LEVEL_WARN : LOG_LEVEL_INFO,
			is_unsigned ? "source accepts unsigned webhooks" : "source loaded", LOG_TEXT("source", s->name),
			LOG_TEXT("scheme", configuration_scheme(s)), LOG_NUMBER("secrets", s->signer.count),
			LOG_TEXT("open_source_from", source_is_open(s) ? settings->open_source_from : ""));
		log_warning(identity_hides, s, "events of a source may hide each other");
		log_warning(identity_repeats, s, "each request to a source is an event");
		log_warning(identity_is_chosen_unsigned, s, "what is not signed decides which events of a source pass");
	}
}

/* With fewer descriptors the responder works too: fastcgi.c closes idle connections when they run out. */
static void raise_descriptors(void)
{
	int limit = descriptors_raise(DESCRIPTORS);
	if (limit < DESCRIPTORS)
		LOG(LOG_LEVEL_WARN, "fewer descriptors than connections from nginx may need",
			LOG_NUMBER("limit", limit), LOG_NUMBER("wanted", DESCRIPTORS));
}

/* Fails early, with a reason, when the program is started by hand. */
static bool is_listening(int fd)
{
	int listening = 0;
	socklen_t len = sizeof listening;
	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) == 0 && listening;
}

/* Called after fastcgi_create(), because FCGX_Init() installs handlers of its own for SIGTERM, SIGUSR1 and SIGPIPE. */
static bool catch_signals(struct responder *r, struct fault *f)
{
	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < COUNT_OF(SIGNALS); i++) {
		r->signals[i] = evsignal_new(r->base, SIGNALS[i], responder_on_signal, r);
		if (!r->signals[i] || evsignal_add(r->signals[i], NULL) < 0)
			return fault_set(f, FAULT_BUSY, "the handler of signal %d: %s", SIGNALS[i], strerror(errno));
	}
	return true;
}

/* Metrics that cannot be shared do not prevent a start: webhooks matter more. */
static struct counters *open_counters(const struct settings *s)
{
	struct fault why;
	bool shared;
	struct counters *c = counters_create(s->metrics_folder, &shared, &why);
	if (c && !shared)
		LOG(LOG_LEVEL_WARN, "metrics are not shared and not served", LOG_TEXT("reason", why.text));
	return c;
}

/* Warnings may follow from every connection: one a second.  After an error libevent ends the program, so none is left
 * out. */
static void responder_on_libevent(int severity, const char *words)
{
	static struct log_pause pause;
	int64_t suppressed = 0;
	if (severity >= EVENT_LOG_ERR || log_pause_over(&pause, &suppressed))
		LOG(severity >= EVENT_LOG_ERR ? LOG_LEVEL_ERROR : LOG_LEVEL_WARN, "libevent reported a problem",
			LOG_TEXT("reason", words), LOG_NUMBER("more_since_last", suppressed));
}

static bool needs_transmissions(const struct sources *sources)
{
	for (int i = 0; i < sources->count; i++)
		if (transmission_is_needed(&sources->list[i]))
			return true;
	return false;
}

static bool keeps_ignored(const struct sources *sources, const struct settings *settings)
{
	for (int i = 0; i < sources->count; i++)
		if (sources->list[i].keep_ignored)
			return settings->payloads_keep_days > 0;
	return false;
}

static bool keeps_unreadable(const struct sources *sources)
{
	for (int i = 0; i < sources->count; i++)
		if (sources->list[i].keep_unreadable)
			return true;
	return false;
}

/* The parts that can fail only for lack of memory.  Each connects by itself later. */
static bool create_database_parts(struct responder *r, struct fault *f)
{
	r->notifier = notifier_create(&r->connect_state);
	r->service.ingest = ingest_create(&r->connect_state, &EVENTS, r);
	r->service.txn_reader = txn_reader_create(&r->connect_state);
	r->service.auth_failures = auth_failures_create(&r->connect_state, responder_on_unrecorded, r);
	bool needed = needs_transmissions(r->service.sources);
	bool has_events = source_of_events(r->service.sources);
	if (has_events)
		r->older_workers = older_workers_create(&r->connect_state, responder_on_older_workers, r);
	if (needed)
		r->service.transmissions = transmissions_create(&r->connect_state);
	bool keeps = keeps_ignored(r->service.sources, r->service.settings);
	if (keeps)
		r->service.payloads = payloads_create(&r->connect_state);
	bool unreadable = keeps_unreadable(r->service.sources);
	if (unreadable)
		r->service.unreadable = unreadable_create(&r->connect_state);
	return (r->notifier && r->service.ingest && r->service.txn_reader && r->service.auth_failures &&
		       (r->service.transmissions || !needed) && (r->older_workers || !has_events) &&
		       (r->service.payloads || !keeps) && (r->service.unreadable || !unreadable)) ||
	       fault_set(f, FAULT_BUSY, "the connections to the database: out of memory");
}

/* With a clock that is exact to less than a millisecond, since batches are gathered for so long. */
static struct event_base *exact_base(void)
{
	struct event_config *config = event_config_new();
	struct event_base *base = NULL;
	if (config && event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER) == 0)
		base = event_base_new_with_config(config);
	if (config)
		event_config_free(config);
	return base;
}

static bool responder_start(struct responder *r, struct fault *f)
{
	errno = 0;
	r->base = exact_base();
	if (!r->base)
		return fault_set(f, FAULT_BUSY, "the event loop: %s", strerror(errno ? errno : ENOMEM));
	r->connect_state = (struct connect_state){.base = r->base, .conninfo = r->configuration.settings.database};
	r->service.settings = &r->configuration.settings;
	r->service.sources = &r->configuration.sources;
	r->service.keys = *r->configuration.settings.api_keys_file ? &r->configuration.keys : NULL;
	r->service.counters = open_counters(&r->configuration.settings);
	r->service.source_counters =
		source_counters_create(r->configuration.settings.metrics_folder, &r->configuration.sources);
	if (!r->service.counters || !r->service.source_counters)
		return fault_set(f, FAULT_BUSY, "the counters: out of memory");
	r->plan = served_plan(&r->configuration.settings);
	r->plan.is_spare = r->is_spare;
	r->fastcgi = fastcgi_create(r->base, STDIN_FILENO, &r->plan, &r->service, f);
	return r->fastcgi && create_database_parts(r, f) && catch_signals(r, f);
}

static void responder_finish(struct responder *r)
{
	for (size_t i = 0; i < COUNT_OF(SIGNALS); i++) {
		if (r->signals[i])
			event_free(r->signals[i]);
	}
	fastcgi_destroy(r->fastcgi);
	older_workers_destroy(r->older_workers);
	auth_failures_destroy(r->service.auth_failures);
	unreadable_destroy(r->service.unreadable);
	payloads_destroy(r->service.payloads);
	transmissions_destroy(r->service.transmissions);
	txn_reader_destroy(r->service.txn_reader);
	ingest_destroy(r->service.ingest);
	notifier_destroy(r->notifier);
	counters_destroy(r->service.counters);
	source_counters_destroy(r->service.source_counters);
	if (r->base)
		event_base_free(r->base);
	configuration_finish(&r->configuration);
	libevent_global_shutdown();
}

static int check_reload(void)
{
	static struct configuration c;
	if (!configuration_read(&c, responder_complain))
		return 2;
	bool is_possible = reload_is_possible(&c);
	configuration_finish(&c);
	return is_possible ? 0 : 2;
}

/* Handles the options.  Returns the exit status, or -1 if the responder is to run. */
static int read_options(int argc, char **argv, bool *is_spare)
{
	if (argc < 2)
		return -1;
	if (argc == 2 && strcmp(argv[1], "--spare") == 0) {
		*is_spare = true;
		return -1;
	}
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
	if (argc == 2 && strcmp(argv[1], "--check-reload") == 0)
		return check_reload();
	fprintf(stderr, PROGRAM ": unknown option %s; see --help\n", argv[1]);
	return 2;
}

int main(int argc, char **argv)
{
	static struct responder r;
	dumpable_clear();
	int status = read_options(argc, argv, &r.is_spare);
	if (status >= 0)
		return status;
	if (!configuration_read(&r.configuration, responder_complain))
		return 2;
	if (!is_listening(STDIN_FILENO)) {
		responder_complain("standard input is not a listening socket: start it by spawn-fcgi");
		return 2;
	}
	log_open(PROGRAM, (enum log_level)r.configuration.settings.log_level);
	raise_descriptors();
	event_set_log_callback(responder_on_libevent);
	struct fault why;
	if (!responder_start(&r, &why)) {
		LOG(LOG_LEVEL_ERROR, "responder cannot start", LOG_TEXT("reason", why.text));
		responder_finish(&r);
		return 1;
	}
	LOG(LOG_LEVEL_INFO, "responder starts", LOG_TEXT("version", PAYHOOK_VERSION));
	log_sources(&r.configuration.sources, &r.configuration.settings);
	event_base_dispatch(r.base);
	LOG(LOG_LEVEL_INFO, "responder ends", LOG_NUMBER("abandoned_connections", r.connect_state.abandoned));
	responder_finish(&r);
	return r.exit_status;
}
