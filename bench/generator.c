/* generator.c - many connections, a few threads, one clock. */

#include "generator.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "answer.h"
#include "dial.h"
#include "stop.h"

#define ANSWER_MAX 8192
#define EVENTS 128
#define THREADS_MAX 8
#define GRACE_NS INT64_C(5000000000) /* for answers that are still to come at the end */
#define PAUSE_NS INT64_C(50000000)   /* between two looks at being asked to stop */

struct line {
	int fd;
	bool busy;           /* a request is under way */
	int64_t intended_ns; /* when it was to be sent */
	size_t len;
	char answer[ANSWER_MAX + 1];
};

struct worker {
	const struct generator_plan *plan;
	pthread_t thread;
	int connections;
	int64_t begin_ns, count_ns, end_ns; /* start; what counts begins; it ends */
	double rate;
	struct random random;
	int epoll;
	struct line *lines;
	struct line **idle; /* a stack */
	int idle_count;
	int64_t next_ns; /* open loop: when the next request is to be sent */
	uint64_t right, wrong;
	struct histogram latency_ns, late_ns;
	bool ok;
	struct fault fault;
};

/* ---- one connection ---- */

static bool line_open(struct worker *w, struct line *l)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = l};
	l->fd = dial(w->plan->port, &w->fault);
	l->busy = false;
	l->len = 0;
	return l->fd >= 0 && epoll_ctl(w->epoll, EPOLL_CTL_ADD, l->fd, &event) == 0;
}

static void line_idle(struct worker *w, struct line *l)
{
	l->busy = false;
	w->idle[w->idle_count++] = l;
}

/* A new connection in its place.  It is idle, and on the stack, afterwards. */
static bool line_again(struct worker *w, struct line *l)
{
	bool was_busy = l->busy;
	close(l->fd);
	if (!line_open(w, l))
		return false;
	if (was_busy) {
		w->wrong++;
		line_idle(w, l);
	}
	return true;
}

static void line_send(struct worker *w, struct line *l, int64_t intended_ns)
{
	char request[REQUEST_MAX];
	size_t len = request_make(&w->plan->request, &w->random, request);
	l->intended_ns = intended_ns;
	l->busy = true;
	l->len = 0;
	/* What does not go in one piece finds a closed connection; its event says so. */
	if (send(l->fd, request, len, MSG_NOSIGNAL) != (ssize_t)len)
		shutdown(l->fd, SHUT_RDWR);
}

static void line_answered(struct worker *w, struct line *l, int status)
{
	int64_t now = now_ns();
	if (status != w->plan->status)
		w->wrong++;
	else if (now >= w->count_ns && now < w->end_ns)
		w->right++;
	if (l->intended_ns >= w->count_ns && l->intended_ns < w->end_ns)
		histogram_add(&w->latency_ns, (uint64_t)(now - l->intended_ns));
	line_idle(w, l);
}

/* False: the connection cannot be made again. */
static bool line_read(struct worker *w, struct line *l)
{
	struct answer answer;
	ssize_t got = recv(l->fd, l->answer + l->len, ANSWER_MAX - l->len, MSG_DONTWAIT);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (got <= 0)
		return line_again(w, l);
	l->len += (size_t)got;
	l->answer[l->len] = '\0';
	int whole = answer_read(l->answer, l->len, &answer);
	if (whole < 0 || !l->busy)
		return line_again(w, l);
	if (whole == 0)
		return true;
	line_answered(w, l, answer.status);
	l->len = 0;
	return !answer.closes || line_again(w, l);
}

/* ---- the loop ---- */

static bool is_open_loop(const struct worker *w)
{
	return w->rate > 0;
}

/* Sends what is due, as far as there are connections; what finds none keeps its intended time. */
static void send_due(struct worker *w)
{
	int64_t now = now_ns();
	while (w->idle_count > 0) {
		if (!is_open_loop(w)) {
			if (now >= w->end_ns)
				return;
			line_send(w, w->idle[--w->idle_count], now);
			continue;
		}
		if (w->next_ns > now || w->next_ns >= w->end_ns)
			return;
		histogram_add(&w->late_ns, (uint64_t)(now - w->next_ns));
		line_send(w, w->idle[--w->idle_count], w->next_ns);
		w->next_ns += random_pause_ns(&w->random, w->rate);
	}
}

static bool is_over(const struct worker *w)
{
	int64_t now = now_ns();
	if (stop_asked() || now > w->end_ns + GRACE_NS)
		return true;
	bool all_sent = is_open_loop(w) ? w->next_ns >= w->end_ns : now >= w->end_ns;
	return all_sent && w->idle_count == w->connections;
}

