/* test_processor_bounds.c - the http processor with many calls, slow ones, cancelled ones, and without a server. */

#include <criterion/criterion.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "support/caller.h"

#define MANY 256
#define LOOKUP_MS 999

static struct caller c;

static void open_all(void)
{
	caller_open(&c);
}

static void close_all(void)
{
	caller_close(&c);
}

TestSuite(processor_bounds, .init = open_all, .fini = close_all);

/* Replaces the C library's function for this program: a lookup takes a while and fails.  curl calls it in a thread of
 * its own, where sleeping does not stop the loop. */
int getaddrinfo(const char *restrict node, const char *restrict service, const struct addrinfo *restrict hints,
	struct addrinfo **restrict ret)
{
	(void)node, (void)service, (void)hints, (void)ret;
	struct timespec wait = {.tv_nsec = LOOKUP_MS * 1000000L};
	nanosleep(&wait, NULL);
	return EAI_NONAME;
}

static struct made many[MANY];

static void start_many(void)
{
	for (int i = 0; i < MANY; i++) {
		many[i] = made_of("transactions", "tx_1");
		caller_start(&c, &many[i]);
	}
}

static int64_t took_ms(const struct made *m)
{
	return m->ended_ms - m->began_ms;
}

/* ---- connections ---- */

Test(processor_bounds, uses_a_connection_again)
{
	for (int i = 0; i < 50; i++) {
		struct made m = made_of("transactions", "tx_1");
		caller_call(&c, &m);
		cr_assert_eq(m.result, CALL_DONE, "%s", m.why);
	}
	cr_expect_eq(http_server_calls(c.server), 50);
	cr_expect_eq(http_server_connections(c.server), 1);
}

Test(processor_bounds, makes_as_many_calls_at_once_as_there_are_slots)
{
	http_server_hold(c.server);
	start_many();
	caller_until_heard(&c, MANY);
	cr_expect_eq(c.ended, 0);
	http_server_release(c.server);
	caller_until_ended(&c, MANY);
	for (int i = 0; i < MANY; i++)
		cr_expect_eq(many[i].result, CALL_DONE, "%s", many[i].why);
	start_many();
	caller_until_ended(&c, 2 * MANY);
	cr_expect_eq(http_server_calls(c.server), 2 * MANY);
	cr_expect_eq(http_server_connections(c.server), MANY, "all of them are kept");
}

Test(processor_bounds, calls_again_when_a_kept_connection_was_closed)
{
	for (int i = 0; i < 5; i++) {
		struct made m = made_of("transactions", "tx_1");
		caller_call(&c, &m);
		cr_expect_eq(m.result, CALL_DONE, "%s", m.why);
		http_server_close_idle(c.server);
	}
	cr_expect_eq(http_server_calls(c.server), 5);
	cr_expect_eq(http_server_connections(c.server), 5);
}

Test(processor_bounds, asks_no_proxy_of_the_environment)
{
	setenv("http_proxy", "http://127.0.0.1:1/", 1);
	setenv("ALL_PROXY", "http://127.0.0.1:1/", 1);
	struct made m = made_of("transactions", "tx_1");
	caller_call(&c, &m);
	cr_expect_eq(m.result, CALL_DONE, "%s", m.why);
}

/* ---- time ---- */

Test(processor_bounds, waits_for_a_slow_answer)
{
	http_server_answer(c.server, 1, (struct http_answer){.delay_ms = 300});
	struct made m = made_of("transactions", "tx_1");
	caller_call(&c, &m);
	cr_expect_eq(m.result, CALL_DONE, "%s", m.why);
	cr_expect_geq(took_ms(&m), 290);
}

