/* test_counters.c - the counters and histograms of the responders, and their names in /metrics. */

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "counters.h"
#include "ingest/auth_failures.h"
#include "service.h"

static char folder[32];
static struct counters *counters;
static struct buf text = {.max = REPLY_BODY_MAX};
static int64_t certificate_expires;

static void init(void)
{
	struct fault f;
	bool shared = false;
	snprintf(folder, sizeof folder, "/tmp/payhook-counts-XXXXXX");
	cr_assert_not_null(mkdtemp(folder));
	counters = counters_create(folder, &shared, &f);
	cr_assert(counters && shared, "%s", f.text);
}

static void fini(void)
{
	struct dirent *entry;
	DIR *d = opendir(folder);
	counters_destroy(counters);
	buf_finish(&text);
	while (d && (entry = readdir(d)))
		unlinkat(dirfd(d), entry->d_name, 0);
	closedir(d);
	rmdir(folder);
}

TestSuite(counters, .init = init, .fini = fini);

static void reports(const char *line)
{
	buf_reset(&text, REPLY_BODY_MAX);
	cr_assert(counters_render(counters, certificate_expires, &text));
	cr_assert(buf_ok(&text));
	cr_expect_not_null(strstr(text.data, line), "%s is not in\n%s", line, text.data);
}

static void answer(enum counted_route route, int status, enum webhook_outcome outcome)
{
	counters_begin(counters);
	counters_end(counters, route, status, outcome, 2000);
}

Test(counters, counts_requests_by_route_and_status)
{
	answer(ROUTE_OTHER, 404, WEBHOOK_NONE);
	answer(ROUTE_TRANSACTION, 200, WEBHOOK_NONE);
	answer(ROUTE_PAYMENT, 200, WEBHOOK_NONE);
	answer(ROUTE_METRICS, 599, WEBHOOK_NONE);
	reports("\npayhook_http_requests_total{route=\"other\",code=\"404\"} 1\n");
	reports("\npayhook_http_requests_total{route=\"/v1/transactions/{transaction_id}\",code=\"200\"} 1\n");
	reports("\npayhook_http_requests_total{route=\"/v1/payments/{payment_id}\",code=\"200\"} 1\n");
	reports("\npayhook_http_requests_total{route=\"/metrics\",code=\"other\"} 1\n");
	reports("\npayhook_webhooks_total{outcome=\"accepted\"} 0\n");
	reports("\npayhook_accept_duration_seconds_count 0\n");
}

Test(counters, reports_when_the_certificate_expires_if_there_is_one)
{
	reports("\npayhook_responders 1\n");
	cr_expect_null(strstr(text.data, "\npayhook_certificate_expiry_timestamp_seconds "), "%s", text.data);
	certificate_expires = 1798761600;
	reports("\npayhook_certificate_expiry_timestamp_seconds 1798761600\n");
}

Test(counters, counts_webhooks_by_outcome)
{
	answer(ROUTE_WEBHOOKS, 202, WEBHOOK_ACCEPTED);
	answer(ROUTE_WEBHOOKS, 202, WEBHOOK_DUPLICATE);
	answer(ROUTE_WEBHOOKS, 202, WEBHOOK_CONFLICT);
	answer(ROUTE_WEBHOOKS, 409, WEBHOOK_CONFLICT);
	answer(ROUTE_WEBHOOKS, 503, WEBHOOK_UNAVAILABLE);
	reports("\npayhook_webhooks_total{outcome=\"accepted\"} 1\n"
		"payhook_webhooks_total{outcome=\"duplicate\"} 1\n"
		"payhook_webhooks_total{outcome=\"conflict\"} 2\n"
		"payhook_webhooks_total{outcome=\"invalid\"} 0\n"
		"payhook_webhooks_total{outcome=\"unavailable\"} 1\n");
	reports("\npayhook_accept_duration_seconds_bucket{le=\"0.0025\"} 5\n");
}

