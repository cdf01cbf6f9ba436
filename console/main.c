/* main.c - payhook-console, the operators' console: a FastCGI program of one thread that answers /console/api/.
 *
 * It serves by the same code as the responders, with a socket, a database role and limits of its own: whatever operators ask for,
 * and whatever is wrong with this program, webhooks are accepted at the same pace.  It holds nothing: a killed one loses the
 * requests in progress, and each act is one transaction.
 *
 * Standard input is the listening socket, as spawn-fcgi and systemd provide it.  The database may be unreachable at start and at
 * any time: requests are then answered 503, and the connections come back by themselves. */

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "answer.h"
#include "attempts.h"
#include "auth/api_keys_file.h"
#include "base/dumpable.h"
#include "calls.h"
#include "console.h"
#include "endpoints.h"
#include "fastcgi/fastcgi.h"
#include "runtime/log.h"
#include "sign_in_failures.h"

#define PROGRAM "payhook-console"

static const int SIGNALS[] = {SIGTERM, SIGINT, SIGUSR1, SIGUSR2};

/* The parts of the program. */
struct console {
	struct settings settings;
	struct api_keys keys;
	struct attempts attempts;
	struct event_base *base;
	struct connect_state connect_state;
	struct service service;
	struct fastcgi *fastcgi;
	struct event *signals[COUNT_OF(SIGNALS)];
	enum {
		DATABASE_UNKNOWN,
		DATABASE_UP,
		DATABASE_DOWN
	} database; /* the state logged last, so that a change is logged once */
};

/* ---- events ---- */

static void console_on_up(void *ctx)
{
	struct console *c = ctx;
	if (c->database != DATABASE_UP)
		LOG(LOG_LEVEL_INFO, "database connected",
			LOG_NUMBER("abandoned_connections", c->connect_state.abandoned));
	c->database = DATABASE_UP;
}

static void console_on_down(void *ctx, const struct fault *why)
{
	struct console *c = ctx;
	if (c->database != DATABASE_DOWN)
		LOG(LOG_LEVEL_ERROR, "database unreachable", LOG_TEXT("reason", why->text));
	c->database = DATABASE_DOWN;
}

static const struct calls_events EVENTS = {.up = console_on_up, .down = console_on_down};

static void console_on_drained(void *ctx)
{
	struct console *c = ctx;
	event_base_loopbreak(c->base);
}

static void console_on_signal(evutil_socket_t signal_number, short what, void *arg)
{
	(void)what;
	struct console *c = arg;
	LOG(LOG_LEVEL_INFO, "console drains", LOG_NUMBER("signal", signal_number));
	fastcgi_drain(c->fastcgi, console_on_drained, c);
}

static void console_on_libevent(int severity, const char *words)
{
	LOG(severity >= EVENT_LOG_ERR ? LOG_LEVEL_ERROR : LOG_LEVEL_WARN, "libevent reported a problem",
		LOG_TEXT("reason", words));
}

static void console_complain(const char *complaint)
{
	fprintf(stderr, PROGRAM ": %s\n", complaint);
}

/* ---- requests ---- */

static void console_on_request(struct request *rq)
{
	(void)rq;
}

static const struct fastcgi_plan PLAN = {.slots = CONSOLE_SLOTS,
	.wait_ms = CONSOLE_WAIT_MS,
	.body_max = CONSOLE_BODY_MAX,
	.bodies_max = CONSOLE_BODIES_MAX,
	.reply_max = CONSOLE_REPLY_MAX,
	.begin = console_on_request,
	.handle = answer_request,
	.end = console_on_request};

/* ---- setting up ---- */

static bool console_read(struct console *c)
{
	bool good = settings_read(&c->settings, console_complain);
	if (good && !*c->settings.database) {
		console_complain("DATABASE_URL is not set, nor POSTGRES_HOST: which PostgreSQL?");
		good = false;
	}
	return good &&
	       (!*c->settings.api_keys_file || api_keys_load(c->settings.api_keys_file, console_complain, &c->keys));
}

static int console_check(struct console *c)
{
	if (!console_read(c))
		return 2;
	settings_print(&c->settings, stdout);
	printf("%d keys\n", c->keys.count);
	return 0;
}

