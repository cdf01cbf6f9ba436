/* payhook-worker - the daemon that processes accepted transactions.
 *
 * main() sets up settings, log, event loop, signals and worker in an order in which each step can report its failure
 * through the steps before it.  The program is one thread: signals arrive as events of the loop, and no callback
 * waits.  To use more cores, an operator starts more workers.  If the process dies, no job is lost: its claimed jobs
 * are rows of the database, and other workers take them over. */

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/dumpable.h"
#include "call_options.h"
#include "exporter.h"
#include "runtime/log.h"
#include "runtime/sd_notify.h"
#include "runtime/settings.h"
#include "worker.h"

struct program {
	struct event_base *base;
	struct event *signals[2], *watchdog;
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
	     "  --check    read the settings and the files that they name, print them and exit\n"
	     "  --version  print the version and exit\n"
	     "\n"
	     "SIGTERM and SIGINT stop the worker: it settles or releases its jobs and exits.\n"
	     "A second signal stops it at once.\n"
	     "\n"
	     "Settings, from the environment:");
	settings_help(stdout);
}

/* Returns the exit status, or -1 if the program goes on. */
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

/* The first signal starts an orderly stop.  The second ends the program on the spot, without touching the database:
 * the other workers free its jobs when its heartbeat times out. */
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

/* Runs from the event loop, so systemd's watchdog expires if a callback blocks the loop. */
static void program_on_watchdog(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	const struct program *p = arg;
	sd_notify_send("WATCHDOG=1");
	worker_report(p->worker);
}

/* Without a watchdog the timer exists but is never added, so that there is one path for both cases. */
static bool watchdog_begin(struct program *p, struct fault *f)
{
	int ms = sd_notify_watchdog_ms();
	struct timeval every = clock_timeval(ms);
	p->watchdog = event_new(p->base, -1, EV_PERSIST, program_on_watchdog, p);
	if (!p->watchdog || (ms > 0 && event_add(p->watchdog, &every) < 0))
		return fault_set(f, FAULT_BUSY, "the timer of the watchdog: out of memory");
	return true;
}

static bool program_catch_signals(struct program *p, struct fault *f)
{
	static const int SIGNALS[COUNT_OF(p->signals)] = {SIGTERM, SIGINT};
	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < COUNT_OF(SIGNALS); i++) {
		p->signals[i] = evsignal_new(p->base, SIGNALS[i], program_on_signal, p);
		if (!p->signals[i] || evsignal_add(p->signals[i], NULL) < 0)
			return fault_set(f, FAULT_BUSY, "the handler of signal %d: %s", SIGNALS[i], strerror(errno));
	}
	return true;
}

/* Warnings may follow from every connection: one a second.  After an error libevent ends the program, so none is left
 * out. */
static void program_on_libevent(int severity, const char *words)
{
	static struct log_pause pause;
	int64_t suppressed = 0;
	if (severity >= EVENT_LOG_ERR || log_pause_over(&pause, &suppressed))
		LOG(severity >= EVENT_LOG_ERR ? LOG_LEVEL_ERROR : LOG_LEVEL_WARN, "libevent reported a problem",
			LOG_TEXT("reason", words), LOG_NUMBER("more_since_last", suppressed));
}

/* All errors are reported at once. */
static bool program_read_options(const struct settings *s, struct call_options *ret)
{
	bool good = call_options_read(s, ret, program_complain);
	if (!*s->database)
		program_complain("DATABASE_URL is not set, nor POSTGRES_HOST: which PostgreSQL?");
	return settings_name_processor(s, program_complain) && *s->database && good;
}

static bool program_start(struct program *p, const struct call_options *o, struct fault *f)
{
	errno = 0;
	p->base = event_base_new();
	if (!p->base)
		return fault_set(f, FAULT_BUSY, "the event loop: %s", strerror(errno ? errno : ENOMEM));
	p->worker_metrics = worker_metrics_create();
	if (!p->worker_metrics)
		return fault_set(f, FAULT_BUSY, "the metrics: out of memory");
	p->worker = worker_create(p->base, o, p->worker_metrics, f);
	if (!p->worker)
		return false;
	p->exporter = exporter_create(p->base, o->settings, p->worker, p->worker_metrics);
	if (!p->exporter)
		return fault_set(f, FAULT_BUSY, "the server of the metrics: out of memory");
	return watchdog_begin(p, f) && program_catch_signals(p, f);
}

/* In the reverse order.  Parts that were not created are NULL. */
static void program_finish(struct program *p)
{
	for (size_t i = 0; i < COUNT_OF(p->signals); i++) {
		if (p->signals[i])
			event_free(p->signals[i]);
	}
	if (p->watchdog)
		event_free(p->watchdog);
	exporter_destroy(p->exporter);
	worker_destroy(p->worker);
	worker_metrics_destroy(p->worker_metrics);
	if (p->base)
		event_base_free(p->base);
}

int main(int argc, char **argv)
{
	dumpable_clear();
	int status = options(argc, argv);
	if (status >= 0)
		return status;
	static struct settings settings;
	if (!settings_read(&settings, program_complain))
		return 2;
	static struct call_options call_options;
	if (argc == 2)
		settings_print(&settings, stdout);
	if (!program_read_options(&settings, &call_options))
		return 2;
	if (argc == 2) {
		call_options_print(&call_options, stdout);
		call_options_finish(&call_options);
		return 0;
	}
	log_open("payhook-worker", (enum log_level)settings.log_level);
	event_set_log_callback(program_on_libevent);
	struct program p = {0};
	struct fault why;
	bool started = program_start(&p, &call_options, &why);
	if (started) {
		/* A warning, since the simulated processor marks payments as processed that nobody has processed. */
		LOG(settings.processor == PROCESSOR_IS_SIMULATED ? LOG_LEVEL_WARN : LOG_LEVEL_INFO, "worker starts",
			LOG_TEXT("version", PAYHOOK_VERSION), LOG_TEXT("processor", worker_processor(p.worker)),
			LOG_NUMBER("slots", settings.worker_slots));
		event_base_dispatch(p.base);
	} else {
		LOG(LOG_LEVEL_ERROR, "worker cannot start", LOG_TEXT("reason", why.text));
	}
	program_finish(&p);
	call_options_finish(&call_options);
	return started ? 0 : 1;
}
