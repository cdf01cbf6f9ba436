/* test_slow.c - slow clients: they send a byte at a time, stop in the middle, or do not read their answers.
 *
 * nginx allows 5 s for all headers of a request, and 5 s for each pause within a body.  There is no limit for a whole
 * body: a client that sends one slowly occupies a connection of nginx for as long as it likes, and nothing else. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/base.h"
#include "support/background_sender.h"
#include "support/calm.h"
#include "support/expect.h"
#include "support/instance.h"
#include "support/instance_database.h"
#include "support/raw.h"
#include "support/scrape.h"

#define COPIES 20     /* of each kind of slow client */
#define DRIP_MS 200   /* between two bytes */
#define EARLY_MS 1100 /* nginx counts lingering_time in whole seconds */
#define LATE_MS 3000
#define HEADER_MS 5000 /* limits in nginx.conf */
#define BODY_MS 5000
#define LINGER_MS 5000
#define SEND_MS 10000
#define ANSWER_MS 5000
#define FILL_MS 15000     /* until unread answers have filled the kernel's buffers */
#define OTHER "127.0.0.2" /* an address that may not read the metrics */

#define POST "POST " WEBHOOKS " HTTP/1.1\r\nHost: payhook\r\nContent-Type: application/json\r\n"
#define NEVER 0

static const struct slow {
	const char *what, *begin, *drip; /* drip is sent over and over, a byte at a time; "": nothing more is sent */
	int closed_ms;                   /* after the start; NEVER: not while it is dripping */
	int status;                      /* of the answer; 0: none */
} kinds[] = {
	{"silence", "", "", HEADER_MS, 0},
	{"a method that does not end", "P", "O", HEADER_MS, 0},
	{"a target that does not end", "GET /", "x", HEADER_MS, 0},
	{"empty lines", "", "\r\n", HEADER_MS, 0},
	{"headers that do not end", "GET / HTTP/1.1\r\nHost: payhook\r\n", "X: 1\r\n", HEADER_MS, 0},
	{"a header that does not end", POST "X: ", "x", HEADER_MS, 0},
	{"a second request that does not end", "GET /livez HTTP/1.1\r\nHost: payhook\r\n\r\nGET / HTTP/1.1\r\n",
		"X: 1\r\n", HEADER_MS, 200},
	{"a body that has stopped", POST "Content-Length: 100\r\n\r\n{", "", BODY_MS, 0},
	{"a body that has not begun", POST "Content-Length: 100\r\n\r\n", "", BODY_MS, 0},
	{"a chunk that has stopped", POST "Transfer-Encoding: chunked\r\n\r\n10\r\n{", "", BODY_MS, 0},
	{"a trailer that has stopped", POST "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nX-After: ", "", BODY_MS,
		0},
	{"a last chunk that does not come", POST "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n", "", BODY_MS, 0},
	{"a body that drips", POST "Content-Length: 60000\r\n\r\n", " ", NEVER, 0},
	{"chunks that drip", POST "Transfer-Encoding: chunked\r\n\r\n", "1\r\n \r\n", NEVER, 0},
	{"a chunk's extension that drips", POST "Transfer-Encoding: chunked\r\n\r\n1;", "x", NEVER, 0},
	{"a trailer that drips", POST "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n", "X: 1\r\n", NEVER, 0},
	{"a body that is refused and stops", POST "Content-Length: 70000\r\n\r\n", "", BODY_MS, 413},
	{"a body that is refused and drips", POST "Content-Length: 70000\r\n\r\n", "x", LINGER_MS, 413},
	{"a body of 2^63 - 1 bytes", POST "Content-Length: 9223372036854775807\r\n\r\n", "x", LINGER_MS, 413},
};

#define ALL (COUNT_OF(kinds) * COPIES)

static struct dripping {
	int fd; /* -1: closed by nginx */
	size_t at;
	char head[16];
	size_t head_len;
} all[COUNT_OF(kinds)][COPIES];

