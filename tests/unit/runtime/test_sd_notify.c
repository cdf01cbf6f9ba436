/* test_sd_notify.c - messages to the service manager, without and with one that receives them. */

#include <criterion/criterion.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "runtime/sd_notify.h"

static int fd = -1;
static char path[64];

/* Receives as systemd does: a datagram socket with its address in NOTIFY_SOCKET. */
static void listen_at(const char *name)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	size_t len = strlen(name);
	memcpy(at.sun_path, name, len + 1);
	if (*name == '@')
		at.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	cr_assert_eq(bind(fd, (struct sockaddr *)&at, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)), 0);
	setenv("NOTIFY_SOCKET", name, 1);
}

static void begin(void)
{
	snprintf(path, sizeof path, "/tmp/payhook-manager-%d", (int)getpid());
	listen_at(path);
}

static void end(void)
{
	unlink(path);
}

static void reports(const char *wanted)
{
	char text[1024] = "";
	ssize_t got = recv(fd, text, sizeof text - 1, 0);
	cr_assert_geq(got, 0, "nothing was told");
	cr_expect_str_eq(text, wanted);
	cr_expect_eq((size_t)got, strlen(wanted));
}

TestSuite(sd_notify, .init = begin, .fini = end);

Test(sd_notify, sends_each_message_in_one_datagram)
{
	sd_notify_send("READY=1\nSTATUS=works; %d in flight", 3);
	reports("READY=1\nSTATUS=works; 3 in flight");
	char text[8];
	cr_expect_eq(recv(fd, text, sizeof text, 0), -1, "something more was told");
}

Test(sd_notify, reaches_an_abstract_address)
{
	char name[64];
	close(fd);
	snprintf(name, sizeof name, "@payhook-manager-%d", (int)getpid());
	listen_at(name);
	sd_notify_send("WATCHDOG=1");
	reports("WATCHDOG=1");
}

Test(sd_notify, sends_the_beginning_of_a_message_that_is_too_long)
{
	char wanted[256];
	memset(wanted, 'x', sizeof wanted);
	memcpy(wanted, "STATUS=", 7);
	wanted[255] = '\0';
	sd_notify_send("%s%s", wanted, "y");
	reports(wanted);
}

Test(sd_notify, does_not_fail_without_a_receiver)
{
	close(fd);
	sd_notify_send("READY=1");
	unlink(path);
	sd_notify_send("READY=1");
	setenv("NOTIFY_SOCKET", "", 1);
	sd_notify_send("READY=1");
	setenv("NOTIFY_SOCKET", "relative", 1);
	sd_notify_send("READY=1");
	char longest[300];
	memset(longest, 'a', sizeof longest - 1);
	longest[0] = '/';
	longest[sizeof longest - 1] = '\0';
	setenv("NOTIFY_SOCKET", longest, 1);
	sd_notify_send("READY=1");
	unsetenv("NOTIFY_SOCKET");
	sd_notify_send("READY=1");
}

Test(sd_notify, does_not_block_when_the_receiver_does_not_read)
{
	for (int i = 0; i < 10000; i++)
		sd_notify_send("WATCHDOG=1");
	reports("WATCHDOG=1");
}

static void watches(const char *every, const char *pid, int wanted)
{
	setenv("WATCHDOG_USEC", every, 1);
	setenv("WATCHDOG_PID", pid, 1);
	cr_expect_eq(sd_notify_watchdog_ms(), wanted, "%s of %s: %d", every, pid, sd_notify_watchdog_ms());
}

Test(sd_notify, halves_the_interval_of_the_watchdog)
{
	char self[32];
	snprintf(self, sizeof self, "%d", (int)getpid());
	cr_expect_eq(sd_notify_watchdog_ms(), 0);
	watches("30000000", self, 15000);
	watches("2000", self, 1);
	watches("1999", self, 0);
	watches("0", self, 0);
	watches("-5", self, 0);
	watches("word", self, 0);
	watches("9223372036854775807", self, 0);
	watches("30000000", "1", 0);
	unsetenv("WATCHDOG_PID");
	cr_expect_eq(sd_notify_watchdog_ms(), 15000);
}
