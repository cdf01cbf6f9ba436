/* test_http.c - routing and replies, without FastCGI and without a database. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "access.h"
#include "fastcgi/client.h"
#include "fastcgi/http.h"
#include "route.h"
#include "runtime/settings.h"
#include "source/payload.h"
#include "source/source.h"

static struct sources sources;
static struct settings settings;
static struct service service = {.sources = &sources, .settings = &settings};
static struct request rq;
static int answers;
static const char *headers[8]; /* name, value, and so on, ended by NULL */
static int passes;             /* over the headers */

static void on_answer(struct request *r)
{
	(void)r;
	answers++;
}

static const char *value_of(const char *name)
{
	for (size_t i = 0; headers[i]; i += 2) {
		if (strcmp(headers[i], name) == 0)
			return headers[i + 1];
	}
	return NULL;
}

static const char *header(const struct request *r, const char *name)
{
	(void)r;
	passes++;
	return value_of(name);
}

static bool has_header(const struct request *r, const char *const names[], size_t count)
{
	(void)r;
	passes++;
	for (size_t i = 0; i < count; i++) {
		if (value_of(names[i]))
			return true;
	}
	return false;
}

static void request_init(void)
{
	memset(&rq, 0, sizeof rq);
	answers = passes = 0;
	memset(headers, 0, sizeof headers);
	memset(&settings, 0, sizeof settings);
	sources_init(&sources);
	rq.service = &service;
	rq.answer = on_answer;
	rq.header = header;
	rq.has_header = has_header;
	rq.is_repeated = NULL; /* no source of these tests signs headers by their names */
	rq.method = "GET";
	rq.target = "/";
	rq.content_type = "";
	rq.address = "127.0.0.1";
	rq.peer = "127.0.0.1";
	rq.body = BUF_INIT(PAYLOAD_MAX);
	rq.reply.body = BUF_INIT(REPLY_BODY_MAX);
	snprintf(rq.id, sizeof rq.id, "5f2c");
}

static void request_finish(void)
{
	buf_finish(&rq.body);
	buf_finish(&rq.reply.body);
}

TestSuite(http, .init = request_init, .fini = request_finish);

static void answers_with(const char *method, const char *target, int status)
{
	rq.method = method;
	rq.target = target;
	rq.reply.allow = NULL;
	answers = 0;
	route_request(&rq);
	cr_assert_eq(answers, 1);
	cr_expect_eq(
		rq.reply.status, status, "%s %s gives %d: %s", method, target, rq.reply.status, rq.reply.body.data);
}

Test(http, answers_liveness_without_a_database)
{
	answers_with("GET", "/livez", 200);
	answers_with("HEAD", "/livez?x=1", 200);
	cr_expect_str_eq(rq.reply.body.data, "{\"status\":\"alive\"}");
}

Test(http, knows_what_is_not_there)
{
	answers_with("GET", "/nothing", 404);
	answers_with("POST", "/v1/webhooks", 404);
	answers_with("GET", "/v1/transactions", 404);
	answers_with("GET", "/v1/transactions/", 404);
	answers_with("GET", "/v1/transactions/a%01b", 404);
	answers_with("GET", "/v1/transactions/a/b", 404);
	answers_with("GET", "/livez/", 404);
}

Test(http, names_the_methods_of_a_path)
{
	answers_with("POST", "/livez", 405);
	cr_expect_str_eq(rq.reply.allow, "GET, HEAD");
	answers_with("GET", "/v1/webhooks/transactions", 405);
	cr_expect_str_eq(rq.reply.allow, "POST");
	answers_with("get", "/livez", 405);
}

Test(http, writes_problems_as_rfc_9457_has_them)
{
	answers_with("GET", "/%", 400);
	cr_expect_str_eq(rq.reply.type, "application/problem+json");
	cr_expect_str_eq(rq.reply.body.data,
		"{\"type\":\"about:blank\",\"title\":\"Bad Request\",\"status\":400,"
		"\"detail\":\"the path has a broken escape at byte 1\",\"instance\":\"5f2c\"}");
}