static void console_help(void)
{
	printf("Usage: " PROGRAM " [--check | --version | --help]\n\n"
	       "Answers the operators' console below /console/api/ over FastCGI.\n"
	       "Standard input must be a listening socket, as spawn-fcgi provides it.\n"
	       "SIGTERM, SIGINT, SIGUSR1 and SIGUSR2 make it answer the requests in progress and exit.\n\n"
	       "  --check    print the effective settings and the number of API keys, or every error in\n"
	       "             them (exit status 2)\n"
	       "  --version  print the version\n"
	       "  --help     print this text\n\n"
	       "Environment variables:\n");
	settings_help(stdout);
}

/* Called after fastcgi_create(), because FCGX_Init() installs handlers of its own for SIGTERM, SIGUSR1 and SIGPIPE. */
static bool console_catch_signals(struct console *c, struct fault *f)
{
	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < COUNT_OF(SIGNALS); i++) {
		c->signals[i] = evsignal_new(c->base, SIGNALS[i], console_on_signal, c);
		if (!c->signals[i] || evsignal_add(c->signals[i], NULL) < 0)
			return fault_set(f, FAULT_BUSY, "the handler of signal %d: %s", SIGNALS[i], strerror(errno));
	}
	return true;
}

static bool console_start(struct console *c, struct fault *f)
{
	size_t count;
	const struct statement *const *statements = endpoints_statements(&count);
	errno = 0;
	c->base = event_base_new();
	if (!c->base)
		return fault_set(f, FAULT_BUSY, "the event loop: %s", strerror(errno ? errno : ENOMEM));
	c->connect_state = (struct connect_state){.base = c->base, .conninfo = c->settings.database};
	c->service = (struct service){.settings = &c->settings,
		.keys = *c->settings.api_keys_file ? &c->keys : NULL,
		.attempts = &c->attempts,
		.calls = calls_create(&c->connect_state, statements, count, &EVENTS, c)};
	c->service.sign_in_failures = c->service.calls ? sign_in_failures_create(c->base, c->service.calls) : NULL;
	if (!c->service.sign_in_failures)
		return fault_set(f, FAULT_BUSY, "the connections to the database: out of memory");
	c->fastcgi = fastcgi_create(c->base, STDIN_FILENO, &PLAN, &c->service, f);
	return c->fastcgi && console_catch_signals(c, f);
}

static void console_finish(struct console *c)
{
	for (size_t i = 0; i < COUNT_OF(SIGNALS); i++) {
		if (c->signals[i])
			event_free(c->signals[i]);
	}
	fastcgi_destroy(c->fastcgi);
	calls_destroy(c->service.calls);
	sign_in_failures_destroy(c->service.sign_in_failures);
	if (c->base)
		event_base_free(c->base);
	libevent_global_shutdown();
}

/* Handles the options.  Returns the exit status, or -1 if there is no option and the console is to run. */
static int console_read_options(struct console *c, int argc, char **argv)
{
	if (argc < 2)
		return -1;
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		printf(PROGRAM " " PAYHOOK_VERSION "\n");
		return 0;
	}
	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		console_help();
		return 0;
	}
	if (argc == 2 && strcmp(argv[1], "--check") == 0)
		return console_check(c);
	fprintf(stderr, PROGRAM ": unknown option %s; see --help\n", argv[1]);
	return 2;
}

static bool is_listening_socket(int fd)
{
	int listening = 0;
	socklen_t len = sizeof listening;
	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) == 0 && listening;
}

int main(int argc, char **argv)
{
	static struct console c;
	struct fault why;
	dumpable_clear();
	int status = console_read_options(&c, argc, argv);
	if (status >= 0)
		return status;
	if (!console_read(&c))
		return 2;
	if (!is_listening_socket(STDIN_FILENO)) {
		console_complain("standard input is not a listening socket: start it by spawn-fcgi");
		return 2;
	}
	log_open(PROGRAM, (enum log_level)c.settings.log_level);
	event_set_log_callback(console_on_libevent);
	if (!console_start(&c, &why)) {
		LOG(LOG_LEVEL_ERROR, "console cannot start", LOG_TEXT("reason", why.text));
		console_finish(&c);
		return 1;
	}
	LOG(LOG_LEVEL_INFO, "console starts", LOG_TEXT("version", PAYHOOK_VERSION), LOG_NUMBER("keys", c.keys.count));
	fastcgi_open(c.fastcgi);
	event_base_dispatch(c.base);
	LOG(LOG_LEVEL_INFO, "console ends", LOG_NUMBER("abandoned_connections", c.connect_state.abandoned));
	console_finish(&c);
	return 0;
}
