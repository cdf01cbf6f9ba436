/* echo.c - payhook's FastCGI server without a database.
 *
 * The server is the one that ships (lib/fastcgi/fastcgi.c); behind it is one route that answers at once, with 200 to a GET
 * and with 202 otherwise.  Its rate is ceiling F: what nginx and libfcgi leave possible, whatever is stored.
 *
 * usage: payhook-bench-echo SOCKET COUNT - listens on SOCKET with COUNT processes until SIGTERM or SIGINT. */

#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "counters.h"
#include "fastcgi/fastcgi.h"
#include "fastcgi/http.h"
#include "runtime/log.h"
#include "served.h"
#include "source/payload.h"

#define PROGRAM "payhook-bench-echo"
#define PROCESSES_MAX 64
#define BACKLOG 1024 /* of the listening socket, as the pool has it */

static void echo_begin(struct request *rq)
{
	counters_begin(rq->service->counters);
}

static void echo_end(struct request *rq)
{
	counters_end(rq->service->counters, ROUTE_OTHER, rq->reply.status, WEBHOOK_NONE, clock_us() - rq->read_us);
}

static void echo_handle(struct request *rq)
{
	http_begin(rq, strcmp(rq->method, "GET") == 0 ? 200 : 202);
	buf_add_text(&rq->reply.body, "{\"message\":\"Accepted\"}");
	rq->answer(rq);
}

static int listen_at(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof address.sun_path)
		return -1;
	memcpy(address.sun_path, path, strlen(path) + 1);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	/* nginx's workers run as another user. */
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || chmod(path, 0666) < 0 ||
		listen(fd, BACKLOG) < 0)
		return -1;
	return fd;
}

/* Runs one responder.  Without a metrics folder it counts for itself, at the same cost as with one. */
static int respond(int listener)
{
	static const struct fastcgi_plan plan = {.slots = FASTCGI_SLOTS,
		.wait_ms = REQUEST_WAIT_MS,
		.body_max = PAYLOAD_MAX,
		.bodies_max = (size_t)FASTCGI_SLOTS * 64 * 1024,
		.reply_max = REPLY_BODY_MAX,
		.begin = echo_begin,
		.handle = echo_handle,
		.end = echo_end};
	static struct service service;
	struct fault why;
	bool shared;
	struct event_base *base = event_base_new();
	service.counters = counters_create("", &shared, &why);
	struct fastcgi *fastcgi =
		base && service.counters ? fastcgi_create(base, listener, &plan, &service, &why) : NULL;
	if (!fastcgi)
		return 1;
	signal(SIGPIPE, SIG_IGN);
	fastcgi_open(fastcgi);
	event_base_dispatch(base);
	return 0;
}

/* The first process waits for a signal; the others are killed by the kernel when it ends, however it ends. */
int main(int argc, char **argv)
{
	sigset_t ends;
	int number;
	int count = argc == 3 ? (int)strtol(argv[2], NULL, 10) : 0;
	int listener = count > 0 && count <= PROCESSES_MAX ? listen_at(argv[1]) : -1;
	if (listener < 0) {
		fprintf(stderr, PROGRAM ": usage: " PROGRAM " SOCKET COUNT\n");
		return 2;
	}
	log_open(PROGRAM, LOG_LEVEL_WARN);
	for (int i = 0; i < count; i++) {
		if (fork() == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			return respond(listener);
		}
	}
	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	sigprocmask(SIG_BLOCK, &ends, NULL);
	sigwait(&ends, &number);
	return 0;
}
