/* test_reject.c - CONFLICT_POLICY=reject; and responders with a METRICS_FOLDER that cannot be used. */

#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/base.h"
#include "support/expect.h"
#include "support/instance.h"
#include "support/instance_database.h"

const char *const instance_settings[] = {
	"CONFLICT_POLICY=reject", "PROCESSOR_DELAY_MS=100", "METRICS_FOLDER=/nonexistent", NULL};

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
