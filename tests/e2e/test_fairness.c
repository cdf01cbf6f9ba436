/* test_fairness.c - webhooks that are posted while another sender floods the responders with conflicts: of another source,
 * and of the same one. */

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/base.h"
#include "support/calm.h"
#include "support/expect.h"
#include "support/instance.h"
#include "support/instance_database.h"
#include "support/load.h"
#include "support/process.h"

static char file_setting[96];

const char *const instance_settings[] = {file_setting, "PROCESSOR_DELAY_MS=0", NULL};

#define MANY "/v1/webhooks/many"
#define SOURCES                                                                                                      \
	"{\"sources\":[{\"name\":\"many\",\"scheme\":\"none\",\"items\":\"/items\",\"mapping\":{\"transaction_id\":" \
	"{\"at\":\"/i\"},\"source_account\":{\"value\":\"a\"},\"destination_account\":{\"value\":\"b\"},\"amount\":" \
	"{\"at\":\"/a\",\"unit\":\"major\"},\"currency\":{\"value\":\"EUR\"}}}]}\n"

static char sources_path[] = "/tmp/payhook-e2e-fairness-XXXXXX";

/* SOURCES_FILE must exist before the instance is started.  This constructor also runs in the process of each test,
 * where the file exists already. */
__attribute__((constructor)) static void furnish(void)
{
	int fd = getenv("E2E_FOLDER") != NULL ? -1 : mkstemp(sources_path);

	if (fd < 0)
		return;
	if (write(fd, SOURCES, sizeof(SOURCES) - 1) == sizeof(SOURCES) - 1 && fchmod(fd, 0644) == 0)
		snprintf(file_setting, sizeof(file_setting), "SOURCES_FILE=%s", sources_path);
	close(fd);
}

__attribute__((destructor)) static void clear(void)
{
	if (file_setting[0] != '\0')
		unlink(sources_path);
}

/* ---- the flood ---- */

#define FLOOD_CONNECTIONS 64
#define FLOOD_PER_SECOND 145
#define FLOOD_ITEMS 48

/* Memory that the test shares with the process that floods. */
struct flood {
	atomic_bool is_on, is_over;
	atomic_bool is_drained; /* not on, and every webhook is answered */
	atomic_long answered;
};

static char flood_prefix[64];

/* Each post has other contents of the same ids. */
static void flood_body(long n, char ret[WEBHOOK_MAX])
{
	size_t used = (size_t)snprintf(ret, WEBHOOK_MAX, "{\"items\":[");

	for (int i = 0; i < FLOOD_ITEMS; i++)
		used += (size_t)snprintf(ret + used, WEBHOOK_MAX - used, "%s{\"i\":\"%.12s.%d\",\"a\":%ld}",
			i > 0 ? "," : "", flood_prefix, i, n);
	snprintf(ret + used, WEBHOOK_MAX - used, "]}");
}

static void flood_all_the_while(struct flood *flood)
{
	static struct load l;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	l = (struct load){
		.body = flood_body, .target = MANY, .connections = FLOOD_CONNECTIONS, .per_second = FLOOD_PER_SECOND};
	load_open(&l);
	while (!flood->is_over) {
		long long begun = now_ms();
		if (flood->is_on) {
			flood->is_drained = false;
			load_step(&l, 5);
		} else {
			load_end(&l, CALL_TIMEOUT_MS);
			flood->is_drained = true;
			pause_a_little();
			l.since_ms += now_ms() - begun; /* what was not posted meanwhile is not made up for */
		}
		flood->answered = l.answered;
	}
	_exit(0);
}

