/* stop.c - stopping by a signal, and waiting. */

#include "stop.h"

#include <poll.h>
#include <signal.h>
#include <time.h>

static volatile sig_atomic_t asked;

static void on_signal(int number)
{
	(void)number;
	asked = 1;
}

/* Without SA_RESTART, so that a signal interrupts a system call that waits. */
void stop_listen(void)
{
	struct sigaction action = {.sa_handler = on_signal};
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
}

bool stop_asked(void)
{
	return asked;
}

int64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/* At most 100 ms at a time: a signal that arrives between the look at the flag and poll() does not interrupt poll(). */
bool wait_ms(int ms)
{
	int64_t until = now_ns() + ms * INT64_C(1000000);
	while (!stop_asked() && now_ns() < until) {
		int64_t left = (until - now_ns()) / 1000000 + 1;
		poll(NULL, 0, left < 100 ? (int)left : 100);
	}
	return !stop_asked();
}
