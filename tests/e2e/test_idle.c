/* test_idle.c - ten thousand idle connections do not keep webhooks from being accepted.
 *
 * nginx closes a connection that has sent no complete request header after 5 s, and one that is idle between two
 * requests after 75 s.  When a worker process of nginx is almost out of connections, it closes those that have been
 * idle longest. */

#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/base.h"
#include "support/background_sender.h"
#include "support/calm.h"
#include "support/expect.h"
#include "support/instance.h"
#include "support/raw.h"

#define IDLE 10000
#define FILES (IDLE + 200)
#define HEADER_MS 5000 /* nginx's limit */
#define LATE_MS 5000
#define EARLY_MS 1000
#define KEPT 3 /* one in so many has received an answer */

static int fds[IDLE];

static void raise_descriptors(void)
{
	struct rlimit limit;

	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = FILES;
	cr_assert(limit.rlim_max >= FILES && setrlimit(RLIMIT_NOFILE, &limit) == 0,
		"ulimit -Hn is %llu; %d idle connections need %d", (unsigned long long)limit.rlim_max, IDLE, FILES);
}

/* Whether the server has closed the connection.  Bytes that it sent before are discarded. */
static bool has_ended(int fd)
{
	char bytes[4096];
	ssize_t got;

	while ((got = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0)
		continue;
	return got == 0 || errno != EAGAIN;
}

/* Closes the connections that the server has closed.  Returns the number that is still open among those with an answer
 * (kept), or among the others. */
static int count_open(bool kept)
{
	int open = 0;

	for (int n = 0; n < IDLE; n++) {
		if (fds[n] >= 0 && has_ended(fds[n])) {
			close(fds[n]);
			fds[n] = -1;
		}
		open += fds[n] >= 0 && (n % KEPT == 0) == kept;
	}
	return open;
}

static void send_text(int fd, const char *text)
{
	/* The connection may have been closed by the server. */
	if (send(fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		return;
}

Test(idle, ten_thousand_connections_stop_no_webhook, .timeout = 120)
{
	raise_descriptors();
	background_sender_begin();
	long long began = now_ms();
	for (int n = 0; n < IDLE; n++) {
		fds[n] = raw_connect();
		/* One has received an answer, the next has begun a request, the third is silent. */
		if (n % KEPT == 0)
			send_text(fds[n], "GET /livez HTTP/1.1\r\nHost: payhook\r\n\r\n");
		if (n % KEPT == 1)
			send_text(fds[n], "POST ");
	}
	long long deadline = calm_ms() + HEADER_MS + LATE_MS;
	int silent = count_open(false), kept = count_open(true);
	/* A single worker process of nginx may have accepted nearly all of them. */
	cr_assert(silent + kept > IDLE * 9 / 10, "%d silent ones and %d kept ones are open", silent, kept);
	while ((silent = count_open(false)) > 0) {
		cr_assert(calm_ms() < deadline, "%d are open still", silent);
		pause_a_little();
	}
	cr_assert(now_ms() - began > HEADER_MS - EARLY_MS, "closed after %lld ms", now_ms() - began);
	cr_assert_eq(count_open(true), kept, "kept ones are closed after %lld ms", now_ms() - began);
	for (int n = 0; n < IDLE; n++)
		if (fds[n] >= 0)
			close(fds[n]);
	background_sender_end();
}
