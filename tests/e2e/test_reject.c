/* test_reject.c - CONFLICT_POLICY=reject; and responders with a METRICS_FOLDER that cannot be used. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/base.h"
#include "support/expect.h"
#include "support/instance.h"
#include "support/instance_database.h"
#include "support/logs.h"

static char file_setting[96];

const char *const instance_settings[] = {
	file_setting, "CONFLICT_POLICY=reject", "PROCESSOR_DELAY_MS=100", "METRICS_FOLDER=/nonexistent", NULL};

#define SOURCES                                                                                                   \
	"{\"sources\":[{\"name\":\"cents\",\"scheme\":\"none\",\"mapping\":{\"transaction_id\":{\"at\":\"/id\"}," \
	"\"source_account\":{\"at\":\"/payer\"},\"destination_account\":{\"at\":\"/payee\"},"                     \
	"\"amount\":{\"at\":\"/cents\",\"unit\":\"minor\"},\"currency\":{\"at\":\"/currency\"}}}]}\n"

static char sources_path[] = "/tmp/payhook-e2e-reject-XXXXXX";

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

#define SECRET_BODY                                                                                                           \
	"{\"transaction_id\":\"%s\",\"source_account\":\"the-payer\",\"destination_account\":\"the-payee\",\"amount\":73519," \
	"\"currency\":\"CHF\"}"

Test(reject, another_content_is_a_conflict_that_does_not_reveal_the_first)
{
	static const char *const secrets[] = {"the-payer", "the-payee", "73519", "CHF"};
	char id[64], body[WEBHOOK_MAX];
	struct answer a;

	snprintf(body, sizeof(body), SECRET_BODY, fresh_id("secret", id));
	expect_accepted(body);
	call_post(webhook(id, "1", "USD", body), &a);
	for (size_t n = 0; n < COUNT_OF(secrets); n++)
		cr_assert(strstr(a.body, secrets[n]) == NULL && strstr(a.head, secrets[n]) == NULL, "%s", a.body);
	expect_problem_once(&a, 409, "another content");
	cr_assert_eq(
		database_number_of("SELECT count(*) FROM payhook.transaction_conflicts WHERE transaction_id = $1", id),
		1);
	cr_assert_eq(
		database_number_of("SELECT amount FROM payhook.transactions WHERE transaction_id = $1", id), 73519);
}

#define CONFLICTS 300

/* Each responder writes one; the next has the number of those left out. */
Test(reject, a_flood_of_conflicts_is_a_line_a_second)
{
	char id[64], body[WEBHOOK_MAX];
	struct answer a;
	struct pids responders;

	instance_parts(instance(), "payhook-app", &responders);
	expect_accepted(webhook(fresh_id("flood", id), "1", "USD", body));
	long long began = now_ms();
	for (int n = 0; n < CONFLICTS; n++) {
		call_post(webhook(id, "2", "USD", body), &a);
		cr_assert_eq(a.status, 409, "%d %s", a.status, a.body);
		answer_finish(&a);
	}
	int most = responders.count * (1 + (int)((now_ms() - began) / 1000)), count;
	count = logs_count("pool", "\"event\":\"transaction conflict\"", id);
	cr_expect(count >= 1 && count <= most, "%d lines in %lld ms", count, now_ms() - began);
}

static void post_cents(const char *id, const char *cents, struct answer *ret)
{
	char body[WEBHOOK_MAX];

	snprintf(body, sizeof(body),
		"{\"id\":\"%s\",\"payer\":\"acc_a\",\"payee\":\"acc_b\",\"cents\":%s,\"currency\":\"EUR\"}", id, cents);
	call_send(&(struct call){.target = "/v1/webhooks/cents", .type = "application/json", .body = body}, ret);
}

Test(reject, another_content_of_a_mapped_source_is_a_conflict_too)
{
	char id[64];
	struct answer a;

	post_cents(fresh_id("cents", id), "150", &a);
	cr_assert_eq(a.status, 202, "%d %s", a.status, a.body);
	answer_finish(&a);
	post_cents(id, "151", &a);
	expect_problem_once(&a, 409, "other cents");
}

Test(reject, a_fraction_of_a_minor_unit_is_reported_by_its_code)
{
	char id[64];
	struct answer a;

	post_cents(fresh_id("fraction", id), "150.5", &a);
	cr_assert_not_null(strstr(a.body, "\"code\":\"not_minor_units\""), "%s", a.body);
	expect_problem_once(&a, 422, "half a cent");
}

Test(reject, the_same_content_is_accepted_again)
{
	char id[64], body[WEBHOOK_MAX];

	fresh_id("same", id);
	expect_accepted(webhook(id, "1500", "USD", body));
	expect_accepted(webhook(id, "1500.00", "USD", body));
	cr_assert_eq(
		database_number_of("SELECT count(*) FROM payhook.transaction_conflicts WHERE transaction_id = $1", id),
		0);
}

Test(reject, responders_that_cannot_share_their_counters_run_and_log_it)
{
	char id[64], body[WEBHOOK_MAX];
	struct answer a;

	expect_accepted(webhook_simple(fresh_id("alone", id), body));
	call_get("/metrics", &a);
	expect_retry_after(&a, "no counts");
	cr_assert_not_null(strstr(a.body, "do not share their counts"), "%s", a.body);
	expect_problem_once(&a, 503, "no counts");
}
