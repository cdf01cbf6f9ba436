/* generator.c - load over HTTP: many connections, a few threads, one clock.
 *
 * Each thread has its share of the connections and of the rate, an epoll of its own, and no state in common with the
 * others; their results are added when they have ended.  The load runs on the cores that it measures, so a request
 * costs it one send and one or two recv, and no allocation.
 *
 * A failure of what is measured is counted and never ends the load.  Requests that were due and got no response
 * count with the time that they have waited, so a system that loses requests cannot look fast. */

#include "generator.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "dial.h"
#include "response.h"
#include "stop.h"

#define RESPONSE_MAX 65536 /* an overview of the console has some 10 kB */
#define EVENTS 128         /* events taken from the kernel at once */
#define THREADS_MAX 8
#define GRACE_NS INT64_C(5000000000) /* time for the last responses after the end */
#define PAUSE_NS INT64_C(50000000)   /* longest wait before the loop looks whether it must stop */

struct http_connection {
	int fd;
	bool busy;           /* a request is under way */
	int64_t intended_ns; /* when it was due */
	size_t len;
	char response[RESPONSE_MAX + 1];
};

struct load_thread {
	const struct generator_plan *plan;
	pthread_t thread;
	int connection_count;
	int64_t begin_ns, count_ns, end_ns; /* the start; begin and end of the measured time */
	double rate;
	struct random random;
	int epoll;
	struct http_connection *connections;
	struct http_connection **idle; /* a stack: the connection used last is in the caches */
	int idle_count;
	int64_t next_ns; /* open loop: when the next request is due */
	uint64_t right, wrong;
	int wrong_status; /* of the first wrong one */
	struct histogram latency_ns, late_ns;
	bool ok;
	struct fault fault;
};

/* ---- one connection ---- */

static bool http_connection_open(struct load_thread *t, struct http_connection *c)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
	c->fd = dial(t->plan->port, &t->fault);
	c->busy = false;
	c->len = 0;
	return c->fd >= 0 && epoll_ctl(t->epoll, EPOLL_CTL_ADD, c->fd, &event) == 0;
}

static void http_connection_idle(struct load_thread *t, struct http_connection *c)
{
	c->busy = false;
	t->idle[t->idle_count++] = c;
}

/* status: 0 if there was no response. */
static void count_wrong(struct load_thread *t, int status)
{
	if (t->wrong++ == 0)
		t->wrong_status = status;
}

/* Replaces a broken or closed connection.  It is idle and on the stack afterwards; a request that was under way on
 * it counts as wrong. */
static bool http_connection_reopen(struct load_thread *t, struct http_connection *c)
{
	bool was_busy = c->busy;
	close(c->fd);
	if (!http_connection_open(t, c))
		return false;
	if (was_busy) {
		count_wrong(t, 0);
		http_connection_idle(t, c);
	}
	return true;
}

static void http_connection_send(struct load_thread *t, struct http_connection *c, int64_t intended_ns)
{
	char request[REQUEST_MAX];
	size_t len = request_make(&t->plan->request, &t->random, request);
	c->intended_ns = intended_ns;
	c->busy = true;
	c->len = 0;
	/* A request that the socket does not take in one piece counts as wrong: the shutdown raises an event for it. */
	if (send(c->fd, request, len, MSG_NOSIGNAL) != (ssize_t)len)
		shutdown(c->fd, SHUT_RDWR);
}

/* A response counts for the rate by the time of its arrival, and for the latency by the time at which its request
 * was due. */
static void http_connection_answered(struct load_thread *t, struct http_connection *c, int status)
{
	int64_t now = now_ns();
	if (status != t->plan->status)
		count_wrong(t, status);
	else if (now >= t->count_ns && now < t->end_ns)
		t->right++;
	if (c->intended_ns >= t->count_ns && c->intended_ns < t->end_ns)
		histogram_add(&t->latency_ns, (uint64_t)(now - c->intended_ns));
	http_connection_idle(t, c);
}

/* Reads what has arrived.  False: the connection broke and cannot be replaced. */
static bool http_connection_read(struct load_thread *t, struct http_connection *c)
{
	struct response response;
	ssize_t got = recv(c->fd, c->response + c->len, RESPONSE_MAX - c->len, MSG_DONTWAIT);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (got <= 0)
		return http_connection_reopen(t, c);
	c->len += (size_t)got;
	c->response[c->len] = '\0';
	int whole = response_read(c->response, c->len, &response);
	if (whole < 0 || !c->busy)
		return http_connection_reopen(t, c);
	if (whole == 0)
		return true;
	http_connection_answered(t, c, response.status);
	c->len = 0;
	return !response.closes || http_connection_reopen(t, c);
}

/* ---- the loop ---- */

static bool is_open_loop(const struct load_thread *t)
{
	return t->rate > 0;
}

/* Sends the requests that are due while there are idle connections.  A request that finds none is sent later and still
 * counts from the moment at which it was due. */
static void send_due(struct load_thread *t)
{
	int64_t now = now_ns();
	while (t->idle_count > 0) {
		if (!is_open_loop(t)) {
			if (now >= t->end_ns)
				return;
			http_connection_send(t, t->idle[--t->idle_count], now);
			continue;
		}
		if (t->next_ns > now || t->next_ns >= t->end_ns)
			return;
		histogram_add(&t->late_ns, (uint64_t)(now - t->next_ns));
		http_connection_send(t, t->idle[--t->idle_count], t->next_ns);
		t->next_ns += random_pause_ns(&t->random, t->rate);
	}
}

