/* row_idle.c - a system with nothing to do: how soon a single webhook is processed, and what an idle instance uses.
 *
 * A queue that is polled answers slowly when idle or uses processor time for nothing; notifications avoid both.  The
 * row measures the two together. */

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dial.h"
#include "drained.h"
#include "footprint.h"
#include "response.h"
#include "rows.h"
#include "stop.h"

#define RESPONSE_MAX 8192
#define PATIENCE_NS INT64_C(10000000000) /* for one webhook to be processed */

/* Sends a request and reads its response, head and body, into ret.  False if the status is another one. */
static bool call(int fd, const char *request, size_t len, int status, char ret[RESPONSE_MAX + 1], struct fault *f)
{
	struct response response;
	size_t got = 0;
	int whole = 0;
	if (send(fd, request, len, MSG_NOSIGNAL) != (ssize_t)len)
		return fault_set(f, FAULT_BUSY, "a request could not be sent");
	while (whole == 0) {
		ssize_t n = recv(fd, ret + got, RESPONSE_MAX - got, 0);
		if (n <= 0)
			return fault_set(f, FAULT_BUSY, "an answer did not come");
		got += (size_t)n;
		ret[got] = '\0';
		whole = response_read(ret, got, &response);
	}
	return (whole > 0 && response.status == status) || fault_set(f, FAULT_BUSY, "an answer was not %d", status);
}

/* Measures from the 202 until a lookup returns PROCESSED, which is all that a client can observe. */
static bool one_webhook(int fd, struct random *random, struct histogram *h, struct fault *f)
{
	char id[REQUEST_ID_LEN + 1], request[REQUEST_MAX], response[RESPONSE_MAX + 1];
	request_id(random, id);
	if (!call(fd, request, request_post(id, request), 202, response, f))
		return false;
	int64_t accepted_ns = now_ns();
	do {
		if (!call(fd, request, request_get(id, request), 200, response, f))
			return false;
		if (now_ns() - accepted_ns > PATIENCE_NS)
			return fault_set(f, FAULT_BUSY, "a webhook was not processed within 10 s");
	} while (!strstr(response, "\"PROCESSED\""));
	histogram_add(h, (uint64_t)(now_ns() - accepted_ns));
	return true;
}

/* Sends them at random moments, so that they do not always meet the timers of the system at the same point. */
static bool webhooks(struct bench *b, struct stage *s, struct histogram *h, struct fault *f)
{
	struct random random;
	int fd = dial(s->instance.port, f);
	bool ok = fd >= 0;
	random_seed(&random);
	for (int i = 0; ok && i < (b->quick ? 60 : 400); i++) {
		ok = one_webhook(fd, &random, h, f);
		if (ok && !wait_ms(5 + (int)random_below(&random, 20)))
			ok = fault_set(f, FAULT_BUSY, "asked to stop");
	}
	if (fd >= 0)
		close(fd);
	return ok;
}

static bool processed_soon(struct bench *b, struct stage *s, struct fault *f)
{
	struct histogram *h = calloc(1, sizeof *h);
	bool ok = h && webhooks(b, s, h, f);
	if (ok) {
		double p50 = histogram_ms_at(h, 0.5), p99 = histogram_ms_at(h, 0.99);
		report_add(&b->report, "from 202 to processed, p50", "ms", p50);
		report_add_for(&b->report, "from 202 to processed, p99", "ms", p99, TARGET_MOST, 20);
		report_add(&b->report, "from 202 to processed, most", "ms", (double)h->most / 1e6);
		bench_print(b, "from 202 to processed: p50 %.2f ms, p99 %.2f ms", p50, p99);
	}
	free(h);
	return ok;
}

static double largest(const struct instance *i, const char *name)
{
	static struct pids pids;
	double most = 0;
	instance_parts(i, name, &pids);
	for (int n = 0; n < pids.count; n++) {
		double mb = footprint_mb(pids.list[n]);
		most = mb > most ? mb : most;
	}
	return most;
}

/* Memory after a load, when the queue is empty again: buffers that have grown stay. */
static bool memory(struct bench *b, struct stage *s, struct fault *f)
{
	struct table_stats before, after;
	double rate, rows;
	if (!stage_clean(s, f) || !table_stats_read(s, &before, f) ||
		!bench_rate(b, s->instance.port, 256, (struct request_plan){.kind = REQUEST_UNIQUE}, &rate, f) ||
		!pg_number(s->owner, "SELECT count(*) FROM payhook.transactions", &rows, f) ||
		!drained_wait(s, &before, rows, &after, f) || !stage_clean(s, f))
		return false;
	double responder = largest(&s->instance, "payhook-app"), worker = largest(&s->instance, "payhook-worker");
	report_add_for(&b->report, "resident, the largest responder, after a load", "MB", responder, TARGET_MOST, 20);
	report_add_for(&b->report, "resident, the worker, after it, queue empty", "MB", worker, TARGET_MOST, 25);
	bench_print(b, "resident: responder %.1f MB, worker %.1f MB", responder, worker);
	return true;
}

static bool processor(struct bench *b, struct stage *s, struct fault *f)
{
	pid_t top = instance_supervisor(&s->instance);
	int seconds = b->quick ? 5 : 20;
	double before = footprint_cpu_s(top);
	int64_t began_ns = now_ns();
	if (top == 0 || !wait_ms(seconds * 1000))
		return fault_set(f, FAULT_BUSY, "asked to stop, or the instance is gone");
	double percent = (footprint_cpu_s(top) - before) * 1e11 / (double)(now_ns() - began_ns);
	report_add_for(&b->report, "processor time of all, idle, of one core", "%", percent, TARGET_MOST, 1);
	bench_print(b, "idle: %.2f %% of a core", percent);
	return true;
}

static bool measure(struct bench *b, struct fault *f)
{
	struct stage *s;
	return bench_stage(b, STAGE_WORKING, &s, f) && memory(b, s, f) && processed_soon(b, s, f) && processor(b, s, f);
}

const struct row ROW_IDLE = {
	.name = "idle",
	.asks = "how soon a single webhook is processed; memory, and processor time when idle",
	.measure = measure,
};
