/* test_generator.c - the load generator of the benchmark, against a server that answers at once, pauses, or answers
 * wrongly. */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "generator.h"
#include "stop.h"

#define PEERS_MAX 32

static const char ACCEPTED[] = "HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\nok";
static const char REFUSED[] = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";
static const char CLOSING[] = "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/* A server with one thread. */
struct server {
	const char *answer;
	bool closes;          /* the connection, after each answer */
	int64_t still_ns;     /* the time at which it pauses */
	int64_t still_for_ns; /* the length of the pause; 0: it never pauses */
	int port;
	int listener;
	pthread_t thread;
	struct pollfd peers[PEERS_MAX + 2]; /* the pipe that ends the thread, the listening socket, connections */
	nfds_t count;
	int end[2];
	uint64_t answers;
};

static void stand_still(struct server *s)
{
	if (s->still_for_ns == 0 || now_ns() < s->still_ns)
		return;
	nanosleep(&(struct timespec){s->still_for_ns / 1000000000, s->still_for_ns % 1000000000}, NULL);
	s->still_for_ns = 0;
}

/* A request of the generator arrives in one piece. */
static void answer(struct server *s, nfds_t i)
{
	char request[2048];
	ssize_t got = recv(s->peers[i].fd, request, sizeof request, 0);
	stand_still(s);
	if (got > 0) {
		s->answers++;
		cr_assert_eq(
			send(s->peers[i].fd, s->answer, strlen(s->answer), MSG_NOSIGNAL), (ssize_t)strlen(s->answer));
	}
	if (got <= 0 || s->closes) {
		close(s->peers[i].fd);
		s->peers[i] = s->peers[--s->count];
	}
}

static void *serve(void *arg)
{
	struct server *s = arg;
	while (poll(s->peers, s->count, -1) >= 0 && !s->peers[0].revents) {
		for (nfds_t i = s->count; i-- > 2;)
			if (s->peers[i].revents)
				answer(s, i);
		if (s->peers[1].revents) {
			cr_assert(s->count < PEERS_MAX + 2);
			s->peers[s->count++] = (struct pollfd){.fd = accept(s->listener, NULL, NULL), .events = POLLIN};
		}
	}
	for (nfds_t i = 2; i < s->count; i++)
		close(s->peers[i].fd);
	return NULL;
}

static void server_open(struct server *s)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof address;
	s->listener = socket(AF_INET, SOCK_STREAM, 0);
	cr_assert_eq(bind(s->listener, (struct sockaddr *)&address, len), 0);
	cr_assert_eq(listen(s->listener, PEERS_MAX), 0);
	getsockname(s->listener, (struct sockaddr *)&address, &len);
	s->port = ntohs(address.sin_port);
	cr_assert_eq(pipe(s->end), 0);
	s->peers[0] = (struct pollfd){.fd = s->end[0], .events = POLLIN};
	s->peers[1] = (struct pollfd){.fd = s->listener, .events = POLLIN};
	s->count = 2;
	pthread_create(&s->thread, NULL, serve, s);
}

static void server_close(struct server *s)
{
	cr_assert_eq(write(s->end[1], "e", 1), 1);
	pthread_join(s->thread, NULL);
	close(s->listener);
	close(s->end[0]);
	close(s->end[1]);
}

static struct generator_result result;

static void run(struct server *s, double rate, int warm_ms, int run_ms)
{
	struct fault f;
	struct generator_plan plan = {
		.connections = 8, .threads = 2, .status = 202, .rate = rate, .warm_ms = warm_ms, .run_ms = run_ms};
	server_open(s);
	plan.port = s->port;
	bool ok = generator_run(&plan, &result, &f);
	server_close(s);
	cr_assert(ok, "%s", f.text);
}

/* Requests due during a pause of one second wait half a second on average.  A closed loop would have seen only eight of
 * them. */
Test(generator, counts_every_request_that_was_due_while_the_server_stood_still)
{
	struct server s = {.answer = ACCEPTED, .still_ns = now_ns() + 500000000, .still_for_ns = 1000000000};
	run(&s, 1000, 0, 2000);
	uint64_t count = result.latency_ns.count;
	cr_expect(count > 1700 && count < 2300, "a Poisson process of 1,000 a second came %lu times in two seconds",
		(unsigned long)count);
	cr_expect(histogram_at(&result.latency_ns, 0.75) > 300000000, "a quarter has waited %lu ms or more",
		(unsigned long)histogram_at(&result.latency_ns, 0.75) / 1000000);
	cr_expect(result.latency_ns.most > 900000000);
	cr_expect_eq(result.wrong, 0);
}

Test(generator, of_a_closed_loop_counts_answers_within_its_time)
{
	struct server s = {.answer = ACCEPTED};
	run(&s, 0, 200, 500);
	double counted = result.rate / 2;
	cr_expect(counted > 0 && counted <= (double)s.answers, "%.0f of %lu", counted, (unsigned long)s.answers);
	cr_expect(counted < (double)s.answers - 8, "what came before and after counts too: %.0f of %lu", counted,
		(unsigned long)s.answers);
	cr_expect_eq(result.wrong, 0);
}

Test(generator, does_not_take_a_database_error_for_an_answer)
{
	struct server s = {.answer = REFUSED};
	run(&s, 0, 0, 300);
	cr_expect_eq(result.rate, 0);
	cr_expect_eq(result.wrong, s.answers);
}

Test(generator, goes_on_over_another_connection_when_one_is_announced_to_close)
{
	struct server s = {.answer = CLOSING, .closes = true};
	run(&s, 0, 0, 300);
	cr_expect(result.rate > 0);
	cr_expect_eq(result.wrong, 0);
}

Test(generator, counts_a_connection_that_breaks_as_wrong)
{
	struct server s = {.answer = "", .closes = true};
	run(&s, 0, 0, 300);
	cr_expect_eq(result.rate, 0);
	cr_expect(result.wrong > 0);
}
