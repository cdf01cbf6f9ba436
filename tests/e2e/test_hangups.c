/* test_hangups.c - clients that close the connection before their answer, or shut it down before the end of their
 * request. */

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/base.h"
#include "support/background_sender.h"
#include "support/expect.h"
#include "support/instance.h"
#include "support/instance_database.h"
#include "support/raw.h"

#define ANSWER_MS 5000
#define CLOSE_MS 1000 /* nginx has nothing to wait for */
#define GONE 500

#define OF_ID "SELECT count(*) FROM payhook.transactions WHERE transaction_id = $1"

static struct raw connection;

static const char *post(const char *id, const char *more_headers, char ret[4096])
{
	char body[WEBHOOK_MAX];

	webhook_simple(id, body);
	snprintf(ret, 4096,
		"POST " WEBHOOKS " HTTP/1.1\r\nHost: payhook\r\nContent-Type: application/json\r\n%s"
		"Content-Length: %zu\r\n\r\n%s",
		more_headers, strlen(body), body);
	return ret;
}

/* Closes with a reset instead of a FIN. */
static void hang_up(int fd)
{
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){.l_onoff = 1}, sizeof(struct linger));
	close(fd);
}

Test(hangups, senders_that_hang_up_disturb_nobody)
{
	char all[4096], id[64];

	background_sender_begin();
	for (int n = 0; n < GONE; n++) {
		post(fresh_id("gone", id), "", all);
		/* Some close in the middle of the body, the others before their answer. */
		if (n % 3 == 0)
			all[strlen(all) - 20] = '\0';
		raw_open(&connection);
		cr_assert(raw_send_text(&connection, all));
		if (n % 2 == 0)
			hang_up(connection.fd);
		else
			raw_close(&connection);
	}
	background_sender_end();
	/* A webhook that was stored is processed, whether its sender received the answer or not. */
	cr_assert_eq(
		database_wait(
			"SELECT (count(*) = 0)::int FROM payhook.transactions WHERE starts_with(transaction_id, 'gone')"
			" AND status <> 'PROCESSED'",
			NULL, 1, 10000),
		1);
}

/* Sends the text and shuts the connection down for writing. */
static void send_and_shut(const char *text, size_t len)
{
	raw_open(&connection);
	cr_assert(raw_send(&connection, text, len));
	cr_assert_eq(shutdown(connection.fd, SHUT_WR), 0);
}

Test(hangups, a_whole_request_is_answered_though_nothing_can_follow)
{
	struct answer a;
	char all[4096], id[64];

	background_sender_begin();
	post(fresh_id("last-word", id), "", all);
	send_and_shut(all, strlen(all));
	cr_assert(raw_answer(&connection, &a, ANSWER_MS));
	cr_assert_eq(a.status, 202, "%d %s", a.status, a.body);
	answer_finish(&a);
	cr_assert(raw_wait_end(&connection, CLOSE_MS));
	raw_close(&connection);
	background_sender_end();
	cr_assert_eq(database_number_of(OF_ID, id), 1);
}

/* The connection is closed at once and without an answer, wherever the request ends. */
static void expect_silent_end(const char *text, size_t len)
{
	send_and_shut(text, len);
	cr_assert(raw_wait_end(&connection, CLOSE_MS), "not closed after %zu of %zu bytes", len, strlen(text));
	cr_assert_eq(connection.len, 0, "after %zu bytes: %.*s", len, (int)connection.len, connection.bytes);
	raw_close(&connection);
}

Test(hangups, half_a_request_is_not_stored_wherever_it_ends)
{
	char all[4096], chunked[4096], id[64], chunked_id[64], body[WEBHOOK_MAX];

	background_sender_begin();
	post(fresh_id("half", id), "", all);
	webhook_simple(fresh_id("half", chunked_id), body);
	snprintf(chunked, sizeof(chunked),
		"POST " WEBHOOKS " HTTP/1.1\r\nHost: payhook\r\nContent-Type: application/json\r\n"
		"Transfer-Encoding: chunked\r\n\r\n%zx\r\n%s\r\n0\r\n\r\n",
		strlen(body), body);
	for (size_t len = 1; len < strlen(all); len += len < strlen(all) - 10 ? 7 : 1)
		expect_silent_end(all, len);
	for (size_t len = 1; len < strlen(chunked); len += len < strlen(chunked) - 10 ? 7 : 1)
		expect_silent_end(chunked, len);
	background_sender_end();
	cr_assert_eq(database_number_of(OF_ID, id), 0);
	cr_assert_eq(database_number_of(OF_ID, chunked_id), 0);
}

/* The body is shorter than Content-Length. */
Test(hangups, a_body_shorter_than_its_content_length_is_not_stored)
{
	char all[4096], id[64];

	background_sender_begin();
	post(fresh_id("short", id), "", all);
	char *length = strstr(all, "Content-Length: ") + 16;
	cr_assert_neq(*length, '9');
	++*length;
	expect_silent_end(all, strlen(all));
	background_sender_end();
	cr_assert_eq(database_number_of(OF_ID, id), 0);
}