static void wait_for_events(struct worker *w, struct epoll_event *events, int *count)
{
	int64_t left = PAUSE_NS;
	if (is_open_loop(w) && w->idle_count > 0 && w->next_ns < w->end_ns) {
		left = w->next_ns - now_ns();
		left = left < 0 ? 0 : left > PAUSE_NS ? PAUSE_NS : left;
	}
	struct timespec timeout = {.tv_nsec = left};
	*count = epoll_pwait2(w->epoll, events, EVENTS, &timeout, NULL);
}

/* Who never got an answer has waited until now at least. */
static void count_unanswered(struct worker *w)
{
	int64_t now = now_ns();
	for (int i = 0; i < w->connections; i++) {
		if (!w->lines[i].busy)
			continue;
		w->wrong++;
		histogram_add(&w->latency_ns, (uint64_t)(now - w->lines[i].intended_ns));
	}
	while (is_open_loop(w) && w->next_ns < w->end_ns) {
		w->wrong++;
		histogram_add(&w->latency_ns, (uint64_t)(now - w->next_ns));
		w->next_ns += random_pause_ns(&w->random, w->rate);
	}
}

static bool lines_open(struct worker *w)
{
	for (int i = 0; i < w->connections; i++)
		w->lines[i].fd = -1;
	for (int i = 0; i < w->connections; i++) {
		if (!line_open(w, &w->lines[i]))
			return false;
		line_idle(w, &w->lines[i]);
	}
	return true;
}

static bool work(struct worker *w)
{
	struct epoll_event events[EVENTS];
	int count;
	if (!lines_open(w))
		return false;
	while (!is_over(w)) {
		send_due(w);
		wait_for_events(w, events, &count);
		for (int i = 0; i < count; i++) {
			if (!line_read(w, events[i].data.ptr))
				return false;
		}
	}
	count_unanswered(w);
	return true;
}

static void *run(void *arg)
{
	struct worker *w = arg;
	w->epoll = epoll_create1(EPOLL_CLOEXEC);
	w->ok = work(w);
	for (int i = 0; i < w->connections; i++) {
		if (w->lines[i].fd >= 0)
			close(w->lines[i].fd);
	}
	close(w->epoll);
	return NULL;
}

/* ---- the threads ---- */

static struct worker *worker_start(const struct generator_plan *plan, int connections, int threads, int64_t begin_ns)
{
	struct worker *w = calloc(1, sizeof *w);
	if (!w)
		return NULL;
	w->plan = plan;
	w->connections = connections;
	w->begin_ns = begin_ns;
	w->count_ns = begin_ns + plan->warm_ms * INT64_C(1000000);
	w->end_ns = w->count_ns + plan->run_ms * INT64_C(1000000);
	w->rate = plan->rate / threads;
	w->lines = calloc((size_t)connections, sizeof *w->lines);
	w->idle = calloc((size_t)connections, sizeof(struct line *));
	random_seed(&w->random);
	w->next_ns = begin_ns;
	if (!w->lines || !w->idle || pthread_create(&w->thread, NULL, run, w) != 0) {
		free(w->lines);
		free(w->idle);
		free(w);
		return NULL;
	}
	return w;
}

static bool worker_join(struct worker *w, struct generator_result *ret, struct fault *f)
{
	pthread_join(w->thread, NULL);
	bool ok = w->ok;
	if (!ok)
		*f = w->fault;
	ret->wrong += w->wrong;
	ret->rate += (double)w->right / w->plan->run_ms * 1000;
	histogram_merge(&ret->latency_ns, &w->latency_ns);
	histogram_merge(&ret->late_ns, &w->late_ns);
	free(w->lines);
	free(w->idle);
	free(w);
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
	struct worker *workers[THREADS_MAX] = {0};
	int threads = plan->connections < plan->threads ? plan->connections : plan->threads;
	int64_t begin_ns = now_ns();
	bool ok = true;

	memset(ret, 0, sizeof *ret);
	ret->began_us = date_us() + plan->warm_ms * INT64_C(1000);
	ret->ended_us = ret->began_us + plan->run_ms * INT64_C(1000);
	for (int i = 0; i < threads; i++) {
		int share = plan->connections / threads + (i < plan->connections % threads);
		workers[i] = worker_start(plan, share, threads, begin_ns);
		if (!workers[i])
			ok = fault_set(f, FAULT_BUSY, "a thread of the load cannot be started");
	}
	for (int i = 0; i < threads; i++) {
		if (workers[i])
			ok = worker_join(workers[i], ret, f) && ok;
	}
	if (ok && stop_asked())
		return fault_set(f, FAULT_BUSY, "asked to stop");
	return ok;
}
