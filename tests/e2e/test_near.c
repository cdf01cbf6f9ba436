/* test_near.c - without an API_KEYS_FILE, only this host and private networks may read, and only if neither a proxy nor a
 * page in a browser may stand between. */

#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/base.h"
#include "support/client.h"
#include "support/expect.h"
#include "support/instance.h"

/* 127.0.0.2 is configured as a load balancer, so that requests can have any client address. */
const char *const instance_settings[] = {
	"REAL_IP_FROM=127.0.0.2", "ALLOWED_HOSTS=payhook.internal, Other.Example", "PROCESSOR_DELAY_MS=0", NULL};

static int read_from(const char *balancer, const char *address, const char *target, struct answer *ret)
{
	char header[128];
	snprintf(header, sizeof header, "X-Forwarded-For: %s", address);
	call_send(&(struct call){.target = target, .header = header, .from = balancer}, ret);
	return ret->status;
}

Test(near, reads_are_for_this_host_and_private_networks)
{
	static const char *const near[] = {"127.0.0.1", "10.1.2.3", "172.31.255.255", "192.168.0.9", "fd12::1", "::1"};
	static const char *const far[] = {
		"203.0.113.7", "172.32.0.1", "11.0.0.1", "2001:db8::1", "192.169.0.1", "::ffff:203.0.113.7"};
	char id[64], body[WEBHOOK_MAX], target[128];
	struct answer a;

	expect_accepted(webhook_simple(fresh_id("near", id), body));
	snprintf(target, sizeof target, "/v1/transactions/%s", id);
	for (size_t i = 0; i < COUNT_OF(near); i++) {
		cr_expect_eq(read_from("127.0.0.2", near[i], target, &a), 200, "%s: %d", near[i], a.status);
		answer_finish(&a);
	}
	for (size_t i = 0; i < COUNT_OF(far); i++) {
		cr_expect_eq(read_from("127.0.0.2", far[i], target, &a), 403, "%s: %d", far[i], a.status);
		cr_expect_not_null(strstr(a.body, "API_KEYS_FILE"), "%s", a.body);
		expect_problem_once(&a, 403, far[i]);
	}
}

Test(near, a_stranger_s_word_about_its_address_is_not_believed)
{
	struct answer a;
	/* This does not come from a configured balancer, so the header does not change the address. */
	cr_expect_eq(read_from("127.0.0.1", "10.0.0.1", "/v1/transactions/nobody", &a), 403);
	answer_finish(&a);
	/* The balancer itself appends the last address. */
	cr_expect_eq(read_from("127.0.0.2", "10.0.0.1, 203.0.113.7", "/v1/transactions/nobody", &a), 403);
	answer_finish(&a);
	cr_expect_eq(read_from("127.0.0.2", "10.0.0.1, 203.0.113.7", "/v1/payments/nobody", &a), 403);
	answer_finish(&a);
}

#define READ "/v1/transactions/nobody"

static void gives(const char *target, const char *header, int status, const char *why)
{
	struct answer a;

	call_send(&(struct call){.target = target, .header = header}, &a);
	cr_expect_eq(a.status, status, "%s with \"%s\" gives %d: %s", target, header, a.status, a.body);
	if (why)
		cr_expect_not_null(strstr(a.body, why), "%s: %s", header, a.body);
	if (status == 403)
		expect_problem_once(&a, 403, header);
	else
		answer_finish(&a);
}

/* A page of the site can make a browser resolve the site's name to this host (DNS rebinding).  The browser then sends
 * that name as Host. */
Test(near, a_name_of_another_site_reads_nothing)
{
	static const char *const foreign[] = {"Host: evil.example", "Host: evil.example:80",
		"Host: localhost.evil.example", "Host: 127.0.0.1.evil.example", "Host: payhook.internal.evil.example",
		"Host: xpayhook.internal", "Host: internal", "Host: payhook", "Host: other.example:80x"};

	for (size_t i = 0; i < COUNT_OF(foreign); i++) {
		gives(READ, foreign[i], 403, "ALLOWED_HOSTS");
		gives("/metrics", foreign[i], 403, "ALLOWED_HOSTS");
	}
}

Test(near, addresses_localhost_and_allowed_names_read)
{
	static const char *const known[] = {"Host: localhost", "Host: LOCALHOST:8000", "Host: localhost.",
		"Host: 192.0.2.1:80", "Host: [::1]", "Host: [2001:db8::1]:8080", "Host: payhook.internal",
		"Host: Payhook.Internal:443", "Host: other.example"};

	for (size_t i = 0; i < COUNT_OF(known); i++) {
		gives(READ, known[i], 404, NULL);
		gives("/metrics", known[i], 200, NULL);
	}
}

