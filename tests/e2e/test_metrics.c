/* test_metrics.c - the numbers of /metrics agree with what happened, whichever responder answers and even if responders
 * were killed. */

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include <criterion/criterion.h>

#include "base/base.h"
#include "support/calm.h"
#include "support/expect.h"
#include "support/extra_workers.h"
#include "support/faults.h"
#include "support/instance.h"
#include "support/instance_database.h"
#include "support/load.h"
#include "support/scrape.h"

#define RESPONDERS 3
#define ALLOWED "127.0.0.7"
#define STRANGER "127.0.0.8"

const char *const instance_settings[] = {"PROCESSOR_DELAY_MS=100", "WORKER_GRACE_MS=200", "RESPONDERS=3",
	"METRICS_ALLOW=" ALLOWED, "LOG_LEVEL=debug", NULL};

TestSuite(metrics, .init = mend_and_wait, .fini = mend_all);

#define OUTCOME(name) "payhook_webhooks_total{outcome=\"" name "\"}"
#define CAUSE(name) "payhook_validation_errors_total{cause=\"" name "\"}"

/* The series that the tests observe, and their values at the beginning of a test. */
static const char *const OBSERVED[] = {OUTCOME("accepted"), OUTCOME("duplicate"), OUTCOME("conflict"),
	OUTCOME("invalid"), OUTCOME("unavailable"), CAUSE("malformed"), CAUSE("too_large"), CAUSE("media_type"),
	CAUSE("invalid"), CAUSE("other"), "payhook_accept_duration_seconds_count", "payhook_batch_size_sum"};
enum {
	ACCEPTED,
	DUPLICATE,
	CONFLICT,
	ALL_INVALID,
	UNAVAILABLE,
	MALFORMED,
	TOO_LARGE,
	MEDIA_TYPE,
	INVALID,
	OTHER,
	TIMED,
	STORED
};
static double before[COUNT_OF(OBSERVED)];

static void observe(void)
{
	struct scrape s;

	scrape_take(&s, 0);
	for (size_t n = 0; n < COUNT_OF(OBSERVED); n++)
		before[n] = scrape_value(&s, OBSERVED[n], NULL);
	scrape_finish(&s);
}

/* Each series has grown by exactly this much; those that are not named by 0. */
static void have_grown(const long by[COUNT_OF(OBSERVED)])
{
	struct scrape s;

	scrape_take(&s, 0);
	for (size_t n = 0; n < COUNT_OF(OBSERVED); n++) {
		double grown = scrape_value(&s, OBSERVED[n], NULL) - before[n];
		cr_expect_eq((long)grown, by[n], "%s has grown by %.0f, not %ld", OBSERVED[n], grown, by[n]);
	}
	scrape_finish(&s);
}

/* Posts this number of new webhooks over many connections, so that all responders get some. */
static void post_many(const char *word, long posts)
{
	char prefix[64];
	struct load l = {.connections = 32, .posts = posts};

	l.prefix = fresh_id(word, prefix);
	load_open(&l);
	cr_assert(load_until(&l, posts, 20000));
	cr_assert_eq(l.accepted, posts, "%s", l.trouble);
	load_close(&l);
}

static void post_refused(const char *type, const char *body, int status)
{
	struct answer a;

	call_send(&(struct call){.target = WEBHOOKS, .type = type, .body = body}, &a);
	cr_assert_eq(a.status, status, "%d %s", a.status, a.body);
	answer_finish(&a);
}

