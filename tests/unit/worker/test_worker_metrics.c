/* test_worker_metrics.c - the counters and gauges of a worker, and their names in /metrics. */

#include <criterion/criterion.h>
#include <string.h>

#include "worker_metrics.h"

static struct worker_metrics *worker_metrics;
static struct buf text = {.max = 65536};
static const struct worker_metrics_now NOW = {.processor = PROCESSOR_IS_HTTP,
	.inflight = 3,
	.slots = 256,
	.circuit_open = true,
	.late = 4,
	.released = 5,
	.stale = 6};
static const struct queue_stats SEEN = {.ready = 11,
	.waiting = 12,
	.held = 17,
	.parked = 18,
	.claimed = 13,
	.oldest_us = 1500000,
	.dead = 14,
	.workers = 15,
	.conflicts = 16,
	.lag_us = STATS_NO_LAG};

static void init(void)
{
	worker_metrics = worker_metrics_create();
	cr_assert_not_null(worker_metrics);
}

static void fini(void)
{
	worker_metrics_destroy(worker_metrics);
	buf_finish(&text);
}

TestSuite(worker_metrics, .init = init, .fini = fini);

static void render(const struct queue_stats *seen)
{
	buf_reset(&text, 65536);
	worker_metrics_render(worker_metrics, &NOW, seen, &text);
	cr_assert(buf_ok(&text));
}

static void reports(const char *line)
{
	cr_expect_not_null(strstr(text.data, line), "%s is not in\n%s", line, text.data);
}

Test(worker_metrics, counts_jobs_by_outcome)
{
	const enum job_outcome ends[] = {JOB_PROCESSED, JOB_RETRIED, JOB_RETRIED, JOB_FAILED, JOB_PROBED, JOB_POSTPONED,
		JOB_UNKNOWN, JOB_EXHAUSTED};
	for (size_t i = 0; i < COUNT_OF(ends); i++)
		worker_metrics_settled(worker_metrics, ends[i], 31000000);
	worker_metrics_settled(worker_metrics, JOB_PROCESSED, -1);
	render(NULL);
	reports("\npayhook_jobs_total{outcome=\"processed\"} 2\n"
		"payhook_jobs_total{outcome=\"retried\"} 2\n"
		"payhook_jobs_total{outcome=\"failed\"} 2\n"
		"payhook_jobs_total{outcome=\"probed\"} 1\n"
		"payhook_jobs_total{outcome=\"postponed\"} 1\n"
		"payhook_jobs_total{outcome=\"unknown\"} 1\n");
	reports("\npayhook_end_to_end_seconds_bucket{le=\"30\"} 0\npayhook_end_to_end_seconds_bucket{le=\"32\"} 1\n");
	reports("\npayhook_end_to_end_seconds_sum 31\npayhook_end_to_end_seconds_count 1\n");
}

Test(worker_metrics, counts_calls_by_outcome)
{
	worker_metrics_call(worker_metrics, CALL_DONE, 20000);
	worker_metrics_call(worker_metrics, CALL_AGAIN, 5000);
	worker_metrics_call(worker_metrics, CALL_GIVE_UP, 70000000);
	worker_metrics_call(worker_metrics, CALL_POSTPONED, 5000);
	worker_metrics_call(worker_metrics, CALL_ABSENT, 0);
	render(NULL);
	reports("\npayhook_processor_duration_seconds_bucket{outcome=\"succeeded\",le=\"0.025\"} 1\n");
	reports("\npayhook_processor_duration_seconds_bucket{outcome=\"failed\",le=\"0.005\"} 1\n");
	reports("\npayhook_processor_duration_seconds_count{outcome=\"failed\"} 1\n");
	cr_expect_null(strstr(text.data, "postponed\",le"), "the processor was not called");
	reports("\npayhook_processor_duration_seconds_bucket{outcome=\"refused\",le=\"60\"} 0\n"
		"payhook_processor_duration_seconds_bucket{outcome=\"refused\",le=\"+Inf\"} 1\n");
}

Test(worker_metrics, shows_the_state_of_the_worker)
{
	worker_metrics_rescued(worker_metrics, 7);
	worker_metrics_rescued(worker_metrics, 8);
	render(NULL);
	reports("\npayhook_worker_jobs_inflight 3\n");
	reports("\npayhook_worker_slots 256\n");
	reports("\npayhook_circuit_open 1\n");
	reports("\npayhook_latecomers_total 4\n");
	reports("\npayhook_released_claims_total 5\n");
	reports("\npayhook_stale_settlements_total 6\n");
	reports("\npayhook_rescued_jobs_total 15\n");
	reports("\npayhook_build_info{version=\"" PAYHOOK_VERSION "\"} 1\n");
}

Test(worker_metrics, names_the_processor_and_no_other)
{
	render(NULL);
	reports("\npayhook_worker_info{processor=\"http\"} 1\n");
	cr_expect_null(strstr(text.data, "simulated"), "the other processor is in\n%s", text.data);
}

Test(worker_metrics, shows_what_was_seen_in_the_database)
{
	render(&SEEN);
	reports("\npayhook_database_up 1\n");
	reports("\npayhook_queue_jobs{state=\"ready\"} 11\n"
		"payhook_queue_jobs{state=\"waiting\"} 12\n"
		"payhook_queue_jobs{state=\"claimed\"} 13\n");
	reports("\npayhook_queue_oldest_age_seconds 1.5\n");
	reports("\npayhook_queue_paused 0\n");
	reports("\npayhook_dead_jobs 14\n");
	reports("\npayhook_queue_held 17\n");
	reports("\npayhook_queue_parked 18\n");
	reports("\npayhook_workers_alive 15\n");
	reports("\npayhook_transaction_conflicts 16\n");
	cr_expect_null(strstr(text.data, "\npayhook_replication_lag_seconds "), "there is no standby");
}

Test(worker_metrics, shows_nothing_old_of_a_database_that_does_not_answer)
{
	render(&SEEN);
	render(NULL);
	reports("\npayhook_database_up 0\n");
	cr_expect_null(strstr(text.data, "\npayhook_queue_jobs{"));
	cr_expect_null(strstr(text.data, "\npayhook_queue_oldest_age_seconds "));
	cr_expect_null(strstr(text.data, "\npayhook_dead_jobs "));
	cr_expect_null(strstr(text.data, "\npayhook_queue_held "));
	cr_expect_null(strstr(text.data, "\npayhook_workers_alive "));
}
