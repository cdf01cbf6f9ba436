/* test_open_sources.c - with PROCESSOR=http, a source that nothing restricts takes webhooks from this host and private
 * networks only, unless OPEN_SOURCE_FROM says otherwise. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/base.h"
#include "support/client.h"
#include "support/expect.h"
#include "support/instance.h"
#include "support/instance_database.h"
#include "support/logs.h"
#include "support/scrape.h"

#define SOURCES                                                                                   \
	"{\"sources\":[{\"name\":\"listed\",\"scheme\":\"none\",\"allow\":[\"203.0.113.0/24\"]}," \
	"{\"name\":\"signed\",\"scheme\":\"github\",\"secrets\":[{\"env\":\"OPEN_SECRET\"}]}]}\n"

static char file_setting[96];
static char sources_path[] = "/tmp/payhook-e2e-open-XXXXXX";

/* 127.0.0.2 is configured as a load balancer, so that requests can have any client address.  No processor listens: the
 * transactions are only stored. */
const char *const instance_settings[] = {file_setting, "OPEN_SECRET=a secret that signs nothing here",
	"REAL_IP_FROM=127.0.0.2", "PROCESSOR=http", "PROCESSOR_URL=http://127.0.0.1:9/", "WORKER_GRACE_MS=0", NULL};

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

static void post_from(const char *address, const char *source, const char *header, struct answer *ret)
{
	char id[64], body[WEBHOOK_MAX], target[96], forwarded[96];

	snprintf(target, sizeof(target), "/v1/webhooks/%s", source);
	snprintf(forwarded, sizeof(forwarded), "X-Forwarded-For: %s", address);
	call_send(&(struct call){.target = target,
			  .type = "application/json",
			  .body = webhook_simple(fresh_id("open", id), body),
			  .headers = (const char *const[]){forwarded, header, NULL},
			  .from = "127.0.0.2"},
		ret);
}

static void gives(const char *address, const char *source, const char *header, int status)
{
	struct answer a;

	post_from(address, source, header, &a);
	cr_expect_eq(a.status, status, "%s to %s gives %d: %s", address, source, a.status, a.body);
	if (status >= 400)
		expect_problem_once(&a, status, address);
	else
		answer_finish(&a);
}

Test(open_sources, an_unsigned_webhook_is_taken_from_private_addresses)
{
	static const char *const near[] = {"127.0.0.1", "10.1.2.3", "192.168.0.9", "fd12::1", "::1"};

	for (size_t n = 0; n < COUNT_OF(near); n++)
		gives(near[n], "transactions", NULL, 202);
}

Test(open_sources, from_elsewhere_it_is_403_which_names_the_setting)
{
	static const char *const series[] = {
		"payhook_webhooks_total{outcome=\"forbidden\"}", "payhook_auth_failures_total{cause=\"address\"}"};
	static const char *const far[] = {"203.0.113.7", "2001:db8::1", "172.32.0.1"};
	double before[COUNT_OF(series)];
	struct answer a;

	for (size_t n = 0; n < COUNT_OF(series); n++)
		before[n] = scrape_now(series[n]);
	for (size_t n = 0; n < COUNT_OF(far); n++) {
		post_from(far[n], "transactions", NULL, &a);
		cr_expect_not_null(strstr(a.body, "OPEN_SOURCE_FROM"), "%s", a.body);
		expect_problem_once(&a, 403, far[n]);
	}
	for (size_t n = 0; n < COUNT_OF(series); n++)
		cr_expect_eq(scrape_now(series[n]) - before[n], (double)COUNT_OF(far), "%s", series[n]);
}

/* Nobody named this proxy: the private address is its own. */
Test(open_sources, what_an_unnamed_proxy_forwards_is_from_elsewhere)
{
	static const char *const headers[] = {"Via: 1.1 proxy", "Forwarded: for=10.1.2.3", "X-Forwarded-For: 10.1.2.3"};
	char id[64], body[WEBHOOK_MAX];
	struct answer a;

	for (size_t n = 0; n < COUNT_OF(headers); n++) {
		call_send(&(struct call){.target = WEBHOOKS,
				  .type = "application/json",
				  .body = webhook_simple(fresh_id("proxied", id), body),
				  .header = headers[n]},
			&a);
		expect_problem_once(&a, 403, headers[n]);
	}
	gives("10.1.2.3", "transactions", "Via: 1.1 balancer", 202);
}

/* By DNS rebinding a page reaches this host from the browser of somebody in the private network.  A browser marks each
 * POST with the page's origin. */
Test(open_sources, a_page_in_a_browser_may_not_send)
{
	gives("10.1.2.3", "transactions", "Origin: http://evil.example", 403);
	gives("10.1.2.3", "transactions", "Origin: null", 403);
	gives("203.0.113.7", "listed", "Origin: null", 202);
}

/* A source with a restriction of its own does not need another. */
Test(open_sources, signed_and_restricted_sources_are_as_before)
{
	gives("203.0.113.7", "listed", NULL, 202);
	gives("10.1.2.3", "listed", NULL, 403);
	gives("203.0.113.7", "signed", NULL, 401);
	gives("203.0.113.7", "signed", "Via: 1.1 proxy", 401);
}

Test(open_sources, the_log_readyz_and_status_name_them)
{
	char log[16384], line[1024];
	struct answer a;

	logs_wait("pool", "source accepts unsigned webhooks", "\"source\":\"transactions\"", line, sizeof(line));
	cr_expect_not_null(strstr(line, "\"open_source_from\":\"private\""), "%s", line);
	cr_expect_not_null(strstr(line, "\"level\":\"warn\""), "%s", line);
	call_get("/readyz", &a);
	cr_expect_str_eq(a.body, "{\"status\":\"ready\",\"open_sources\":[\"listed\",\"transactions\"],"
				 "\"open_source_from\":\"private\"}");
	answer_finish(&a);
	cr_assert(instance_run(instance(), (const char *const[]){"status", NULL}, instance_settings, 30000));
	instance_log(instance(), log, sizeof(log));
	cr_expect_not_null(
		strstr(log, "\n  unsigned  webhooks to listed, transactions; OPEN_SOURCE_FROM=private\n"), "%s", log);
	cr_expect_not_null(strstr(log, "payhook: unsigned webhooks to listed, transactions;"), "%s", log);
}