/* The load ends when all requests have been sent and answered, or when the grace time is over. */
static bool is_over(const struct load_thread *t)
{
	int64_t now = now_ns();
	if (stop_asked() || now > t->end_ns + GRACE_NS)
		return true;
	bool all_sent = is_open_loop(t) ? t->next_ns >= t->end_ns : now >= t->end_ns;
	return all_sent && t->idle_count == t->connection_count;
}

/* epoll_pwait2() because epoll_wait() rounds to milliseconds, which would delay the requests of an open loop. */
static void wait_for_events(struct load_thread *t, struct epoll_event *events, int *count)
{
	int64_t left = PAUSE_NS;
	if (is_open_loop(t) && t->idle_count > 0 && t->next_ns < t->end_ns) {
		left = t->next_ns - now_ns();
		left = left < 0 ? 0 : left > PAUSE_NS ? PAUSE_NS : left;
	}
	struct timespec timeout = {.tv_nsec = left};
	*count = epoll_pwait2(t->epoll, events, EVENTS, &timeout, NULL);
}

/* Requests without a response, and requests that were due and not sent, have waited at least until now. */
static void count_unanswered(struct load_thread *t)
{
	int64_t now = now_ns();
	for (int i = 0; i < t->connection_count; i++) {
		if (!t->connections[i].busy)
			continue;
		count_wrong(t, 0);
		histogram_add(&t->latency_ns, (uint64_t)(now - t->connections[i].intended_ns));
	}
	while (is_open_loop(t) && t->next_ns < t->end_ns) {
		count_wrong(t, 0);
		histogram_add(&t->latency_ns, (uint64_t)(now - t->next_ns));
		t->next_ns += random_pause_ns(&t->random, t->rate);
	}
}

static bool http_connections_open(struct load_thread *t)
{
	for (int i = 0; i < t->connection_count; i++)
		t->connections[i].fd = -1;
	for (int i = 0; i < t->connection_count; i++) {
		if (!http_connection_open(t, &t->connections[i]))
			return false;
		http_connection_idle(t, &t->connections[i]);
	}
	return true;
}

static bool load_thread_serve(struct load_thread *t)
{
	struct epoll_event events[EVENTS];
	int count;
	if (!http_connections_open(t))
		return false;
	while (!is_over(t)) {
		send_due(t);
		wait_for_events(t, events, &count);
		for (int i = 0; i < count; i++) {
			if (!http_connection_read(t, events[i].data.ptr))
				return false;
		}
	}
	count_unanswered(t);
	return true;
}

static void *load_thread_run(void *arg)
{
	struct load_thread *t = arg;
	t->epoll = epoll_create1(EPOLL_CLOEXEC);
	t->ok = load_thread_serve(t);
	for (int i = 0; i < t->connection_count; i++) {
		if (t->connections[i].fd >= 0)
			close(t->connections[i].fd);
	}
	close(t->epoll);
	return NULL;
}

/* ---- the threads ---- */

/* NULL: out of memory, or no thread. */
static struct load_thread *load_thread_start(
	const struct generator_plan *plan, int connections, int threads, int64_t begin_ns)
{
	struct load_thread *t = calloc(1, sizeof *t);
	if (!t)
		return NULL;
	t->plan = plan;
	t->connection_count = connections;
	t->begin_ns = begin_ns;
	t->count_ns = begin_ns + plan->warm_ms * INT64_C(1000000);
	t->end_ns = t->count_ns + plan->run_ms * INT64_C(1000000);
	t->rate = plan->rate / threads;
	t->connections = calloc((size_t)connections, sizeof *t->connections);
	t->idle = calloc((size_t)connections, sizeof(struct http_connection *));
	random_seed(&t->random);
	t->next_ns = begin_ns;
	if (!t->connections || !t->idle || pthread_create(&t->thread, NULL, load_thread_run, t) != 0) {
		free(t->connections);
		free(t->idle);
		free(t);
		return NULL;
	}
	return t;
}

/* Waits for a thread's end and adds its results.  Histograms are merged, not averaged: percentiles cannot be. */
static bool load_thread_join(struct load_thread *t, struct generator_result *ret, struct fault *f)
{
	pthread_join(t->thread, NULL);
	bool ok = t->ok;
	if (!ok)
		*f = t->fault;
	if (ret->wrong == 0)
		ret->wrong_status = t->wrong_status;
	ret->wrong += t->wrong;
	ret->rate += (double)t->right / t->plan->run_ms * 1000;
	histogram_merge(&ret->latency_ns, &t->latency_ns);
	histogram_merge(&ret->late_ns, &t->late_ns);
	free(t->connections);
	free(t->idle);
	free(t);
	return ok;
}

static int64_t date_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * INT64_C(1000000) + t.tv_nsec / 1000;
}

bool generator_run(const struct generator_plan *plan, struct generator_result *ret, struct fault *f)
{
	struct load_thread *all[THREADS_MAX] = {0};
	int threads = plan->connections < plan->threads ? plan->connections : plan->threads;
	int64_t begin_ns = now_ns();
	bool ok = true;

	memset(ret, 0, sizeof *ret);
	ret->began_us = date_us() + plan->warm_ms * INT64_C(1000);
	ret->ended_us = ret->began_us + plan->run_ms * INT64_C(1000);
	for (int i = 0; i < threads; i++) {
		int share = plan->connections / threads + (i < plan->connections % threads);
		all[i] = load_thread_start(plan, share, threads, begin_ns);
		if (!all[i])
			ok = fault_set(f, FAULT_BUSY, "a thread of the load cannot be started");
	}
	for (int i = 0; i < threads; i++) {
		if (all[i])
			ok = load_thread_join(all[i], ret, f) && ok;
	}
	if (ok && stop_asked())
		return fault_set(f, FAULT_BUSY, "asked to stop");
	return ok;
}