Test(metrics, count_every_webhook_by_what_became_of_it)
{
	char id[64], body[WEBHOOK_MAX];

	observe();
	post_many("counted", 1000);
	webhook_simple(fresh_id("again", id), body);
	for (int n = 0; n < 20; n++)
		expect_accepted(body);
	for (int n = 0; n < 7; n++)
		expect_accepted(webhook(id, n % 2 == 0 ? "1" : "2", "USD", body));
	for (int n = 0; n < 5; n++)
		post_refused("text/plain", "{}", 415);
	for (int n = 0; n < 4; n++)
		post_refused("application/json", "{", 400);
	for (int n = 0; n < 3; n++)
		post_refused("application/json", "{}", 422);
	have_grown((const long[COUNT_OF(OBSERVED)]){[ACCEPTED] = 1001,
		[DUPLICATE] = 19,
		[CONFLICT] = 7,
		[ALL_INVALID] = 12,
		[MEDIA_TYPE] = 5,
		[MALFORMED] = 4,
		[INVALID] = 3,
		[TIMED] = 1027,
		[STORED] = 1008});
}

/* The console's counts by minute and source come from responders and workers, a second later; so those of an earlier
 * test may come here too.  test_rates.c counts exactly. */
Test(metrics, reach_the_tables_of_the_console)
{
	static const char SUMS[] =
		"SELECT coalesce(sum(accepted + refused + processed), 0) FROM payhook.rates WHERE source = $1";
	const char *source = "transactions";
	long long sums = database_number_of(SUMS, source);

	post_many("rates", 200);
	for (int n = 0; n < 3; n++)
		post_refused("application/json", "{}", 422);
	cr_expect_geq(database_wait(SUMS, source, sums + 403, 15000), sums + 403);
	cr_expect_eq(database_number("SELECT count(*) FROM payhook.workers WHERE processor = 'simulated'"), 1);
	cr_expect_eq(
		database_number(
			"SELECT count(*) FROM payhook.source_activity WHERE source = 'transactions'"
			" AND last_accepted_at > now() - interval '1 minute' AND last_refused_at > now() - interval '1 minute'"),
		1);
	cr_expect_eq(database_number("SELECT status FROM payhook.console_overview()"), 200);
}

Test(metrics, count_what_could_not_be_made_durable)
{
	char id[64], body[WEBHOOK_MAX];

	observe();
	break_freeze("postgres");
	for (int n = 0; n < 3; n++)
		cr_assert_eq(call_post_status(webhook_simple(fresh_id("frozen", id), body)), 503);
	have_grown((const long[COUNT_OF(OBSERVED)]){[UNAVAILABLE] = 3, [TIMED] = 3});
}

/* A new responder is counted before it has read its files. */
static void wait_for_all_responders(void)
{
	long long deadline = calm_ms() + 5000;

	while ((long)scrape_now("payhook_responders") != RESPONDERS)
		cr_assert(calm_ms() < deadline, "%.0f responders", scrape_now("payhook_responders"));
}

Test(metrics, lose_no_count_when_responders_are_killed)
{
	struct pids gone = {0};

	observe();
	post_many("killed", 300);
	for (int n = 0; n < 2 * RESPONDERS; n++) {
		gone.list[gone.count++] = break_kill("payhook-app", 0);
		cr_assert(mend_wait_parts("payhook-app", RESPONDERS, &gone, 5000));
		expect_recovery(5000);
	}
	double recovered = scrape_now(OUTCOME("accepted")) - before[ACCEPTED] - 300;
	cr_assert(recovered >= 2 * RESPONDERS * 48, "counts were lost: %.0f", recovered);
	wait_for_all_responders();
	post_many("killed", 300);
	cr_assert_eq((long)(scrape_now(OUTCOME("accepted")) - before[ACCEPTED] - recovered), 600);
}

/* nginx asks another responder after a second without an answer, so on a machine that stalls a webhook may be counted twice: it
 * is stored once, and its second copy is a duplicate. */