Test(processor_bounds, gives_an_answer_its_time_and_no_more)
{
	const struct http_answer slow[] = {{.never = true}, {.bytes = "HTTP/1.1 200 OK\r\nContent-Le"},
		{.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"}};
	c.settings.processor_timeout_ms = 250;
	for (size_t i = 0; i < COUNT_OF(slow); i++) {
		http_server_answer(c.server, 1, slow[i]);
		struct made m = made_of("transactions", "tx_1");
		caller_call(&c, &m);
		cr_expect_eq(m.result, CALL_AGAIN);
		cr_expect_not_null(strstr(m.why, "timed out"), "%s", m.why);
		cr_expect(took_ms(&m) >= 240 && took_ms(&m) < 2000, "%d ms", (int)took_ms(&m));
	}
}

/* A listening socket with a full queue, which answers no more connection attempts. */
static int full_socket(int fillers[8])
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	cr_assert(bind(fd, (struct sockaddr *)&address, len) == 0 && listen(fd, 0) == 0);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	for (int i = 0; i < 8; i++) {
		fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		cr_assert(connect(fillers[i], (struct sockaddr *)&address, len) == 0 || errno == EINPROGRESS);
	}
	snprintf(c.settings.processor_url, sizeof c.settings.processor_url, "http://127.0.0.1:%d/",
		ntohs(address.sin_port));
	return fd;
}

Test(processor_bounds, gives_connecting_its_own_time)
{
	int fillers[8], fd = full_socket(fillers);
	c.settings.processor_connect_timeout_ms = 250;
	struct made m = made_of("transactions", "tx_1");
	caller_call(&c, &m);
	cr_expect_eq(m.result, CALL_AGAIN);
	cr_expect_not_null(strstr(m.why, "no answer from the processor: "), "%s", m.why);
	cr_expect(took_ms(&m) >= 240 && took_ms(&m) < 2000, "%d ms", (int)took_ms(&m));
	for (int i = 0; i < 8; i++)
		close(fillers[i]);
	close(fd);
}

static int longest_turn_ms;
static int64_t last_tick_ms;

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what, (void)arg;
	int64_t now = clock_ms();
	if (now - last_tick_ms > longest_turn_ms)
		longest_turn_ms = (int)(now - last_tick_ms);
	last_tick_ms = now;
}

/* curl resolves names in threads.  By default it would wait for the thread of a call that is over. */
Test(processor_bounds, does_not_stop_the_loop_for_a_slow_lookup)
{
	struct timeval often = {.tv_usec = 5000};
	struct event *tick = event_new(c.base, -1, EV_PERSIST, on_tick, NULL);
	snprintf(c.settings.processor_url, sizeof c.settings.processor_url, "http://processor.example/");
	c.settings.processor_connect_timeout_ms = 100;
	struct made late = made_of("transactions", "tx_1"), cancelled = made_of("transactions", "tx_2");
	last_tick_ms = clock_ms();
	event_add(tick, &often);
	caller_start(&c, &cancelled);
	caller_for(&c, 50);
	caller_cancel(&c, &cancelled);
	caller_call(&c, &late);
	cr_expect_eq(late.result, CALL_AGAIN);
	cr_expect_lt(took_ms(&late), 700, "%s", late.why);
	caller_for(&c, LOOKUP_MS + 100); /* until the threads have ended */
	cr_expect_lt(longest_turn_ms, 600, "the loop stood for %d ms", longest_turn_ms);
	cr_expect_not(cancelled.ended);
	event_free(tick);
}

Test(processor_bounds, tries_again_when_its_name_is_not_found)
{
	snprintf(c.settings.processor_url, sizeof c.settings.processor_url, "http://processor.example/");
	struct made m = made_of("transactions", "tx_1");
	caller_call(&c, &m);
	cr_expect_eq(m.result, CALL_AGAIN);
	cr_expect_str_eq(m.why, "no answer from the processor: Could not resolve host: processor.example");
}

/* ---- no server ---- */

Test(processor_bounds, tries_again_when_nobody_listens)
{
	http_server_close(c.server);
	c.server = NULL;
	start_many();
	caller_until_ended(&c, MANY);
	for (int i = 0; i < MANY; i++) {
		cr_expect_eq(many[i].result, CALL_AGAIN);
		cr_expect_not_null(
			strstr(many[i].why, "no answer from the processor: Failed to connect"), "%s", many[i].why);
	}
}

Test(processor_bounds, tries_again_when_the_server_goes_during_the_calls)
{
	http_server_hold(c.server);
	start_many();
	caller_until_heard(&c, MANY);
	http_server_close(c.server);
	c.server = NULL;
	caller_until_ended(&c, MANY);
	for (int i = 0; i < MANY; i++)
		cr_expect_eq(many[i].result, CALL_AGAIN, "%s", many[i].why);
}

/* ---- cancelling ---- */

Test(processor_bounds, reports_nothing_of_a_cancelled_call)
{
	http_server_answer(c.server, 1, (struct http_answer){.delay_ms = 50});
	struct made m = made_of("transactions", "tx_1");
	caller_start(&c, &m);
	caller_until_heard(&c, 1);
	caller_cancel(&c, &m);
	caller_for(&c, 100);
	cr_expect_eq(c.ended, 0);
	cr_expect_eq(http_server_open_connections(c.server), 0, "its connection is of no more use");
}