/* Reads what has arrived and keeps its beginning.  Returns whether nginx has closed the connection. */
static bool has_ended(struct dripping *d)
{
	char bytes[4096];
	ssize_t got;

	while ((got = recv(d->fd, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0) {
		size_t kept = sizeof(d->head) - 1 - d->head_len;
		kept = (size_t)got < kept ? (size_t)got : kept;
		memcpy(d->head + d->head_len, bytes, kept);
		d->head_len += kept;
	}
	return got == 0 || errno != EAGAIN;
}

static void drip(struct dripping *d, const struct slow *kind)
{
	if (kind->drip[0] == '\0')
		return;
	/* The connection may have been closed by nginx. */
	if (send(d->fd, kind->drip + d->at, 1, MSG_NOSIGNAL | MSG_DONTWAIT) != 1)
		return;
	d->at = (d->at + 1) % strlen(kind->drip);
}

static void judge_end(const struct slow *kind, struct dripping *d, long long after_ms)
{
	int status = 0;

	close(d->fd);
	d->fd = -1;
	cr_assert_neq(kind->closed_ms, NEVER, "%s: closed after %lld ms", kind->what, after_ms);
	cr_assert(after_ms > kind->closed_ms - EARLY_MS && after_ms < kind->closed_ms + LATE_MS,
		"%s: closed after %lld ms, not %d", kind->what, after_ms, kind->closed_ms);
	cr_assert((sscanf(d->head, "HTTP/1.1 %d", &status) == 1) == (kind->status > 0) && status == kind->status,
		"%s: %s", kind->what, d->head);
}

/* Checks every connection once.  Returns how many are still open that nginx is expected to close. */
static int look(long long began, bool is_time_to_drip)
{
	int open = 0;

	for (size_t n = 0; n < ALL; n++) {
		const struct slow *kind = &kinds[n / COPIES];
		struct dripping *d = &all[n / COPIES][n % COPIES];
		if (d->fd < 0)
			continue;
		if (has_ended(d)) {
			judge_end(kind, d, now_ms() - began);
			continue;
		}
		open += kind->closed_ms != NEVER;
		if (is_time_to_drip)
			drip(d, kind);
	}
	return open;
}

/* Only the requests of the background sender, and the scrape itself, occupy slots. */
static void no_responder_is_busy_with_them(void)
{
	double busy = scrape_now("payhook_responder_slots_busy");

	cr_assert(busy >= 1 && busy <= 1 + 4, "%.0f slots are busy", busy);
}

/* nginx closes the remaining ones in time after they have stopped sending. */
static void those_that_drip_are_closed_when_they_stop(void)
{
	long long stopped = now_ms(), deadline = calm_ms() + BODY_MS + LATE_MS;
	int open;

	do {
		cr_assert(calm_ms() < deadline, "a body that has stopped to drip is open");
		open = 0;
		for (size_t n = 0; n < ALL; n++) {
			struct dripping *d = &all[n / COPIES][n % COPIES];
			if (d->fd >= 0 && has_ended(d)) {
				close(d->fd);
				d->fd = -1;
			}
			open += d->fd >= 0;
		}
		pause_a_little();
	} while (open > 0);
	cr_assert(now_ms() - stopped > BODY_MS - DRIP_MS - EARLY_MS, "closed before anybody could call them slow");
}

Test(slow, a_slow_sender_is_closed_in_time_and_delays_nobody, .timeout = 120)
{
	background_sender_begin();
	long long began = now_ms(), next_drip = 0;
	for (size_t n = 0; n < ALL; n++) {
		struct dripping *d = &all[n / COPIES][n % COPIES];
		const char *begin = kinds[n / COPIES].begin;
		d->fd = raw_connect();
		cr_assert(send(d->fd, begin, strlen(begin), MSG_NOSIGNAL) == (ssize_t)strlen(begin));
	}
	bool asked = false;
	for (bool open = true; open;) {
		bool is_time = now_ms() >= next_drip;
		open = look(began, is_time) > 0;
		if (is_time)
			next_drip = now_ms() + DRIP_MS;
		if (!asked && now_ms() - began > BODY_MS / 2) {
			no_responder_is_busy_with_them();
			asked = true;
		}
		pause_a_little();
	}
	those_that_drip_are_closed_when_they_stop();
	background_sender_end();
}

/* A slow but complete webhook is accepted. */
Test(slow, a_body_that_comes_a_byte_at_a_time_is_taken)
{
	static struct raw connection;
	char body[WEBHOOK_MAX], id[64], head[256];
	struct answer a;

	background_sender_begin();
	webhook_simple(fresh_id("slowly", id), body);
	raw_open(&connection);
	snprintf(head, sizeof(head), POST "Content-Length: %zu\r\n\r\n", strlen(body));
	for (const char *at = head; *at != '\0'; at++, pause_a_little())
		cr_assert(raw_send(&connection, at, 1));
	for (const char *at = body; *at != '\0'; at++, pause_a_little())
		cr_assert(raw_send(&connection, at, 1));
	cr_assert(raw_answer(&connection, &a, ANSWER_MS));
	cr_assert_eq(a.status, 202, "%d %s", a.status, a.body);
	answer_finish(&a);
	raw_close(&connection);
	background_sender_end();
}

/* Unread answers fill the socket's buffers; then nginx waits for the client to read. */
Test(slow, a_sender_that_does_not_read_its_answers_is_closed)
{
	enum { DEAF = 4, AT_ONCE = 64 };
	static const char request[] = "GET /metrics HTTP/1.1\r\nHost: payhook\r\n\r\n";
	char requests[AT_ONCE * sizeof(request)];
	long long taken[DEAF]; /* time at which nginx last accepted bytes */
	int fds[DEAF], open = DEAF;
	size_t len = 0;

	for (int n = 0; n < AT_ONCE; n++, len += sizeof(request) - 1)
		memcpy(requests + len, request, sizeof(request) - 1);
	background_sender_begin();
	long long began = now_ms();
	for (int n = 0; n < DEAF; n++) {
		fds[n] = raw_connect();
		setsockopt(fds[n], SOL_SOCKET, SO_RCVBUF, &(int){4096}, sizeof(int));
		setsockopt(fds[n], SOL_SOCKET, SO_SNDBUF, &(int){4096}, sizeof(int));
		taken[n] = calm_ms();
	}
	while (open > 0) {
		for (int n = 0; n < DEAF; n++) {
			if (fds[n] < 0)
				continue;
			/* send() may have cut a request in the middle, after which the rest is not a request; by then
			 * there are enough answers. */
			ssize_t sent = send(fds[n], requests, len, MSG_NOSIGNAL | MSG_DONTWAIT);
			taken[n] = sent >= 0 ? calm_ms() : taken[n];
			cr_assert(calm_ms() - taken[n] < SEND_MS + FILL_MS, "%d that do not listen are open", open);
			if (sent >= 0 || errno == EAGAIN)
				continue;
			close(fds[n]);
			fds[n] = -1;
			open--;
		}
		pause_a_little();
	}
	cr_assert(now_ms() - began > SEND_MS - EARLY_MS, "closed before anybody could call them deaf");
	background_sender_end();
}