Test(counters, reports_validation_errors_by_their_cause)
{
	const int statuses[] = {400, 413, 413, 415, 422, 418};
	for (size_t i = 0; i < COUNT_OF(statuses); i++)
		answer(ROUTE_WEBHOOKS, statuses[i], WEBHOOK_INVALID);
	reports("\npayhook_webhooks_total{outcome=\"invalid\"} 6\n");
	reports("\npayhook_validation_errors_total{cause=\"malformed\"} 1\n"
		"payhook_validation_errors_total{cause=\"too_large\"} 2\n"
		"payhook_validation_errors_total{cause=\"media_type\"} 1\n"
		"payhook_validation_errors_total{cause=\"invalid\"} 1\n"
		"payhook_validation_errors_total{cause=\"other\"} 1\n");
	reports("\npayhook_accept_duration_seconds_count 0\n");
}

/* A 403 is an auth failure: the webhook itself may break no rule. */
Test(counters, counts_a_sender_that_is_not_admitted_as_forbidden_and_not_as_invalid)
{
	answer(ROUTE_WEBHOOKS, 403, WEBHOOK_FORBIDDEN);
	answer(ROUTE_WEBHOOKS, 401, WEBHOOK_UNSIGNED);
	reports("\npayhook_webhooks_total{outcome=\"invalid\"} 0\n");
	reports("\npayhook_webhooks_total{outcome=\"unsigned\"} 1\npayhook_webhooks_total{outcome=\"forbidden\"} 1\n");
	reports("\npayhook_validation_errors_total{cause=\"other\"} 0\n");
	reports("\npayhook_accept_duration_seconds_count 0\n");
}

Test(counters, reports_auth_failures_by_their_cause)
{
	char line[96];
	for (int cause = SIGNATURE_GOOD + 1; cause < AUTH_FAILURE_CAUSE_COUNT; cause++) {
		for (int i = 0; i < cause; i++)
			counters_auth_failure(counters, cause);
	}
	for (int cause = SIGNATURE_GOOD + 1; cause < AUTH_FAILURE_CAUSE_COUNT; cause++) {
		snprintf(line, sizeof line, "\npayhook_auth_failures_total{cause=\"%s\"} %d\n",
			auth_failure_cause_name(cause), cause);
		reports(line);
	}
	counters_unrecorded(counters, 3, 1);
	counters_unrecorded(counters, 4, 1);
	reports("\npayhook_validation_errors_unrecorded_total 2\n");
	reports("\npayhook_auth_failures_unrecorded_total 7\n");
	counters_unkept(counters, 3);
	reports("\npayhook_payloads_unkept_total 3\n");
}

Test(counters, shows_live_processes_and_requests_in_flight)
{
	struct fault f;
	bool shared;
	struct counters *second = counters_create(folder, &shared, &f);
	cr_assert(second && shared);
	counters_begin(second);
	counters_begin(second);
	counters_begin(counters);
	reports("\npayhook_responders 2\n");
	reports("\npayhook_responder_slots_busy 3\n");
	counters_destroy(second);
	reports("\npayhook_responders 1\n");
	reports("\npayhook_responder_slots_busy 1\n");
	reports("payhook_build_info{version=\"" PAYHOOK_VERSION "\"} 1\n");
}

Test(counters, counts_without_a_folder_and_shows_nothing)
{
	struct fault f;
	bool shared = true;
	struct counters *alone = counters_create("", &shared, &f);
	cr_assert_not_null(alone);
	cr_expect_not(shared);
	cr_expect_not_null(strstr(f.text, "METRICS_FOLDER"), "%s", f.text);
	counters_begin(alone);
	counters_end(alone, ROUTE_WEBHOOKS, 202, WEBHOOK_ACCEPTED, 1);
	buf_reset(&text, REPLY_BODY_MAX);
	cr_expect_not(counters_render(alone, 0, &text));
	cr_expect_eq(text.len, 0);
	counters_destroy(alone);
	alone = counters_create("/nonexistent", &shared, &f);
	cr_expect_not(shared);
	cr_expect_not_null(strstr(f.text, "/nonexistent"), "%s", f.text);
	counters_destroy(alone);
}

/* Every route and status at once, with the longest possible numbers. */
Test(counters, fits_into_a_reply_whatever_was_counted)
{
	for (int route = ROUTE_OTHER; route <= ROUTE_TRANSACTION; route++) {
		for (int status = 200; status < 600; status++)
			answer((enum counted_route)route, status, WEBHOOK_INVALID);
	}
	counters_commit(counters, 500, INT64_MAX / 2);
	reports("payhook_batch_size_bucket{le=\"500\"} 1\n");
	cr_expect_lt(text.len, REPLY_BODY_MAX / 2);
}
