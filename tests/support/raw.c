/* raw.c - HTTP requests as raw bytes on a socket. */

#include "support/raw.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "support/calm.h"
#include "support/exchange.h"
#include "support/instance.h"

#define SEND_MS 10000

int raw_connect_from(const char *address)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)instance()->port)};
	struct sockaddr_in from = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	cr_assert_eq(inet_pton(AF_INET, address, &from.sin_addr), 1);
	/* The kernel chooses the port at connect, when it knows the destination: more ports are available then. */
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &(int){1}, sizeof(int));
	cr_assert(fd >= 0 && bind(fd, (struct sockaddr *)&from, sizeof(from)) == 0, "bind: %s", strerror(errno));
	cr_assert(fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0, "connect: %s", strerror(errno));
	/* With Nagle's algorithm, the second of two writes would wait for the acknowledgement of the first. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	return fd;
}

int raw_connect(void)
{
	return raw_connect_from("127.0.0.1");
}

void raw_open_from(struct raw *r, const char *address)
{
	r->fd = raw_connect_from(address);
	r->len = 0;
	r->has_ended = r->is_head = false;
}

void raw_open(struct raw *r)
{
	raw_open_from(r, "127.0.0.1");
}

void raw_close(struct raw *r)
{
	close(r->fd);
	r->fd = -1;
}

bool raw_send(struct raw *r, const char *bytes, size_t len)
{
	long long deadline = calm_ms() + SEND_MS;

	while (len > 0) {
		ssize_t sent = send(r->fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (sent < 0 && errno != EAGAIN)
			return false;
		if (sent < 0 && (calm_ms() > deadline || poll(&(struct pollfd){r->fd, POLLOUT, 0}, 1, SEND_MS) == 0))
			return false;
		bytes += sent > 0 ? sent : 0;
		len -= (size_t)(sent > 0 ? sent : 0);
	}
	return true;
}

bool raw_send_text(struct raw *r, const char *text)
{
	return raw_send(r, text, strlen(text));
}

/* Reads once.  Returns false if nothing arrived by the deadline or the connection is closed. */
static bool receive(struct raw *r, long long deadline)
{
	long long left;
	int ready = 0;

	if (r->has_ended || r->len == RAW_MAX)
		return false;
	while (ready == 0 && (left = deadline - calm_ms()) > 0)
		ready = poll(&(struct pollfd){r->fd, POLLIN, 0}, 1, (int)left);
	if (ready <= 0)
		return false;
	ssize_t got = recv(r->fd, r->bytes + r->len, RAW_MAX - r->len, MSG_DONTWAIT);
	if (got > 0)
		r->len += (size_t)got;
	else if (got == 0 || errno != EAGAIN)
		r->has_ended = true;
	return true;
}

static const char *find_blank_line(const struct raw *r)
{
	return memmem(r->bytes, r->len, "\r\n\r\n", 4);
}

static void take(struct raw *r, size_t head_len, size_t body_len, struct answer *ret)
{
	ret->head = calloc(1, head_len + 1);
	ret->body = calloc(1, body_len + 1);
	cr_assert(ret->head != NULL && ret->body != NULL);
	memcpy(ret->head, r->bytes, head_len);
	memcpy(ret->body, r->bytes + head_len, body_len);
	ret->len = body_len;
	if (sscanf(ret->head, "HTTP/%*d.%*d %d", &ret->status) != 1)
		ret->status = 0;
	r->len -= head_len + body_len;
	memmove(r->bytes, r->bytes + head_len + body_len, r->len);
}

bool raw_answer(struct raw *r, struct answer *ret, int timeout_ms)
{
	long long deadline = calm_ms() + timeout_ms;
	const char *blank;

	*ret = (struct answer){0};
	while ((blank = find_blank_line(r)) == NULL)
		if (!receive(r, deadline))
			return false;
	size_t head_len = (size_t)(blank - r->bytes) + 4;
	char *head = strndup(r->bytes, head_len);
	char length[32];
	answer_header(&(struct answer){.head = head}, "Content-Length", length, sizeof(length));
	free(head);
	size_t body_len = r->is_head ? 0 : strtoul(length, NULL, 10);
	while (r->len < head_len + body_len)
		if (!receive(r, deadline))
			return false;
	take(r, head_len, body_len, ret);
	/* "100 Continue" precedes the answer and is not recorded.  Nor is an answer to HEAD: the record has no method,
	 * so its missing body would look like an error. */
	if (ret->status >= 200 && !r->is_head)
		exchange_note(&(struct exchange){0}, ret);
	return true;
}

bool raw_wait_end(struct raw *r, int timeout_ms)
{
	long long deadline = calm_ms() + timeout_ms;

	while (!r->has_ended && receive(r, deadline))
		continue;
	return r->has_ended;
}