static struct flood *flood_begin(pid_t *ret)
{
	struct flood *flood = mmap(NULL, sizeof(*flood), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	cr_assert(flood != MAP_FAILED);
	fresh_id("f", flood_prefix);
	*ret = fork();
	if (*ret == 0)
		flood_all_the_while(flood);
	return flood;
}

/* Begins, and waits until each connection had an answer. */
static void flood_on(struct flood *flood)
{
	long long deadline = calm_ms() + 10000;
	long before = flood->answered;

	flood->is_on = true;
	while (flood->answered < before + FLOOD_CONNECTIONS) {
		cr_assert(calm_ms() < deadline, "the flood gets %ld answers", flood->answered - before);
		pause_a_little();
	}
}

/* Ends, and waits until everything is answered. */
static void flood_off(struct flood *flood)
{
	long long deadline = calm_ms() + CALL_TIMEOUT_MS;

	flood->is_on = false;
	while (!flood->is_drained) {
		cr_assert(calm_ms() < deadline, "the flood does not end");
		pause_a_little();
	}
}

/* ---- the others ---- */

#define ROUNDS 8
#define ROUND_MS 1000
#define PER_SECOND 50
#define TRIES 3
/* A floor: without the flood a webhook can take as little as a millisecond, and three times that is less than one turn of
 * another process on the same processor.  A sender waits ten times as long as this for its answer. */
#define FLOOR_S 0.050

static char single_prefix[64];

static void single_body(long n, char ret[WEBHOOK_MAX])
{
	snprintf(ret, WEBHOOK_MAX, "{\"items\":[{\"i\":\"%s-%ld\",\"a\":1}]}", single_prefix, n);
}

struct times {
	int count;
	float list[ROUNDS * ROUND_MS * PER_SECOND / 1000 * 2];
};

static int compare_times(const void *left, const void *right)
{
	float a = *(const float *)left, b = *(const float *)right;

	return a < b ? -1 : a > b;
}

static float percentile(struct times *t, int percent)
{
	cr_assert_gt(t->count, 0);
	qsort(t->list, (size_t)t->count, sizeof(t->list[0]), compare_times);
	return t->list[(t->count - 1) * percent / 100];
}

/* Posts for a while, and adds the times of the answers. */
static void post_and_measure(struct load *l, struct times *t)
{
	long before = l->begun;

	l->since_ms = now_ms() - before * 1000 / PER_SECOND;
	load_step(l, ROUND_MS);
	cr_assert(load_end(l, CALL_TIMEOUT_MS), "an answer is missing");
	for (long n = before; n < l->begun && t->count < (int)COUNT_OF(t->list); n++)
		t->list[t->count++] = l->seconds[n];
}

/* The rounds with and without the flood alternate, so that other work on the machine affects both alike. */
static bool is_unharmed(struct load *l, struct flood *flood, bool is_last)
{
	static struct times quiet, flooded;

	quiet.count = flooded.count = 0;
	load_open(l);
	for (int round = 0; round < ROUNDS; round++) {
		post_and_measure(l, &quiet);
		flood_on(flood);
		post_and_measure(l, &flooded);
		flood_off(flood);
	}
	float without = percentile(&quiet, 99), with = percentile(&flooded, 99);
	cr_log_info("p50 %.1f and %.1f ms, p99 %.1f and %.1f ms, %ld of %ld refused", percentile(&quiet, 50) * 1000,
		percentile(&flooded, 50) * 1000, without * 1000, with * 1000, l->begun - l->accepted, l->begun);
	bool is_good = l->accepted == l->begun && (with < 3 * without || with < FLOOR_S);
	cr_assert(is_good || !is_last, "%ld of %ld accepted, p99 %.4f s, %.4f s without the flood; %s", l->accepted,
		l->begun, with, without, l->trouble);
	load_close(l);
	return is_good;
}

/* Other work on the machine can delay webhooks for longer than a round; then all is measured again. */
static void expect_unharmed(struct load *l)
{
	pid_t pid;
	struct flood *flood = flood_begin(&pid);
	int status;

	bool is_good = false;
	for (int i = 1; i <= TRIES && !is_good; i++) {
		l->prefix = fresh_id("single", single_prefix);
		is_good = is_unharmed(l, flood, i == TRIES);
	}
	flood->is_over = true;
	cr_assert(process_wait(pid, CALL_TIMEOUT_MS, &status), "the flood does not end");
	cr_assert_gt(database_number_of("SELECT count(*) FROM payhook.transaction_conflicts"
					" WHERE starts_with(transaction_id, left($1, 12))",
			     flood_prefix),
		16, "the flood has no conflicts");
}

Test(fairness, a_flood_of_conflicts_harms_no_webhook_of_another_source, .timeout = 120)
{
	struct load l = {.connections = 4, .per_second = PER_SECOND};

	expect_unharmed(&l);
}

Test(fairness, a_flood_of_conflicts_harms_no_webhook_of_the_same_source, .timeout = 120)
{
	struct load l = {.body = single_body, .target = MANY, .connections = 4, .per_second = PER_SECOND};

	expect_unharmed(&l);
}

/* ---- one body ---- */

Test(fairness, two_contents_of_one_id_in_a_body_are_422_and_the_same_twice_is_accepted)
{
	char id[64], body[WEBHOOK_MAX];
	struct answer a;

	fresh_id("twice", id);
	snprintf(body, sizeof(body),
		"{\"items\":[{\"i\":\"%s\",\"a\":1},{\"i\":\"x\",\"a\":1},{\"i\":\"%s\",\"a\":2}]}", id, id);
	call_send(&(struct call){.target = MANY, .type = "application/json", .body = body}, &a);
	expect_problem_once(&a, 422, "two contents");
	cr_assert_eq(database_number_of("SELECT count(*) FROM payhook.transactions WHERE transaction_id = $1", id), 0);
	snprintf(body, sizeof(body), "{\"items\":[{\"i\":\"%s\",\"a\":1},{\"i\":\"%s\",\"a\":1.00}]}", id, id);
	call_send(&(struct call){.target = MANY, .type = "application/json", .body = body}, &a);
	cr_assert_eq(a.status, 202, "%d %s", a.status, a.body);
	answer_finish(&a);
	cr_assert_eq(database_number_of("SELECT count(*) FROM payhook.transactions WHERE transaction_id = $1", id), 1);
}