Test(metrics, count_on_over_a_reload_under_load)
{
	char prefix[64];
	struct load l = {.connections = 32};
	struct pids gone;
	int status = -1;
	long stored, repeated, batched;

	observe();
	l.prefix = fresh_id("reload", prefix);
	load_open(&l);
	for (int n = 0; n < 3; n++) {
		instance_parts(instance(), "payhook-app", &gone);
		pid_t pid = instance_begin(instance(), (const char *const[]){"reload", NULL}, instance_settings);
		while (waitpid(pid, &status, WNOHANG) == 0)
			load_step(&l, 5);
		cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
		while (!mend_wait_parts("payhook-app", RESPONDERS, &gone, 0))
			load_step(&l, 5);
	}
	cr_assert(load_end(&l, 10000));
	cr_assert_eq(l.accepted, l.begun, "%s", l.trouble);
	cr_assert(l.begun > 300, "%ld posts", l.begun);
	stored = (long)database_number_of(
		"SELECT count(*) FROM payhook.transactions WHERE starts_with(transaction_id, $1 || '-')", prefix);
	cr_assert_eq(stored, l.begun);
	repeated = (long)(scrape_now(OUTCOME("duplicate")) - before[DUPLICATE]);
	cr_assert_leq(repeated, l.late, "%ld duplicates, %ld late answers", repeated, l.late);
	batched = (long)(scrape_now(OBSERVED[STORED]) - before[STORED]);
	cr_assert(batched >= stored && batched <= stored + repeated, "%ld in batches", batched);
	have_grown((const long[COUNT_OF(OBSERVED)]){
		[ACCEPTED] = stored, [DUPLICATE] = repeated, [TIMED] = stored + repeated, [STORED] = batched});
	wait_for_all_responders();
	cr_assert_eq((long)scrape_now("payhook_responder_slots_busy"), 1, "other than the one that asks");
	load_close(&l);
}

Test(metrics, are_as_promtool_wants_them)
{
	struct scrape s;

	post_many("checked", 10);
	scrape_take(&s, 0);
	scrape_check(&s);
	cr_assert(scrape_value(&s, "payhook_batch_size_count", NULL) > 0);
	cr_assert(scrape_value(&s, "payhook_commit_duration_seconds_count", NULL) > 0);
	cr_assert_eq(scrape_value(&s, "payhook_commit_duration_seconds_bucket{le=\"+Inf\"}", NULL),
		scrape_value(&s, "payhook_commit_duration_seconds_count", NULL));
	scrape_finish(&s);
}

/* The names and labels of all series, without their values. */
static void shape(char *ret, size_t size)
{
	struct scrape s;
	char *rest, *line;
	size_t len = 0;

	scrape_take(&s, 0);
	for (line = strtok_r(s.text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest))
		len += (size_t)snprintf(ret + len, size - len, "%.*s\n", (int)(strrchr(line, ' ') - line), line);
	cr_assert(len < size);
	scrape_finish(&s);
}

/* Sends the word in everything that a sender can choose: methods, paths, queries, headers, types, ids. */
static void send_word(const char *word)
{
	static const char *const BEFORE[] = {"/v1/transactions/", "/", "/v1/webhooks/", "/%7f", "/metrics?", "/livez?"};
	char target[256], header[64], id[64], body[WEBHOOK_MAX];
	const char *methods[] = {NULL, word, "HEAD"};

	snprintf(header, sizeof(header), "X-%s: %s", word, word);
	for (size_t n = 0; n < COUNT_OF(BEFORE) * COUNT_OF(methods); n++) {
		struct answer a;
		snprintf(target, sizeof(target), "%s%s?%s", BEFORE[n % COUNT_OF(BEFORE)], word, word);
		const char *method = methods[n / COUNT_OF(BEFORE)];
		call_send(&(struct call){.target = target, .method = method, .type = word, .header = header}, &a);
		cr_assert(a.status >= 200 && a.status < 500, "%s %s: %d", method, target, a.status);
		answer_finish(&a);
	}
	post_refused(word, "{}", 415);
	expect_accepted(webhook_simple(fresh_id(word, id), body));
}

Test(metrics, have_no_label_from_what_a_client_sends)
{
	static char first[65536], second[65536];

	send_word("QUITE-OTHER");
	shape(first, sizeof(first));
	send_word("LABEL");
	shape(second, sizeof(second));
	cr_assert_str_eq(first, second);
	cr_assert_null(strstr(first, "OTHER"), "%s", first);
}

