/* test_fastcgi.c - malformed FastCGI on the socket of the pool, bypassing nginx.
 *
 * Only nginx's group can open that socket, so no sender can do this.  Nevertheless a responder must answer or close
 * within two of its timeouts, and continue.  The exception is an FCGI_GET_VALUES that repeats a name: libfcgi writes
 * past its buffer and crashes, and multiwatch starts another responder.  A sender's body cannot get there
 * (test_smuggling.c).  Other records with request id 0 are not tested: libfcgi leaks 48 bytes for each. */

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/base.h"
#include "support/calm.h"
#include "support/expect.h"
#include "support/instance.h"
#include "support/logs.h"

#define CLOSE_MS 3000 /* a responder waits for its peer 500 ms at a time, for at most two reads */
#define BEGIN "\1\1\0\1\0\10\0\0\0\1\0\0\0\0\0\0"
#define BEGIN_KEPT "\1\1\0\1\0\10\0\0\0\1\1\0\0\0\0\0"
#define OF_ROLE(role) "\1\1\0\1\0\10\0\0\0" role "\0\0\0\0\0\0"
#define NO_PARAMS "\1\4\0\1\0\0\0\0"
#define NO_STDIN "\1\5\0\1\0\0\0\0"
#define ABORT "\1\2\0\1\0\0\0\0"
#define TEXT(literal) literal, sizeof(literal) - 1

static const struct nonsense {
	const char *what, *bytes;
	size_t len;
} all[] = {
	{"zeros", TEXT("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0")},
	{"HTTP", TEXT("POST /v1/webhooks/transactions HTTP/1.1\r\nHost: a\r\n\r\n")},
	{"another version", TEXT("\2\1\0\1\0\10\0\0\0\1\0\0\0\0\0\0")},
	{"half a header", TEXT("\1\1\0\1")},
	{"a beginning and no more", TEXT(BEGIN)},
	{"a kept beginning and no more", TEXT(BEGIN_KEPT)},
	{"a beginning that is too short", TEXT("\1\1\0\1\0\2\0\0\0\1")},
	{"a role that nobody has", TEXT(OF_ROLE("\7") NO_PARAMS NO_STDIN)},
	{"no parameter", TEXT(BEGIN NO_PARAMS NO_STDIN)},
	{"a body without an end", TEXT(BEGIN NO_PARAMS "\1\5\0\1\0\2\0\0{}")},
	{"a body and no length", TEXT(BEGIN NO_PARAMS "\1\5\0\1\0\2\0\0{}" NO_STDIN)},
	{"half a parameter", TEXT(BEGIN "\1\4\0\1\0\4\0\0\10\10AB" NO_PARAMS NO_STDIN)},
	{"a parameter of 4 GiB", TEXT(BEGIN "\1\4\0\1\0\12\0\0\377\377\377\377\377\377\377\377ab" NO_PARAMS NO_STDIN)},
	{"two sizes whose sum overflows",
		TEXT(BEGIN "\1\4\0\1\0\12\0\0\377\377\377\377\200\0\0\1ab" NO_PARAMS NO_STDIN)},
	{"a parameter of 1 MiB", TEXT(BEGIN "\1\4\0\1\0\12\0\0\200\20\0\0\200\0\0\1ab" NO_PARAMS NO_STDIN)},
	{"an abort first", TEXT(ABORT BEGIN NO_PARAMS NO_STDIN)},
	{"an abort instead of a body", TEXT(BEGIN NO_PARAMS ABORT)},
	{"a body first", TEXT("\1\5\0\1\0\2\0\0{}" BEGIN NO_PARAMS NO_STDIN)},
	{"a type that nobody has", TEXT(BEGIN "\1\115\0\1\0\2\0\0xx" NO_PARAMS NO_STDIN)},
};

static int pool_connect(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	char path[128], line[256];
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(path, sizeof(path), "%s/state/nginx/payhook.conf", instance()->folder);
	FILE *f = fopen(path, "re");
	cr_assert_not_null(f, "%s: %s", path, strerror(errno));
	while (a.sun_path[0] == '\0' && fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, " server unix:%107[^; \n]", a.sun_path) != 1)
			a.sun_path[0] = '\0';
	fclose(f);
	cr_assert(fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0, "%s: %s", a.sun_path, strerror(errno));
	return fd;
}