Test(http, refuses_a_webhook_of_another_type_first)
{
	rq.content_type = "text/plain";
	answers_with("POST", "/v1/webhooks/transactions", 415);
	rq.content_type = "application/json";
	rq.body_too_large = true;
	answers_with("POST", "/v1/webhooks/transactions", 413);
	answers_with("POST", "/v1/webhooks/nobody", 404);
}

/* nginx's site is kept on an upgrade of the package, so the parameter may be missing. */
Test(http, counts_as_local_only_what_no_unnamed_proxy_forwarded)
{
	cr_expect(client_is_local(&rq));
	rq.peer = "";
	cr_expect(client_is_local(&rq));
	headers[0] = "via";
	headers[1] = "1.1 proxy";
	cr_expect_not(client_is_local(&rq));
	rq.peer = "127.0.0.1";
	cr_expect_not(client_is_local(&rq));
	rq.peer = "192.0.2.1";
	cr_expect(client_is_local(&rq));
	rq.address = "203.0.113.7";
	cr_expect_not(client_is_local(&rq));
}

/* Each unsigned webhook comes by here, and the headers of proxies are many. */
Test(http, looks_for_the_headers_of_all_proxies_in_one_pass)
{
	cr_expect(client_is_local(&rq));
	cr_expect_eq(passes, 1, "%d", passes);
	settings.open_to = OPEN_TO_PRIVATE;
	cr_expect(access_may_send_unsigned(&rq));
	cr_expect_eq(passes, 3, "%d, with that for Origin", passes);
}

/* In containers docker hides addresses, so the port decides. */
Test(http, a_port_may_make_its_clients_local_or_remote)
{
	rq.clients = CLIENTS_REMOTE;
	cr_expect_not(client_is_local(&rq));
	answers_with("GET", "/v1/transactions/a", 403);
	cr_expect_not_null(strstr(rq.reply.body.data, "this port"), "%s", rq.reply.body.data);
	rq.clients = CLIENTS_LOCAL;
	rq.address = rq.peer = "203.0.113.7";
	cr_expect(client_is_local(&rq));
	headers[0] = "via";
	headers[1] = "1.1 proxy";
	cr_expect_not(client_is_local(&rq));
}

/* The clients of the old service know no key. */
Test(http, a_local_port_needs_no_key_though_there_are_keys)
{
	static const struct api_keys keys;
	service.keys = &keys;
	rq.clients = CLIENTS_LOCAL;
	cr_expect(access_granted(&rq, API_READ));
	headers[0] = "host";
	headers[1] = "evil.example";
	answers_with("GET", "/v1/transactions/a", 403);
	service.keys = NULL;
}

/* A public address may be a provider's egress proxy, which adds Via; a private one is then the proxy's own. */
Test(http, takes_unsigned_webhooks_from_the_listed_networks)
{
	struct fault f;
	settings.open_to = OPEN_TO_NETWORKS;
	cr_assert(networks_read("203.0.113.0/24 10.0.0.0/8", &settings.open_networks, &f));
	cr_expect_not(access_may_send_unsigned(&rq));
	rq.address = rq.peer = "10.1.2.3";
	cr_expect(access_may_send_unsigned(&rq));
	headers[0] = "via";
	headers[1] = "1.1 proxy";
	cr_expect_not(access_may_send_unsigned(&rq));
	rq.address = rq.peer = "203.0.113.7";
	cr_expect(access_may_send_unsigned(&rq));
	rq.address = rq.peer = "198.51.100.7";
	cr_expect_not(access_may_send_unsigned(&rq));
}

Test(http, every_fault_of_ours_is_503_and_keeps_its_text)
{
	struct fault f;
	const enum fault_kind kinds[] = {FAULT_BUSY, FAULT_AGAIN, FAULT_BUG};
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		fault_set(&f, kinds[i], "secret words of the database");
		rq.reply.retry_after = 0;
		http_fault(&rq, &f);
		cr_expect_eq(rq.reply.status, 503);
		cr_expect_eq(rq.reply.retry_after, 1);
		cr_expect_null(strstr(rq.reply.body.data, "secret"));
	}
}
