/* test_hostile.c - senders that are slow, many, or gone before the answer. */

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base.h"
#include "database.h"
#include "expect.h"
#include "instance.h"
#include "raw.h"

const char *const instance_settings[] = {"PROCESSOR_DELAY_MS=100", "WORKER_GRACE_MS=200", NULL};

#define ANSWER_MS 5000
#define PROMPT 1.0     /* seconds in which an honest sender is answered all the while */
#define CLOSE_MS 16000 /* nginx gives a sender 10 s */
#define SLOW_MAX 100
#define IDLE_MAX 2000

static struct raw connection;

static void honest_senders_are_served(const char *when)
{
	struct answer a;
	char body[WEBHOOK_MAX], id[64];

	call_post(webhook_simple(fresh_id("honest", id), body), &a);
	cr_assert_eq(a.status, 202, "%s: %d %s%s", when, a.status, a.body, a.trouble);
	cr_assert(a.seconds < PROMPT, "%s: %.3f s", when, a.seconds);
	answer_finish(&a);
}

static void send_quietly(int fd, const char *text)
{
	/* To a connection that may be gone. */
	if (fd >= 0 && send(fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		return;
}

/* Whether the other side has closed; what it sent before is thrown away. */
static bool has_ended(int fd)
{
	char bytes[4096];
	ssize_t got;

	while ((got = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0)
		continue;
	return got == 0 || errno != EAGAIN;
}

/* Closes those that the other side has closed.  Returns how many are still open. */
static int count_open(int *fds, int count)
{
	int open = 0;

	for (int n = 0; n < count; n++) {
		if (fds[n] < 0)
			continue;
		if (has_ended(fds[n])) {
			close(fds[n]);
			fds[n] = -1;
		} else {
			open++;
		}
	}
	return open;
}

Test(hostile, slow_senders_are_closed_and_hold_nobody_up)
{
	int headers[SLOW_MAX], bodies[SLOW_MAX];
	long long began = now_ms();
	int drips = 0;

	for (int n = 0; n < SLOW_MAX; n++) {
		headers[n] = raw_connect();
		bodies[n] = raw_connect();
		send_quietly(headers[n], "POST " WEBHOOKS " HTTP/1.1\r\nHost: payhook\r\nX-Slow: ");
		send_quietly(bodies[n],
			"POST " WEBHOOKS " HTTP/1.1\r\nHost: payhook\r\nContent-Type: application/json\r\n"
			"Content-Length: 100\r\n\r\n{\"transaction_id\":");
	}
	while (count_open(headers, SLOW_MAX) + count_open(bodies, SLOW_MAX) > 0) {
		cr_assert(now_ms() - began < CLOSE_MS, "%d slow headers, %d slow bodies", count_open(headers, SLOW_MAX),
			count_open(bodies, SLOW_MAX));
		honest_senders_are_served("beside slow ones");
		/* Headers come a byte at a time; bodies have stopped. */
		for (int n = 0; n < SLOW_MAX && drips * 100 < now_ms() - began; n++)
			send_quietly(headers[n], "x");
		drips++;
		pause_a_little();
	}
	cr_assert(now_ms() - began > 2000, "closed before anyone could call them slow");
}

Test(hostile, two_thousand_idle_connections_stop_no_webhook)
{
	static int fds[IDLE_MAX];

	for (int n = 0; n < IDLE_MAX; n++) {
		fds[n] = raw_connect();
		/* Every other one has even begun a request. */
		if (n % 2 == 0)
			send_quietly(fds[n], "POST ");
	}
	for (int n = 0; n < 50; n++)
		honest_senders_are_served("beside idle ones");
	cr_assert(count_open(fds, IDLE_MAX) == IDLE_MAX, "%d are open still", count_open(fds, IDLE_MAX));
	for (int n = 0; n < IDLE_MAX; n++)
		close(fds[n]);
}

static void pipeline(char *all, size_t size, const char *request_line, const char *body)
{
	size_t used = strlen(all);

	snprintf(all + used, size - used,
		"%s HTTP/1.1\r\nHost: payhook\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
		request_line, strlen(body), body);
}

Test(hostile, pipelined_requests_get_their_answers_in_order)
{
	static const int expected[] = {202, 404, 200, 202, 405, 422, 200};
	char all[8192] = "", body[WEBHOOK_MAX], id[2][64], target[128];

	pipeline(all, sizeof(all), "POST " WEBHOOKS, webhook_simple(fresh_id("pipelined", id[0]), body));
	pipeline(all, sizeof(all), "GET /nowhere", "");
	pipeline(all, sizeof(all), "GET /", "");
	pipeline(all, sizeof(all), "POST " WEBHOOKS, webhook_simple(fresh_id("pipelined", id[1]), body));
	pipeline(all, sizeof(all), "PUT " WEBHOOKS, "{}");
	pipeline(all, sizeof(all), "POST " WEBHOOKS, "{}");
	snprintf(target, sizeof(target), "GET /v1/transactions/%s", id[0]);
	pipeline(all, sizeof(all), target, "");
	raw_open(&connection);
	cr_assert(raw_send_text(&connection, all));
	for (size_t n = 0; n < COUNT_OF(expected); n++) {
		struct answer a;
		cr_assert(raw_answer(&connection, &a, ANSWER_MS), "no answer %zu", n);
		cr_assert_eq(a.status, expected[n], "answer %zu: %d %s", n, a.status, a.body);
		answer_finish(&a);
	}
	raw_close(&connection);
	for (int n = 0; n < 2; n++)
		cr_assert_eq(database_number_of(
				     "SELECT count(*) FROM payhook.transactions WHERE transaction_id = $1", id[n]),
			1);
}

/* By a reset, not by a polite end. */
static void hang_up(int fd)
{
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){.l_onoff = 1}, sizeof(struct linger));
	close(fd);
}

Test(hostile, senders_that_hang_up_disturb_nobody)
{
	char all[4096], body[WEBHOOK_MAX], id[64];

	for (int n = 0; n < 500; n++) {
		int fd = raw_connect();
		all[0] = '\0';
		pipeline(all, sizeof(all), "POST " WEBHOOKS, webhook_simple(fresh_id("gone", id), body));
		/* Some hang up in mid-body, the others before their answer. */
		if (n % 3 == 0)
			all[strlen(all) - 20] = '\0';
		send_quietly(fd, all);
		if (n % 2 == 0)
			hang_up(fd);
		else
			close(fd);
		if (n % 25 == 0)
			honest_senders_are_served("beside ones that hang up");
	}
	honest_senders_are_served("after ones that hung up");
	cr_assert_eq(call_get_status("/"), 200);
	/* What was stored is processed, whether its sender learnt of it or not. */
	cr_assert_eq(
		database_wait(
			"SELECT (count(*) = 0)::int FROM payhook.transactions WHERE starts_with(transaction_id, 'gone')"
			" AND status <> 'PROCESSED'",
			NULL, 1, 10000),
		1);
}

Test(hostile, a_sender_that_says_it_sends_more_than_it_does_is_not_stored)
{
	char body[WEBHOOK_MAX], id[64], head[256];

	webhook_simple(fresh_id("short", id), body);
	raw_open(&connection);
	snprintf(head, sizeof(head),
		"POST " WEBHOOKS " HTTP/1.1\r\nHost: payhook\r\nContent-Type: application/json\r\n"
		"Content-Length: %zu\r\n\r\n",
		strlen(body) + 10);
	cr_assert(raw_send_text(&connection, head) && raw_send_text(&connection, body));
	cr_assert_eq(shutdown(connection.fd, SHUT_WR), 0);
	cr_assert(raw_wait_end(&connection, CLOSE_MS));
	cr_assert(connection.len == 0 || strncmp(connection.bytes, "HTTP/1.1 400", 12) == 0, "%s", connection.bytes);
	raw_close(&connection);
	cr_assert_eq(database_number_of("SELECT count(*) FROM payhook.transactions WHERE transaction_id = $1", id), 0);
}