Test(processor_bounds, cancels_at_any_moment_and_uses_what_is_left)
{
	http_server_hold(c.server);
	for (int turns = 0; turns < 8; turns++) {
		start_many();
		for (int i = 0; i < turns; i++)
			event_base_loop(c.base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
		for (int i = 0; i < MANY; i++)
			caller_cancel(&c, &many[i]);
	}
	cr_expect_eq(c.ended, 0);
	http_server_release(c.server);
	struct made m = made_of("transactions", "tx_1");
	caller_call(&c, &m);
	cr_expect_eq(m.result, CALL_DONE, "%s", m.why);
}

static void cancel_the_others(struct caller *caller, struct made *ended)
{
	for (int i = 0; i < MANY; i++) {
		if (&many[i] != ended)
			caller_cancel(caller, &many[i]);
	}
}

/* All answers have arrived when the end of the first call is reported. */
Test(processor_bounds, cancels_the_others_when_one_ends)
{
	http_server_hold(c.server);
	start_many();
	caller_until_heard(&c, MANY);
	c.on_end = cancel_the_others;
	http_server_release(c.server);
	caller_until_ended(&c, 1);
	caller_for(&c, 50);
	cr_expect_eq(c.ended, 1);
}

static struct made next;

static void start_the_next(struct caller *caller, struct made *ended)
{
	(void)ended;
	caller->on_end = NULL;
	caller_start(caller, &next);
}

Test(processor_bounds, starts_a_call_when_another_ends)
{
	struct made first = made_of("transactions", "tx_1");
	next = made_of("transactions", "tx_2");
	c.on_end = start_the_next;
	caller_start(&c, &first);
	caller_until_ended(&c, 2);
	cr_expect_eq(next.result, CALL_DONE, "%s", next.why);
	cr_expect_str_eq(http_heard_value(http_server_heard(c.server, 1), "Idempotency-Key"), "tx_2");
	cr_expect_str_eq(http_heard_value(http_server_heard(c.server, 0), "X-Request-Id"), first.request_id);
}

Test(processor_bounds, ends_with_calls_under_way)
{
	http_server_hold(c.server);
	start_many();
	caller_until_heard(&c, MANY / 2);
	memset(many, 0x5a, sizeof many); /* a worker that ends frees its jobs before the processor */
}

Test(processor_bounds, knows_whether_a_call_may_end)
{
	http_server_hold(c.server);
	struct made m = made_of("transactions", "tx_1");
	caller_start(&c, &m);
	cr_expect(PROCESSOR_HTTP.ends_by(c.processor, clock_ms() + 1000));
	caller_until_heard(&c, 1);
	cr_expect(PROCESSOR_HTTP.ends_by(c.processor, clock_ms() + 1000));
	cr_expect(caller_cancel(&c, &m), "it was received");
	cr_expect_not(PROCESSOR_HTTP.ends_by(c.processor, clock_ms() + 1000));
}

Test(processor_bounds, knows_whether_a_cancelled_call_was_sent)
{
	struct made sent = made_of("transactions", "tx_1"), unsent = made_of("transactions", "tx_2");
	http_server_hold(c.server);
	caller_start(&c, &sent);
	caller_until_heard(&c, 1);
	cr_expect(caller_cancel(&c, &sent));
	caller_start(&c, &unsent); /* with the transfer of the other */
	cr_expect_not(caller_cancel(&c, &unsent));
}

/* ---- calls that cannot be made ---- */

Test(processor_bounds, ends_a_call_without_its_transaction_from_the_loop)
{
	struct made m = made_of("transactions", "tx_1"), other = m;
	m.job.created_at = other.job.created_at = NULL;
	caller_start(&c, &m);
	caller_start(&c, &other);
	cr_expect(PROCESSOR_HTTP.ends_by(c.processor, clock_ms()));
	cr_expect_not(caller_cancel(&c, &other), "it was never sent");
	caller_until_ended(&c, 1);
	caller_for(&c, 20);
	cr_expect_eq(m.result, CALL_ABSENT);
	cr_expect_str_eq(m.why, "the transaction is not in the database any more");
	cr_expect_not(other.ended);
	cr_expect_eq(http_server_calls(c.server), 0);
}

Test(processor_bounds, wants_to_know_the_transaction)
{
	cr_expect(PROCESSOR_HTTP.wants_transaction);
	cr_expect_not(PROCESSOR_SIMULATED.wants_transaction);
}
