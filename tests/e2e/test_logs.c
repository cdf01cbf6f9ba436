/* test_logs.c - a request and its job can be followed through the logs of all parts by their ids. */

#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "support/expect.h"
#include "support/faults.h"
#include "support/instance.h"
#include "support/logs.h"

#define LINE 4096

TestSuite(logs, .init = mend_and_wait, .fini = mend_all);

static void has(const char *line, const char *text)
{
	cr_expect_not_null(strstr(line, text), "%s is not in %s", text, line);
}

Test(logs, follow_a_webhook_by_its_request_id_and_then_by_its_transaction_id)
{
	char id[64], body[WEBHOOK_MAX], request_id[64], line[LINE];
	struct answer a;

	call_post(webhook_simple(fresh_id("followed", id), body), &a);
	cr_assert_eq(a.status, 202);
	answer_header(&a, "X-Request-Id", request_id, sizeof(request_id));
	answer_finish(&a);
	logs_wait("access", request_id, "\"event\":\"request\"", line, sizeof(line));
	has(line, "\"level\":\"info\",\"program\":\"nginx\"");
	has(line, "\"method\":\"POST\",\"path\":\"" WEBHOOKS "\",\"status\":202,\"duration\":0.");
	logs_wait("pool", request_id, id, line, sizeof(line));
	has(line, "\"event\":\"webhook stored\"");
	has(line, "\"duration\":0.");
	logs_wait("worker", id, "call started", line, sizeof(line));
	cr_expect_null(strstr(line, "\"duration\""), "no call has lasted yet: %s", line);
	logs_wait("worker", id, "job settled", line, sizeof(line));
	has(line, "\"attempt\":1");
	has(line, "\"duration\":0.");
}

Test(logs, report_what_an_operator_needs_about_an_auth_failure)
{
	char id[64], body[WEBHOOK_MAX], request_id[64], line[LINE];
	struct answer a;

	break_freeze("postgres");
	call_post(webhook_simple(fresh_id("refused", id), body), &a);
	cr_assert_eq(a.status, 503);
	answer_header(&a, "X-Request-Id", request_id, sizeof(request_id));
	answer_finish(&a);
	logs_wait("access", request_id, "\"status\":503", line, sizeof(line));
	has(line, "\"level\":\"warn\"");
	logs_wait("pool", request_id, id, line, sizeof(line));
	has(line, "\"event\":\"webhook not stored\"");
	has(line, "\"duration\":0.4");
}

Test(logs, keep_queries_and_bodies_out)
{
	char line[LINE], id[64];
	struct answer a;

	fresh_id("a-key-in-a-query", id);
	char target[128];
	snprintf(target, sizeof(target), "/livez?key=%s", id);
	call_get(target, &a);
	answer_header(&a, "X-Request-Id", line, sizeof(line));
	char request_id[64];
	snprintf(request_id, sizeof(request_id), "%.60s", line);
	answer_finish(&a);
	logs_wait("access", request_id, "\"path\":\"/livez\"", line, sizeof(line));
	cr_expect_null(strstr(line, id), "%s", line);
}