/* Each spelling of the path either is that of the metrics, and nginx refuses the address, or is not, and there is
 * nothing. */
Test(metrics, are_refused_to_strangers_however_the_path_is_written)
{
	const char *targets[] = {"/metrics", "/%6detrics", "/%6D%65trics", "//metrics", "///metrics", "/x/../metrics",
		"/./metrics", "/metrics?x", "/metrics#x", "/metrics/", "/metrics/.", "/metrics%2f", "/metrics%3f",
		"/%2fmetrics", "/metrics/x/..", "/metrics/%2e", "/metrics/%2e%2e/metrics", "/x/%2e%2e/metrics",
		"/metrics%20", "/METRICS", "/metrics;x", "/metrics%00", "/.problem/../metrics",
		"http://127.0.0.1/metrics"};
	const char *headers[] = {"PAYHOOK_METRICS: yes", "Payhook-Metrics: yes", "X-Forwarded-For: 127.0.0.1"};

	for (size_t n = 0; n < COUNT_OF(targets) * COUNT_OF(headers); n++) {
		struct answer a;
		const char *target = targets[n % COUNT_OF(targets)], *header = headers[n / COUNT_OF(targets)];
		call_send(&(struct call){.target = target, .from = STRANGER, .header = header}, &a);
		cr_expect(a.status >= 400 && a.status < 500, "%s: %d", target, a.status);
		cr_expect_null(strstr(a.body, "payhook_"), "%s: %s", target, a.body);
		answer_finish(&a);
	}
	struct answer a;
	call_send(&(struct call){.target = "/metrics", .from = STRANGER}, &a);
	expect_problem_once(&a, 403, "a stranger asks for the metrics");
}

Test(metrics, are_shown_to_addresses_that_the_operator_allows)
{
	struct answer a;

	call_send(&(struct call){.target = "/metrics", .from = ALLOWED}, &a);
	cr_assert_eq(a.status, 200);
	cr_assert_not_null(strstr(a.body, "payhook_responders 3\n"), "%s", a.body);
	answer_finish(&a);
	call_send(&(struct call){.target = "/metrics", .method = "HEAD"}, &a);
	cr_assert_eq(a.status, 200);
	cr_assert_eq(a.len, 0);
	answer_finish(&a);
	call_send(&(struct call){.target = "/metrics", .body = "x", .type = "text/plain"}, &a);
	expect_problem_once(&a, 405, "metrics are read");
}

/* ---- the worker's metrics ---- */

#define JOBS(outcome) "payhook_jobs_total{outcome=\"" outcome "\"}"

static double worker_now(const char *series, int *reported)
{
	struct scrape s;

	scrape_take(&s, instance()->metrics_port);
	double value = scrape_value(&s, series, reported);
	scrape_finish(&s);
	return value;
}

/* Waits until a series of the worker has this value. */
static void worker_reports(const char *series, double value, int timeout_ms)
{
	long long deadline = calm_ms() + timeout_ms;

	while (worker_now(series, NULL) != value) {
		cr_assert(calm_ms() < deadline, "%s is %.0f, not %.0f", series, worker_now(series, NULL), value);
		pause_a_little();
	}
}

/* Waits until all jobs of earlier tests are done and counted. */
static void wait_for_an_empty_queue(void)
{
	cr_assert_eq(database_wait("SELECT (count(*) = 0)::int FROM payhook.jobs", NULL, 1, 10000), 1);
	worker_reports("payhook_worker_jobs_inflight", 0, 5000);
}

