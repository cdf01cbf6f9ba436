/* test_unsigned.c - forged webhooks to a source that requires a signature: without a signature, or with that of another
 * webhook.
 *
 * There is one signed webhook here, such as an attacker may have recorded.  Everything else is derived from it. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/base.h"
#include "support/background_sender.h"
#include "support/expect.h"
#include "support/instance.h"
#include "support/instance_database.h"
#include "support/raw.h"
#include "support/scrape.h"

static char file_setting[96];

const char *const instance_settings[] = {file_setting, "HOSTILE_SECRET=a secret of the hostile suite alone",
	"ALLOWED_HOSTS=payhook", "PROCESSOR_DELAY_MS=100", "WORKER_GRACE_MS=200", NULL};

#define SOURCES                                                                                                 \
	"{\"sources\":[{\"name\":\"signed\",\"scheme\":\"github\",\"secrets\":[{\"env\":\"HOSTILE_SECRET\"}]}," \
	"{\"name\":\"far\",\"scheme\":\"none\",\"allow\":[\"192.0.2.0/24\"]},"                                  \
	"{\"name\":\"locked\",\"scheme\":\"closed\"}]}\n"

static char sources_path[] = "/tmp/payhook-e2e-hostile-XXXXXX";

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

#define ANSWER_MS 5000
#define BODY                                                                                                  \
	"{\"transaction_id\":\"signed-once\",\"source_account\":\"acc_a\",\"destination_account\":\"acc_b\"," \
	"\"amount\":1500,\"currency\":\"USD\"}"
/* printf %s BODY | openssl dgst -sha256 -hmac SECRET */
#define SIGNATURE "3030c261e445f5f0000f1ab617cb8a34afd18b2bf43d6300efffcad76d41285a"
#define OTHER "5257a869e7ecebeda32affa62cdca3fa51cad7e77a0e56ff536d0ce8e108d8bd"
#define HEADER "X-Hub-Signature-256: sha256="
#define GOOD HEADER SIGNATURE "\r\n"

static struct raw connection;

static void post(const char *target, const char *headers, const char *body, struct answer *ret)
{
	char request[8192];

	snprintf(request, sizeof(request),
		"POST %s HTTP/1.1\r\nHost: payhook\r\nContent-Type: application/json\r\n%sContent-Length: %zu\r\n\r\n%s",
		target, headers, strlen(body), body);
	raw_open(&connection);
	cr_assert(raw_send_text(&connection, request));
	cr_assert(raw_answer(&connection, ret, ANSWER_MS), "no answer to %s", request);
	raw_close(&connection);
}

static long long stored_of(const char *source)
{
	return database_number_of("SELECT count(*) FROM payhook.transactions WHERE source = $1", source);
}

static void refuses(const char *target, const char *headers, const char *body, int status)
{
	struct answer a;

	post(target, headers, body, &a);
	cr_assert_null(strstr(a.body, "sha256"), "%s", a.body);
	cr_assert_null(strstr(a.body, "hmac"), "%s", a.body);
	expect_problem_once(&a, status, headers);
}

/* An auth failure, and no validation error: nothing was read of the webhook. */
Test(unsigned_ones, an_address_that_is_not_admitted_counts_as_forbidden)
{
	static const char *const series[] = {"payhook_webhooks_total{outcome=\"forbidden\"}",
		"payhook_auth_failures_total{cause=\"address\"}", "payhook_webhooks_total{outcome=\"invalid\"}",
		"payhook_validation_errors_total{cause=\"other\"}"};
	static const double more[COUNT_OF(series)] = {1, 1, 0, 0};
	double before[COUNT_OF(series)];

	for (size_t n = 0; n < COUNT_OF(series); n++)
		before[n] = scrape_now(series[n]);
	refuses("/v1/webhooks/far", "", BODY, 403);
	for (size_t n = 0; n < COUNT_OF(series); n++)
		cr_expect_eq(scrape_now(series[n]) - before[n], more[n], "%s", series[n]);
}