/* Nobody named this proxy, so the address is the proxy's, and the client may be anywhere. */
Test(near, what_a_proxy_forwards_is_not_local)
{
	static const char *const headers[] = {"X-Forwarded-For: 127.0.0.1", "X-Forwarded-For: nonsense",
		"X-Forwarded-For;", "Forwarded: for=127.0.0.1", "Via: 1.1 proxy", "X-Real-IP: 127.0.0.1",
		"X-Forwarded-Host: localhost", "X-Forwarded-Proto: https", "X-Forwarded-Port: 80",
		"X-Original-Forwarded-For: 127.0.0.1", "X-Client-IP: 127.0.0.1", "True-Client-IP: 127.0.0.1",
		"CF-Connecting-IP: 127.0.0.1"};

	for (size_t i = 0; i < COUNT_OF(headers); i++) {
		gives(READ, headers[i], 403, "REAL_IP_FROM");
		gives("/metrics", headers[i], 403, "REAL_IP_FROM");
	}
}

/* A header of a client never becomes a parameter of nginx's own. */
Test(near, no_header_makes_a_client_local)
{
	static const char *const claims[][2] = {{"X-Forwarded-For: 203.0.113.7", "Payhook-Clients: local"},
		{"X-Forwarded-For: 203.0.113.7", "PAYHOOK_CLIENTS: local"},
		{"Via: 1.1 proxy", "Payhook-Peer: 192.0.2.1"}, {"Via: 1.1 proxy", "PAYHOOK_PEER: 192.0.2.1"}};
	struct answer a;

	for (size_t i = 0; i < COUNT_OF(claims); i++) {
		call_send(&(struct call){.target = READ,
				  .headers = (const char *const[]){claims[i][0], claims[i][1], NULL},
				  .from = "127.0.0.2"},
			&a);
		expect_problem_once(&a, 403, claims[i][1]);
	}
}

/* The address would be that of the balancer. */
Test(near, a_balancer_that_names_no_client_forwards_nothing_local)
{
	struct answer a;

	call_send(&(struct call){.target = READ, .header = "Via: 1.1 balancer", .from = "127.0.0.2"}, &a);
	cr_expect_eq(a.status, 403, "%d", a.status);
	answer_finish(&a);
	call_send(&(struct call){.target = READ, .from = "127.0.0.2"}, &a);
	cr_expect_eq(a.status, 404, "%d", a.status);
	answer_finish(&a);
}

Test(near, a_page_of_another_site_reads_nothing)
{
	gives(READ, "Sec-Fetch-Site: cross-site", 403, "another site");
	gives("/metrics", "Sec-Fetch-Site: cross-site", 403, "another site");
	gives(READ, "Sec-Fetch-Site: none", 404, NULL);
	gives(READ, "Sec-Fetch-Site: same-origin", 404, NULL);
}

/* Health checks and balancers use names, and a provider's way out adds Via. */
Test(near, none_of_it_holds_for_webhooks_and_health)
{
	static const char *const headers[] = {
		"Host: evil.example", "Via: 1.1 proxy", "X-Forwarded-For: 203.0.113.7", "Sec-Fetch-Site: cross-site"};
	static const char *const targets[] = {"/", "/livez", "/readyz"};
	char id[64], body[WEBHOOK_MAX];
	struct answer a;

	for (size_t i = 0; i < COUNT_OF(headers); i++) {
		for (size_t n = 0; n < COUNT_OF(targets); n++)
			gives(targets[n], headers[i], 200, NULL);
		call_send(&(struct call){.target = WEBHOOKS,
				  .type = "application/json",
				  .body = webhook_simple(fresh_id("proxied", id), body),
				  .header = headers[i]},
			&a);
		cr_expect_eq(a.status, 202, "%s: %d", headers[i], a.status);
		answer_finish(&a);
	}
}

static void expect_readyz(const char *from, const char *header, const char *body)
{
	struct answer a;

	call_send(&(struct call){.target = "/readyz", .from = from, .header = header}, &a);
	cr_expect_eq(a.status, 200, "%d", a.status);
	cr_expect_str_eq(a.body, body, "from %s with \"%s\": %s", from, header, a.body);
	answer_finish(&a);
}

Test(near, readyz_names_the_open_sources_to_this_host_and_private_networks)
{
	static const char ALL[] = "{\"status\":\"ready\",\"open_sources\":[\"transactions\"],"
				  "\"open_source_from\":\"all\"}";
	static const char STATUS[] = "{\"status\":\"ready\"}";

	expect_readyz("127.0.0.1", "Host: payhook", ALL);
	expect_readyz("127.0.0.2", "X-Forwarded-For: 10.1.2.3", ALL);
	expect_readyz("127.0.0.2", "X-Forwarded-For: 203.0.113.7", STATUS);
	expect_readyz("127.0.0.1", "X-Forwarded-For: 10.1.2.3", STATUS);
	expect_readyz("127.0.0.1", "Via: 1.1 proxy", STATUS);
}

Test(near, webhooks_and_health_are_for_everybody)
{
	char id[64], body[WEBHOOK_MAX];
	struct answer a;

	cr_expect_eq(read_from("127.0.0.2", "203.0.113.7", "/readyz", &a), 200);
	answer_finish(&a);
	call_send(&(struct call){.target = WEBHOOKS,
			  .type = "application/json",
			  .body = webhook_simple(fresh_id("far", id), body),
			  .header = "X-Forwarded-For: 203.0.113.7",
			  .from = "127.0.0.2"},
		&a);
	cr_expect_eq(a.status, 202);
	answer_finish(&a);
}