Test(metrics, of_the_worker_count_every_job_and_the_time_it_took)
{
	struct scrape s;

	wait_for_an_empty_queue();
	scrape_take(&s, instance()->metrics_port);
	double jobs = scrape_value(&s, JOBS("processed"), NULL);
	double seconds = scrape_value(&s, "payhook_end_to_end_seconds_sum", NULL);
	scrape_finish(&s);
	post_many("worked", 200);
	worker_reports(JOBS("processed"), jobs + 200, 10000);
	scrape_take(&s, instance()->metrics_port);
	cr_assert_eq(scrape_value(&s, "payhook_end_to_end_seconds_count", NULL), jobs + 200);
	cr_assert_eq(
		scrape_value(&s, "payhook_processor_duration_seconds_count{outcome=\"succeeded\"}", NULL), jobs + 200);
	double took = scrape_value(&s, "payhook_end_to_end_seconds_sum", NULL) - seconds;
	cr_assert(took >= 200 * 0.1 && took < 200 * 10, "%.3f s", took);
	scrape_check(&s);
	scrape_finish(&s);
}

Test(metrics, of_the_worker_show_the_state_of_the_queue)
{
	wait_for_an_empty_queue();
	database_number("SELECT 1 FROM (SELECT payhook.pause()) p");
	post_many("queued", 7);
	worker_reports("payhook_queue_jobs{state=\"ready\"}", 7, 10000);
	cr_assert_eq(worker_now("payhook_queue_paused", NULL), 1);
	cr_assert(worker_now("payhook_queue_oldest_age_seconds", NULL) > 0);
	cr_assert_eq(worker_now("payhook_workers_alive", NULL), 1);
	cr_assert_eq(worker_now("payhook_database_up", NULL), 1);
	database_number("SELECT 1 FROM (SELECT payhook.resume()) p");
	worker_reports("payhook_queue_jobs{state=\"ready\"}", 0, 10000);
	cr_assert_eq(worker_now("payhook_queue_oldest_age_seconds", NULL), 0);
}

Test(metrics, of_the_worker_show_that_the_database_is_away_and_what_is_known_without_it)
{
	struct answer a;
	pid_t worker = extra_workers_own();
	int reported;

	break_freeze("postgres");
	/* Clients that do not wait for the answer do not disturb the worker. */
	for (int n = 0; n < 40; n++) {
		call_send(&(struct call){.target = "/metrics", .port = instance()->metrics_port, .timeout_ms = 20}, &a);
		answer_finish(&a);
	}
	long long deadline = calm_ms() + 15000;
	while (worker_now("payhook_database_up", NULL) != 0)
		cr_assert(calm_ms() < deadline, "the database is still said to be there");
	worker_now("payhook_queue_jobs{state=\"ready\"}", &reported);
	cr_assert_not(reported, "an old result is shown");
	worker_now("payhook_queue_oldest_age_seconds", &reported);
	cr_assert_not(reported, "an old result is shown");
	cr_assert(worker_now("payhook_worker_slots", NULL) > 0);
	mend_all();
	worker_reports("payhook_database_up", 1, 15000);
	cr_assert_eq(extra_workers_own(), worker, "another worker answers");
}

Test(metrics, of_a_worker_with_its_port_in_use_come_when_it_is_free)
{
	struct hired hired;
	char port[48];
	const char *settings[] = {"PROCESSOR_DELAY_MS=100", port, NULL};

	snprintf(port, sizeof(port), "WORKER_METRICS_PORT=%d", instance()->metrics_port);
	extra_workers_hire(&hired, instance()->database, settings);
	worker_reports("payhook_workers_alive", 2, 15000);
	cr_assert_eq(extra_workers_logged(&hired, "metrics not served until the port is free"), 1);
	cr_assert_eq(extra_workers_logged(&hired, "metrics served"), 0);
	extra_workers_dismiss_own();
	long long deadline = calm_ms() + 15000;
	while (extra_workers_logged(&hired, "metrics served") == 0) {
		cr_assert(calm_ms() < deadline, "the port is not taken over");
		pause_a_little();
	}
	double jobs = worker_now(JOBS("processed"), NULL);
	post_many("hired", 20);
	worker_reports(JOBS("processed"), jobs + 20, 10000);
	extra_workers_dismiss(&hired);
}