Test(unsigned_ones, what_is_not_this_signature_is_refused_in_one_way)
{
	static const char *const headers[] = {"", HEADER "\r\n", HEADER OTHER "\r\n", "X-Hub-Signature-256:\r\n",
		"X-Hub-Signature-256: " SIGNATURE "\r\n", "X-Hub-Signature-256: SHA256=" SIGNATURE "\r\n",
		"X-Hub-Signature-256: sha1=" SIGNATURE "\r\n", "X-Hub-Signature: sha256=" SIGNATURE "\r\n",
		"X_Hub_Signature_256: sha256=" SIGNATURE "\r\n", "Http-X-Hub-Signature-256: sha256=" SIGNATURE "\r\n",
		HEADER SIGNATURE "00\r\n", HEADER "0" SIGNATURE "\r\n", HEADER " " SIGNATURE "\r\n",
		HEADER SIGNATURE ",\r\n", HEADER SIGNATURE "," OTHER "\r\n", HEADER OTHER "," SIGNATURE "\r\n",
		HEADER "\"" SIGNATURE "\"\r\n", HEADER "MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDA=\r\n",
		HEADER "\xff\xfe\r\n",
		/* The first of two headers counts. */
		HEADER OTHER "\r\n" GOOD, "X-Hub-Signature-256:\r\n" GOOD, HEADER "\r\n" GOOD,
		/* Other schemes, and other ways to bypass the signature. */
		"Authorization: Bearer " SIGNATURE "\r\n", "Authorization: Signature " SIGNATURE "\r\n",
		"X-Signature-Verified: true\r\n", "Payhook-Client-Verify: SUCCESS\r\n",
		"Payhook-Source: transactions\r\n", "X-Http-Method-Override: GET\r\n",
		"webhook-id: a\r\nwebhook-timestamp: 1\r\nwebhook-signature: v1,AAAA\r\n"};
	struct answer first, a;

	long long before = stored_of("signed");
	background_sender_begin();
	post("/v1/webhooks/signed", "", BODY, &first);
	const char *end = strstr(first.body, "\"instance\"");
	cr_assert_not_null(end, "%s", first.body);
	for (size_t n = 0; n < COUNT_OF(headers); n++) {
		post("/v1/webhooks/signed", headers[n], BODY, &a);
		/* The answers are equal except for the request id. */
		cr_assert_eq(strncmp(a.body, first.body, (size_t)(end - first.body)), 0, "%s: %s", headers[n], a.body);
		expect_problem_once(&a, 401, headers[n]);
	}
	answer_finish(&first);
	background_sender_end();
	cr_assert_eq(stored_of("signed"), before);
}

Test(unsigned_ones, a_signature_is_of_these_bytes_alone)
{
	static const char *const bodies[] = {BODY " ", " " BODY, BODY "\n", "\xef\xbb\xbf" BODY, "", "{}", "null",
		"{\"transaction_id\":\"signed-once\",\"source_account\":\"acc_a\",\"destination_account\":\"acc_b\","
		"\"amount\":1500.00,\"currency\":\"USD\"}",
		"{\"transaction_id\":\"signed-once\",\"source_account\":\"acc_a\",\"destination_account\":\"acc_b\","
		"\"amount\":9500,\"currency\":\"USD\"}"};

	long long before = stored_of("signed");
	background_sender_begin();
	for (size_t n = 0; n < COUNT_OF(bodies); n++)
		refuses("/v1/webhooks/signed", GOOD, bodies[n], 401);
	background_sender_end();
	cr_assert_eq(stored_of("signed"), before);
}

/* The webhook is not accepted for any other source, whatever the path. */
Test(unsigned_ones, a_path_leads_to_one_source_or_to_none)
{
	static const struct {
		const char *target;
		int status;
	} paths[] = {{"/v1/webhooks/Signed", 404}, {"/v1/webhooks/signed/", 404}, {"/v1/webhooks/signed%00", 400},
		{"/v1/webhooks/signed%20", 404}, {"/v1/webhooks/signed%0a", 404}, {"/v1/webhooks/", 404},
		{"/v1/webhooks", 404}, {"/v1/webhooks/locked", 404}, {"/v1/webhooks/lock%65d", 404},
		{"/v1/webhooks/signed;x", 404}, {"/v1/webhooks//signed", 404}, {"/v1/webhooks/x//../signed", 404},
		{"/v1/webhooks%2fsigned", 404}, {"/v1/webhooks/x%2f..%2fsigned", 404},
		{"/v1/webhooks/s%c4%b1gned", 404},
		/* These are spellings of the same source, with the same signature scheme. */
		{"/v1/webhooks/%73igned", 401}, {"/v1/webhooks/x/../signed", 401}, {"/v1/./webhooks/signed", 401},
		{"/v1/webhooks/signed?source=transactions", 401},
		{"/v1/webhooks/signed?x-hub-signature-256=sha256=" SIGNATURE, 401},
		{"http://other/v1/webhooks/signed", 401}};

	long long before = stored_of("signed");
	background_sender_begin();
	for (size_t n = 0; n < COUNT_OF(paths); n++)
		refuses(paths[n].target, HEADER OTHER "\r\n", BODY, paths[n].status);
	background_sender_end();
	cr_assert_eq(stored_of("signed"), before);
	cr_assert_eq(stored_of("locked"), 0);
	cr_assert_eq(database_number("SELECT count(*) FROM payhook.transactions"
				     " WHERE transaction_id = 'signed-once' AND source <> 'signed'"),
		0);
}

/* The signed webhook itself is accepted, so the source works; sent again, it is a duplicate. */
Test(unsigned_ones, the_one_that_is_signed_is_taken_once)
{
	static const char *const headers[] = {
		GOOD, "x-hub-signature-256: sha256=" SIGNATURE "\r\n", GOOD HEADER OTHER "\r\n", GOOD};
	struct answer a;

	for (size_t n = 0; n < COUNT_OF(headers); n++) {
		post("/v1/webhooks/signed", headers[n], BODY, &a);
		cr_assert_eq(a.status, 202, "%s: %d %s", headers[n], a.status, a.body);
		answer_finish(&a);
	}
	cr_assert_eq(stored_of("signed"), 1);
}