static void wait_end(int fd, const char *what)
{
	long long deadline = calm_ms() + CLOSE_MS, left;
	char bytes[4096];
	ssize_t got = 1;

	while (got > 0) {
		left = deadline - calm_ms();
		cr_assert(left > 0 && poll(&(struct pollfd){fd, POLLIN, 0}, 1, (int)left) == 1, "%s: not closed", what);
		got = recv(fd, bytes, sizeof(bytes), 0);
	}
}

Test(fastcgi, nonsense_on_the_socket_ends_in_bounded_time_and_harms_no_responder)
{
	struct pids before, after;

	instance_parts(instance(), "payhook-app", &before);
	for (size_t n = 0; n < COUNT_OF(all); n++) {
		int fd = pool_connect();
		cr_assert(send(fd, all[n].bytes, all[n].len, MSG_NOSIGNAL) == (ssize_t)all[n].len);
		wait_end(fd, all[n].what);
		close(fd);
		cr_assert_eq(call_get_status("/livez"), 200, "after %s", all[n].what);
	}
	expect_recovery(5000);
	instance_parts(instance(), "payhook-app", &after);
	cr_assert_eq(after.count, before.count);
	for (int n = 0; n < after.count; n++)
		cr_assert(process_in(&before, after.list[n]), "a new responder");
}

/* The parameters of a webhook: 106 bytes, and 6 of padding. */
#define POST_OF_TEN_BYTES                            \
	"\1\4\0\1\0\152\6\0"                         \
	"\16\4REQUEST_METHODPOST"                    \
	"\13\31REQUEST_URI/v1/webhooks/transactions" \
	"\14\20CONTENT_TYPEapplication/json"         \
	"\16\2CONTENT_LENGTH10"                      \
	"\0\0\0\0\0\0"

static const struct nonsense broken[] = {
	{"a body that stops half-way", TEXT(BEGIN POST_OF_TEN_BYTES NO_PARAMS "\1\5\0\1\0\2\0\0{}")},
	{"half a record of a body", TEXT(BEGIN_KEPT POST_OF_TEN_BYTES NO_PARAMS "\1\5\0\1\0\12\0\0{}")},
	{"a body that is shorter than its length",
		TEXT(BEGIN_KEPT POST_OF_TEN_BYTES NO_PARAMS "\1\5\0\1\0\2\0\0{}" NO_STDIN)},
	{"an abort within a body", TEXT(BEGIN POST_OF_TEN_BYTES NO_PARAMS "\1\5\0\1\0\2\0\0{}" ABORT)},
};

/* nginx has the whole request before it sends any of it, so the sender is not at fault.  Without a reply, nginx sends the
 * request to another responder; a 4xx would make the provider give up. */
Test(fastcgi, a_request_that_nginx_does_not_send_whole_is_closed_without_a_reply)
{
	char line[4096], byte;

	for (size_t n = 0; n < COUNT_OF(broken); n++) {
		int fd = pool_connect();
		cr_assert(send(fd, broken[n].bytes, broken[n].len, MSG_NOSIGNAL) == (ssize_t)broken[n].len);
		cr_assert_eq(poll(&(struct pollfd){fd, POLLIN, 0}, 1, CLOSE_MS), 1, "%s: not closed", broken[n].what);
		cr_expect_leq(recv(fd, &byte, 1, 0), 0, "%s: answered", broken[n].what);
		close(fd);
	}
	logs_wait("pool", "\"event\":\"request not read\"", "\"reason\":", line, sizeof(line));
	cr_assert_eq(call_get_status("/livez"), 200);
}

/* A silent connection occupies a slot only until a connection with a request needs it. */
Test(fastcgi, silence_on_the_socket_takes_no_slot_from_a_request)
{
	static int fds[2100]; /* more than the slots of two responders */
	int count = 0;

	for (; count < (int)COUNT_OF(fds); count++) {
		fds[count] = pool_connect();
		if (count % 100 == 0)
			cr_assert_eq(call_get_status("/livez"), 200, "beside %d silent ones", count);
	}
	expect_recovery(5000);
	for (int n = 0; n < count; n++)
		close(fds[n]);
	expect_recovery(5000);
}
