/* test_near.c - without an API_KEYS_FILE, only this host and private networks may read. */

#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/base.h"
#include "support/client.h"
#include "support/expect.h"
#include "support/instance.h"

/* 127.0.0.2 is configured as a load balancer, so that requests can have any client address. */
const char *const instance_settings[] = {"REAL_IP_FROM=127.0.0.2", "PROCESSOR_DELAY_MS=0", NULL};

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
	/* These do not come from a configured balancer, so the header has no effect: the client is this host. */
	cr_expect_eq(read_from("127.0.0.1", "203.0.113.7", "/v1/transactions/nobody", &a), 404);
	answer_finish(&a);
	/* The balancer itself appends the last address. */
	cr_expect_eq(read_from("127.0.0.2", "10.0.0.1, 203.0.113.7", "/v1/transactions/nobody", &a), 403);
	answer_finish(&a);
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
