#include <criterion/criterion.h>
#include <string.h>

#include "tally.h"

/* test_tally.c - what a worker counts, and under which names. */

static struct tally *tally;
static struct buf text = {.max = 65536};
static const struct tally_now NOW = {
	.held = 3, .slots = 256, .circuit_open = true, .late = 4, .released = 5, .stale = 6};
static const struct survey_seen SEEN = {.ready = 11,
	.waiting = 12,
	.claimed = 13,
	.oldest_us = 1500000,
	.dead = 14,
	.workers = 15,
	.conflicts = 16,
	.lag_us = SURVEY_NO_LAG};

static void init(void)
{
	tally = tally_create();
	cr_assert_not_null(tally);
}

static void fini(void)
{
	tally_destroy(tally);
	buf_finish(&text);
}

TestSuite(tally, .init = init, .fini = fini);

static void render(const struct survey_seen *seen)
{
	buf_reset(&text, 65536);
	tally_render(tally, &NOW, seen, &text);
	cr_assert(buf_ok(&text));
}

static void tells(const char *line)
{
	cr_expect_not_null(strstr(text.data, line), "%s is not in\n%s", line, text.data);
}

Test(tally, tells_jobs_by_what_became_of_them)
{
	const enum end ends[] = {END_PROCESSED, END_RETRIED, END_RETRIED, END_FAILED, END_PROBED};
	for (size_t i = 0; i < COUNT_OF(ends); i++)
		tally_settled(tally, ends[i], 31000000);
	tally_settled(tally, END_PROCESSED, -1);
	render(NULL);
	tells("\npayhook_jobs_total{outcome=\"processed\"} 2\n"
	      "payhook_jobs_total{outcome=\"retried\"} 2\n"
	      "payhook_jobs_total{outcome=\"failed\"} 1\n"
	      "payhook_jobs_total{outcome=\"probed\"} 1\n");
	tells("\npayhook_end_to_end_seconds_bucket{le=\"30\"} 0\npayhook_end_to_end_seconds_bucket{le=\"32\"} 1\n");
	tells("\npayhook_end_to_end_seconds_sum 31\npayhook_end_to_end_seconds_count 1\n");
}

Test(tally, tells_calls_by_their_outcome)
{
	tally_call(tally, CALL_DONE, 20000);
	tally_call(tally, CALL_AGAIN, 5000);
	tally_call(tally, CALL_GIVE_UP, 70000000);
	render(NULL);
	tells("\npayhook_processor_duration_seconds_bucket{outcome=\"succeeded\",le=\"0.025\"} 1\n");
	tells("\npayhook_processor_duration_seconds_bucket{outcome=\"failed\",le=\"0.005\"} 1\n");
	tells("\npayhook_processor_duration_seconds_bucket{outcome=\"refused\",le=\"60\"} 0\n"
	      "payhook_processor_duration_seconds_bucket{outcome=\"refused\",le=\"+Inf\"} 1\n");
}

Test(tally, tells_how_the_worker_stands)
{
	tally_rescued(tally, 7);
	tally_rescued(tally, 8);
	render(NULL);
	tells("\npayhook_worker_jobs_held 3\n");
	tells("\npayhook_worker_slots 256\n");
	tells("\npayhook_circuit_open 1\n");
	tells("\npayhook_latecomers_total 4\n");
	tells("\npayhook_released_claims_total 5\n");
	tells("\npayhook_stale_results_total 6\n");
	tells("\npayhook_rescued_jobs_total 15\n");
	tells("\npayhook_build_info{version=\"" PAYHOOK_VERSION "\"} 1\n");
}

Test(tally, tells_what_was_seen_in_the_database)
{
	render(&SEEN);
	tells("\npayhook_database_up 1\n");
	tells("\npayhook_queue_jobs{state=\"ready\"} 11\n"
	      "payhook_queue_jobs{state=\"waiting\"} 12\n"
	      "payhook_queue_jobs{state=\"claimed\"} 13\n");
	tells("\npayhook_queue_oldest_age_seconds 1.5\n");
	tells("\npayhook_queue_paused 0\n");
	tells("\npayhook_dead_jobs 14\n");
	tells("\npayhook_workers_alive 15\n");
	tells("\npayhook_transaction_conflicts 16\n");
	cr_expect_null(strstr(text.data, "\npayhook_replication_lag_seconds "), "there is no standby");
}

Test(tally, tells_nothing_old_of_a_database_that_does_not_answer)
{
	render(&SEEN);
	render(NULL);
	tells("\npayhook_database_up 0\n");
	cr_expect_null(strstr(text.data, "\npayhook_queue_jobs{"));
	cr_expect_null(strstr(text.data, "\npayhook_queue_oldest_age_seconds "));
	cr_expect_null(strstr(text.data, "\npayhook_dead_jobs "));
	cr_expect_null(strstr(text.data, "\npayhook_workers_alive "));
}
