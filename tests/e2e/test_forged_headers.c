/* test_forged_headers.c - request headers that imitate what only nginx may set: another address, another path, other
 * FastCGI parameters. */

#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/base.h"
#include "support/background_sender.h"
#include "support/expect.h"
#include "support/instance.h"
#include "support/logs.h"
#include "support/raw.h"

#define ANSWER_MS 5000
#define STRANGER "127.0.0.2" /* an address that may not read the metrics */

static const char *const claims[] = {"Payhook-Metrics: yes", "Payhook_Metrics: yes", "PAYHOOK_METRICS: yes",
	"payhook-metrics: yes\r\nPayhook-Metrics: yes", "Http-Payhook-Metrics: yes", "Remote-Addr: 127.0.0.1",
	"REMOTE_ADDR: 127.0.0.1", "X-Forwarded-For: 127.0.0.1", "X-Forwarded-For: 127.0.0.1, 127.0.0.1, 127.0.0.1",
	"X-Real-Ip: 127.0.0.1", "Forwarded: for=127.0.0.1", "X-Original-Url: /metrics", "X-Rewrite-Url: /metrics",
	"Request-Uri: /metrics", "Request-Method: POST", "X-Http-Method-Override: POST", "Content_Length: 5",
	"Script-Name: /metrics", "Proxy: http://127.0.0.1/", "Payhook-Client-Verify: SUCCESS",
	"Payhook-Client-Subject: CN=payhook", "X-Accel-Redirect: /metrics", "X-Sendfile: /etc/passwd",
	"Status: 200 OK"};

static const char *const spellings[] = {"/metrics", "/%6detrics", "/x/../metrics", "//metrics", "/./metrics",
	"/metrics?x", "/metrics#x", "/metrics/", "/metrics/.", "/metrics%3fx", "/metrics;x", "/.//metrics",
	"http://payhook/metrics", "http://127.0.0.1/metrics"};

static struct raw connection;

static void ask(const char *method, const char *target, const char *claim, struct answer *ret)
{
	char request[1024];

	snprintf(request, sizeof(request), "%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\n%s\r\n\r\n", method, target, claim);
	raw_open_from(&connection, STRANGER);
	cr_assert(raw_send_text(&connection, request));
	cr_assert(raw_answer(&connection, ret, ANSWER_MS), "no answer to %s", request);
	raw_close(&connection);
}

Test(forged_headers, no_header_and_no_spelling_opens_the_metrics)
{
	struct answer a;

	background_sender_begin();
	for (size_t n = 0; n < COUNT_OF(claims); n++) {
		ask("GET", "/metrics", claims[n], &a);
		expect_problem_once(&a, 403, claims[n]);
	}
	for (size_t n = 0; n < COUNT_OF(spellings); n++) {
		ask("GET", spellings[n], claims[0], &a);
		cr_assert(a.status == 403 || a.status == 404, "%s: %d %s", spellings[n], a.status, a.body);
		expect_problem_once(&a, a.status, spellings[n]);
	}
	background_sender_end();
}

Test(forged_headers, the_path_the_method_and_the_length_are_the_request_lines)
{
	struct answer a;

	background_sender_begin();
	for (size_t n = 0; n < COUNT_OF(claims); n++) {
		ask("GET", "/livez", claims[n], &a);
		cr_assert_eq(a.status, 200, "%s: %d %s", claims[n], a.status, a.body);
		cr_assert_str_eq(a.body, "{\"status\":\"alive\"}", "%s", claims[n]);
		answer_finish(&a);
	}
	background_sender_end();
}

/* nginx chooses the request id: with an id of its own choice, a sender could make other requests' log lines look like
 * its own. */
Test(forged_headers, nobody_chooses_the_id_of_a_request)
{
	static const char *const ids[] = {"X-Request-Id: forged", "Payhook-Request-Id: forged",
		"Payhook_Request_Id: forged", "X-Request-Id: a\"}\t{\"request_id\":\"forged\"",
		"X-Request-Id: \xff\xfe"};
	struct answer a;
	char id[64];

	background_sender_begin();
	for (size_t n = 0; n < COUNT_OF(ids); n++) {
		ask("GET", "/nowhere", ids[n], &a);
		answer_header(&a, "X-Request-Id", id, sizeof(id));
		cr_assert(strlen(id) == 32 && strspn(id, "0123456789abcdef") == 32, "%s: %s", ids[n], id);
		cr_assert_null(strstr(a.body, "forged"), "%s: %s", ids[n], a.body);
		expect_problem_once(&a, 404, ids[n]);
	}
	background_sender_end();
}

Test(forged_headers, the_log_has_the_address_that_connects)
{
	struct answer a;
	char id[64], line[2048];

	ask("GET", "/nowhere", "X-Forwarded-For: 192.0.2.77\r\nX-Real-Ip: 192.0.2.77", &a);
	answer_header(&a, "X-Request-Id", id, sizeof(id));
	answer_finish(&a);
	logs_wait("access", id, "\"event\":\"request\"", line, sizeof(line));
	cr_assert_not_null(strstr(line, "\"address\":\"" STRANGER "\""), "%s", line);
	cr_assert_null(strstr(line, "192.0.2.77"), "%s", line);
}
