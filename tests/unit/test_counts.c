#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "counts.h"
#include "http.h"
#include "ingest/rejections.h"

/* test_counts.c - what the responders count, and under which names. */

static char folder[32];
static struct counts *counts;
static struct buf text = {.max = REPLY_BODY_MAX};

static void init(void)
{
	struct fault f;
	bool shared = false;
	snprintf(folder, sizeof folder, "/tmp/payhook-counts-XXXXXX");
	cr_assert_not_null(mkdtemp(folder));
	counts = counts_create(folder, &shared, &f);
	cr_assert(counts && shared, "%s", f.text);
}

static void fini(void)
{
	struct dirent *entry;
	DIR *d = opendir(folder);
	counts_destroy(counts);
	buf_finish(&text);
	while (d && (entry = readdir(d)))
		unlinkat(dirfd(d), entry->d_name, 0);
	closedir(d);
	rmdir(folder);
}

TestSuite(counts, .init = init, .fini = fini);

static void tells(const char *line)
{
	buf_reset(&text, REPLY_BODY_MAX);
	cr_assert(counts_render(counts, &text));
	cr_assert(buf_ok(&text));
	cr_expect_not_null(strstr(text.data, line), "%s is not in\n%s", line, text.data);
}

static void answer(enum counted_route route, int status, enum webhook_outcome outcome)
{
	counts_begin(counts);
	counts_end(counts, route, status, outcome, 2000);
}

Test(counts, tells_requests_by_route_and_status)
{
	answer(ROUTE_OTHER, 404, WEBHOOK_NONE);
	answer(ROUTE_TRANSACTION, 200, WEBHOOK_NONE);
	answer(ROUTE_METRICS, 599, WEBHOOK_NONE);
	tells("\npayhook_http_requests_total{route=\"other\",code=\"404\"} 1\n");
	tells("\npayhook_http_requests_total{route=\"/v1/transactions/{transaction_id}\",code=\"200\"} 1\n");
	tells("\npayhook_http_requests_total{route=\"/metrics\",code=\"other\"} 1\n");
	tells("\npayhook_webhooks_total{outcome=\"accepted\"} 0\n");
	tells("\npayhook_accept_duration_seconds_count 0\n");
}

Test(counts, tells_webhooks_by_what_became_of_them)
{
	answer(ROUTE_WEBHOOKS, 202, WEBHOOK_ACCEPTED);
	answer(ROUTE_WEBHOOKS, 202, WEBHOOK_DUPLICATE);
	answer(ROUTE_WEBHOOKS, 202, WEBHOOK_CONFLICT);
	answer(ROUTE_WEBHOOKS, 409, WEBHOOK_CONFLICT);
	answer(ROUTE_WEBHOOKS, 503, WEBHOOK_UNAVAILABLE);
	tells("\npayhook_webhooks_total{outcome=\"accepted\"} 1\n"
	      "payhook_webhooks_total{outcome=\"duplicate\"} 1\n"
	      "payhook_webhooks_total{outcome=\"conflict\"} 2\n"
	      "payhook_webhooks_total{outcome=\"rejected\"} 0\n"
	      "payhook_webhooks_total{outcome=\"unavailable\"} 1\n");
	tells("\npayhook_accept_duration_seconds_bucket{le=\"0.0025\"} 5\n");
}

Test(counts, tells_rejections_by_their_cause)
{
	const int statuses[] = {400, 413, 413, 415, 422, 418};
	for (size_t i = 0; i < COUNT_OF(statuses); i++)
		answer(ROUTE_WEBHOOKS, statuses[i], WEBHOOK_REJECTED);
	tells("\npayhook_webhooks_total{outcome=\"rejected\"} 6\n");
	tells("\npayhook_webhook_rejections_total{cause=\"malformed\"} 1\n"
	      "payhook_webhook_rejections_total{cause=\"too_large\"} 2\n"
	      "payhook_webhook_rejections_total{cause=\"media_type\"} 1\n"
	      "payhook_webhook_rejections_total{cause=\"invalid\"} 1\n"
	      "payhook_webhook_rejections_total{cause=\"other\"} 1\n");
	tells("\npayhook_accept_duration_seconds_count 0\n");
}

Test(counts, tells_refusals_by_their_cause)
{
	char line[96];
	for (int cause = SIGNATURE_GOOD + 1; cause < REJECTION_CAUSE_COUNT; cause++) {
		for (int i = 0; i < cause; i++)
			counts_refusal(counts, cause);
	}
	for (int cause = SIGNATURE_GOOD + 1; cause < REJECTION_CAUSE_COUNT; cause++) {
		snprintf(line, sizeof line, "\npayhook_refusals_total{cause=\"%s\"} %d\n", rejection_cause_name(cause),
			cause);
		tells(line);
	}
	counts_unrecorded(counts, 3);
	counts_unrecorded(counts, 4);
	tells("\npayhook_refusals_unrecorded_total 7\n");
}

Test(counts, tells_who_lives_and_what_is_under_way)
{
	struct fault f;
	bool shared;
	struct counts *second = counts_create(folder, &shared, &f);
	cr_assert(second && shared);
	counts_begin(second);
	counts_begin(second);
	counts_begin(counts);
	tells("\npayhook_responders 2\n");
	tells("\npayhook_responder_slots_busy 3\n");
	counts_destroy(second);
	tells("\npayhook_responders 1\n");
	tells("\npayhook_responder_slots_busy 1\n");
	tells("payhook_build_info{version=\"" PAYHOOK_VERSION "\"} 1\n");
}

Test(counts, counts_without_a_folder_and_tells_nothing)
{
	struct fault f;
	bool shared = true;
	struct counts *alone = counts_create("", &shared, &f);
	cr_assert_not_null(alone);
	cr_expect_not(shared);
	cr_expect_not_null(strstr(f.text, "METRICS_FOLDER"), "%s", f.text);
	counts_begin(alone);
	counts_end(alone, ROUTE_WEBHOOKS, 202, WEBHOOK_ACCEPTED, 1);
	buf_reset(&text, REPLY_BODY_MAX);
	cr_expect_not(counts_render(alone, &text));
	cr_expect_eq(text.len, 0);
	counts_destroy(alone);
	alone = counts_create("/nonexistent", &shared, &f);
	cr_expect_not(shared);
	cr_expect_not_null(strstr(f.text, "/nonexistent"), "%s", f.text);
	counts_destroy(alone);
}

/* Every route and status at once, and numbers as long as they can be. */
Test(counts, fits_into_a_reply_whatever_was_counted)
{
	for (int route = ROUTE_OTHER; route <= ROUTE_TRANSACTION; route++) {
		for (int status = 200; status < 600; status++)
			answer((enum counted_route)route, status, WEBHOOK_REJECTED);
	}
	counts_commit(counts, 500, INT64_MAX / 2);
	tells("payhook_batch_size_bucket{le=\"500\"} 1\n");
	cr_expect_lt(text.len, REPLY_BODY_MAX / 2);
}
