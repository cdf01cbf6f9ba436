/* payhook-worker - the daemon that processes what was accepted.
 *
 * Settings, log, loop, signals, jobs: what comes later tells its failures through what came before. */

#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "exporter.h"
#include "runtime/log.h"
#include "runtime/sd_notify.h"
#include "runtime/settings.h"
#include "worker.h"

struct program {
	struct event_base *base;
	struct worker *worker;
	struct worker_metrics *worker_metrics;
	struct exporter *exporter;
	bool ending;
};

static void program_complain(const char *complaint)
{
	fprintf(stderr, "payhook-worker: %s\n", complaint);
}

static void program_help(void)
{
	puts("payhook-worker: processes the transactions that payhook has accepted.\n"
	     "\n"
	     "usage: payhook-worker [--check | --version | --help]\n"
	     "  --check    print the settings as they are in effect, and end\n"
	     "  --version  print the version, and end\n"
	     "\n"
	     "SIGTERM and SIGINT end it: what it holds is settled or handed back.  Sent twice, it ends at once.\n"
	     "\n"
	     "Settings, from the environment:");
	settings_help(stdout);
}

/* Returns the exit status, or -1: go on. */
static int options(int argc, char **argv)
{
	if (argc == 1)
		return -1;
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		puts("payhook-worker " PAYHOOK_VERSION);
		return 0;
	}
	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		program_help();
		return 0;
	}
	if (argc == 2 && strcmp(argv[1], "--check") == 0)
		return -1;
	program_complain("usage: payhook-worker [--check | --version | --help]");
	return 2;
}

/* The second signal ends the program on the spot: its jobs are freed when its beat is missed. */
static void program_on_signal(evutil_socket_t number, short what, void *arg)
{
	(void)what;
	struct program *p = arg;
	if (p->ending) {
		LOG(LOG_LEVEL_WARN, "worker stops at once on the second signal", LOG_NUMBER("signal", number));
		_exit(1);
	}
	p->ending = true;
	worker_stop(p->worker);
}

/* The loop turns: that is what the watchdog is told. */
static void program_on_watchdog(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	const struct program *p = arg;
	sd_notify_send("WATCHDOG=1");
	worker_report(p->worker);
}

static struct event *watchdog_begin(struct program *p)
{
	int ms = sd_notify_watchdog_ms();
	struct timeval every = {.tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000};
	struct event *timer = event_new(p->base, -1, EV_PERSIST, program_on_watchdog, p);
	if (timer && ms > 0)
		event_add(timer, &every);
	return timer;
}

static void program_on_libevent(int severity, const char *words)
{
	LOG(severity >= EVENT_LOG_ERR ? LOG_LEVEL_ERROR : LOG_LEVEL_WARN, "libevent reported a problem",
		LOG_TEXT("reason", words));
}

static bool database_is_named(const struct settings *s)
{
	if (!*s->database)
		program_complain("DATABASE_URL is not set, nor POSTGRES_HOST: which PostgreSQL?");
	return *s->database;
}

static int run(struct program *p, const struct settings *s)
{
	struct event *terminate = evsignal_new(p->base, SIGTERM, program_on_signal, p);
	struct event *interrupt = evsignal_new(p->base, SIGINT, program_on_signal, p);
	struct event *watchdog = watchdog_begin(p);
	p->worker_metrics = worker_metrics_create();
	p->worker = p->worker_metrics ? worker_create(p->base, s, p->worker_metrics) : NULL;
	p->exporter = p->worker ? exporter_create(p->base, s, p->worker, p->worker_metrics) : NULL;
	if (!terminate || !interrupt || !watchdog || !p->exporter || event_add(terminate, NULL) ||
		event_add(interrupt, NULL)) {
		program_complain("cannot start: out of memory");
		return 1;
	}
	LOG(LOG_LEVEL_INFO, "worker starts", LOG_TEXT("version", PAYHOOK_VERSION),
		LOG_NUMBER("slots", s->worker_slots));
	event_base_dispatch(p->base);
	exporter_destroy(p->exporter);
	worker_destroy(p->worker);
	worker_metrics_destroy(p->worker_metrics);
	event_free(watchdog);
	event_free(interrupt);
	event_free(terminate);
	return 0;
}

int main(int argc, char **argv)
{
	int status = options(argc, argv);
	if (status >= 0)
		return status;
	static struct settings settings;
	if (!settings_read(&settings, program_complain))
		return 2;
	if (argc == 2) {
		settings_print(&settings, stdout);
		return database_is_named(&settings) ? 0 : 2;
	}
	if (!database_is_named(&settings))
		return 2;
	log_open("payhook-worker", (enum log_level)settings.log_level);
	event_set_log_callback(program_on_libevent);
	signal(SIGPIPE, SIG_IGN);
	struct program p = {.base = event_base_new()};
	if (!p.base) {
		program_complain("cannot start: no event loop");
		return 1;
	}
	status = run(&p, &settings);
	event_base_free(p.base);
	return status;
}
