/* test_sign_in.c - which operator makes a request, and which request is refused. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "attempts.h"
#include "auth/digest.h"
#include "fastcgi/http.h"
#include "sign_in.h"

#define NOW 1800000000

static struct settings settings;
static struct api_keys keys;
static struct attempts attempts;
static struct service service = {.settings = &settings, .attempts = &attempts};
static struct request rq;
static struct operator operator;
static int answers;
static const char *headers[16]; /* name, value, and so on, ended by NULL */
static const char *repeated;    /* the header that is there twice; NULL: none */

static void sign_in_on_answer(struct request *r)
{
	(void)r;
	answers++;
}

static const char *sign_in_header(const struct request *r, const char *name)
{
	(void)r;
	for (size_t i = 0; headers[i]; i += 2) {
		if (strcmp(headers[i], name) == 0)
			return headers[i + 1];
	}
	return NULL;
}

static bool sign_in_is_repeated(const struct request *r, const char *name)
{
	(void)r;
	return repeated && strcmp(repeated, name) == 0;
}

static bool sign_in_has_header(const struct request *r, const char *const names[], size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (sign_in_header(r, names[i]))
			return true;
	}
	return false;
}

static void add_key(const char *name, const char *key, unsigned scopes, int64_t not_after_s)
{
	struct api_key *k = &keys.list[keys.count++];
	snprintf(k->name, sizeof k->name, "%s", name);
	cr_assert(digest_sha256(key, strlen(key), k->sha256));
	k->scopes = scopes;
	k->not_after_s = not_after_s;
}

static void sign_in_begin(void)
{
	memset(&settings, 0, sizeof settings);
	memset(&attempts, 0, sizeof attempts);
	memset(headers, 0, sizeof headers);
	memset(&rq, 0, sizeof rq);
	keys.count = 0;
	add_key("reader", "r", API_READ, INT64_MAX);
	add_key("all", "a", API_READ | API_OPERATE | API_PAYLOAD, INT64_MAX);
	add_key("expired", "e", API_READ, NOW - 1);
	service.keys = &keys;
	rq.service = &service;
	rq.answer = sign_in_on_answer;
	rq.header = sign_in_header;
	rq.has_header = sign_in_has_header;
	rq.is_repeated = sign_in_is_repeated;
	repeated = NULL;
	rq.address = rq.peer = "127.0.0.1";
	rq.reply.body = BUF_INIT(65536);
	answers = 0;
}

static void sign_in_end(void)
{
	buf_finish(&rq.reply.body);
}

TestSuite(sign_in, .init = sign_in_begin, .fini = sign_in_end);

static void is_admitted(const char *name, unsigned scopes)
{
	answers = 0;
	cr_assert(sign_in(&rq, NOW, &operator), "%s: %s", name, rq.reply.body.data);
	cr_expect_str_eq(operator.name, name);
	cr_expect_eq(operator.scopes, scopes, "%s: %u", name, operator.scopes);
	cr_expect_eq(answers, 0);
}

static void is_refused(int status, const char *why)
{
	answers = 0;
	cr_assert_not(sign_in(&rq, NOW, &operator));
	cr_expect_eq(answers, 1);
	cr_expect_eq(rq.reply.status, status, "%d: %s", rq.reply.status, rq.reply.body.data);
	cr_expect_not_null(strstr(rq.reply.body.data, why), "%s", rq.reply.body.data);
}

static void send_header(const char *name, const char *value)
{
	size_t i = 0;
	while (headers[i] && strcmp(headers[i], name) != 0)
		i += 2;
	headers[i] = name;
	headers[i + 1] = value;
}

Test(sign_in, by_a_key_has_its_scopes_and_no_others)
{
	rq.address = rq.peer = "203.0.113.7";
	send_header("authorization", "Bearer r");
	is_admitted("reader", API_READ);
	send_header("authorization", "Bearer a");
	is_admitted("all", API_READ | API_OPERATE | API_PAYLOAD);
}

Test(sign_in, fails_without_a_valid_key)
{
	is_refused(401, "a key is wanted");
	cr_expect_str_eq(rq.reply.challenge, "Bearer");
	send_header("authorization", "Bearer e");
	is_refused(401, "a key is wanted");
	send_header("authorization", "Basic a");
	is_refused(401, "a key is wanted");
	cr_expect_eq(attempts.total, 3);
}

Test(sign_in, of_a_valid_key_is_not_held_up_by_failures_of_its_address)
{
	for (int i = 0; i < ATTEMPTS_PER_MINUTE; i++)
		is_refused(401, "a key is wanted");
	is_refused(429, "too many requests of this address");
	cr_expect_eq(rq.reply.retry_after, 60);
	rq.reply.retry_after = 0;
	send_header("authorization", "Bearer r");
	is_admitted("reader", API_READ);
	rq.address = rq.peer = "192.0.2.9";
	send_header("authorization", "Bearer x");
	is_refused(401, "a key is wanted");
}

Test(sign_in, without_keys_is_for_reading_on_this_host)
{
	service.keys = NULL;
	is_admitted("", API_READ);
	rq.address = rq.peer = "127.8.9.1";
	is_admitted("", API_READ);
	rq.address = rq.peer = "::1";
	is_admitted("", API_READ);
	rq.address = rq.peer = "10.1.2.3";
	is_refused(403, "this host only");
	rq.address = rq.peer = "::2";
	is_refused(403, "this host only");
}

Test(sign_in, without_keys_takes_no_key)
{
	service.keys = NULL;
	send_header("authorization", "Bearer a");
	is_refused(401, "API_KEYS_FILE is not set");
}

Test(sign_in, without_keys_is_not_for_pages_of_other_sites)
{
	service.keys = NULL;
	send_header("host", "evil.example");
	is_refused(403, "ALLOWED_HOSTS");
	snprintf(settings.allowed_hosts, sizeof settings.allowed_hosts, "evil.example");
	is_admitted("", API_READ);
	send_header("sec-fetch-site", "cross-site");
	is_refused(403, "another site");
}

Test(sign_in, without_keys_is_not_through_a_proxy)
{
	service.keys = NULL;
	send_header("via", "1.1 proxy");
	is_refused(403, "REAL_IP_FROM");
}

/* The address is what the proxy reports: its own host's, or that of a client behind the port of this host. */
Test(sign_in, without_keys_is_not_through_a_named_proxy)
{
	service.keys = NULL;
	rq.peer = "10.0.0.5";
	is_refused(403, "this host only");
	rq.clients = CLIENTS_LOCAL;
	rq.address = "10.1.2.3";
	is_refused(403, "this host only");
	rq.address = rq.peer;
	is_admitted("", API_READ);
}

Test(sign_in, by_a_key_counts_before_the_user_of_a_proxy)
{
	snprintf(settings.console_user_header, sizeof settings.console_user_header, "x-forwarded-user");
	send_header("x-forwarded-user", "alice");
	rq.address = "203.0.113.7";
	send_header("authorization", "Bearer a");
	is_admitted("all", API_READ | API_OPERATE | API_PAYLOAD);
	send_header("authorization", "Bearer of-the-proxy");
	is_admitted("alice", API_READ | API_OPERATE);
}

/* The first of the two may be the client's. */
Test(sign_in, by_a_proxy_has_one_header)
{
	snprintf(settings.console_user_header, sizeof settings.console_user_header, "x-forwarded-user");
	send_header("x-forwarded-user", "alice");
	repeated = "x-forwarded-user";
	rq.address = "203.0.113.7";
	is_refused(403, "there twice");
}

Test(sign_in, by_a_proxy_is_for_named_proxies_only)
{
	snprintf(settings.console_user_header, sizeof settings.console_user_header, "x-forwarded-user");
	send_header("x-forwarded-user", "alice@example.com");
	is_refused(401, "a key is wanted");
	rq.address = "203.0.113.7";
	is_admitted("alice@example.com", API_READ | API_OPERATE);
	settings.console_user_header[0] = '\0';
	is_refused(401, "a key is wanted");
}

Test(sign_in, by_a_proxy_is_not_for_pages_of_other_sites)
{
	snprintf(settings.console_user_header, sizeof settings.console_user_header, "x-forwarded-user");
	send_header("x-forwarded-user", "alice");
	send_header("sec-fetch-site", "cross-site");
	rq.address = "203.0.113.7";
	is_refused(403, "another site");
}

Test(sign_in, by_a_proxy_needs_a_name_that_can_be_on_record)
{
	static char name[OPERATOR_NAME_MAX + 2];
	memset(name, 'n', sizeof name - 1);
	snprintf(settings.console_user_header, sizeof settings.console_user_header, "x-forwarded-user");
	rq.address = "203.0.113.7";
	send_header("x-forwarded-user", name);
	is_refused(403, "255 bytes");
	send_header("x-forwarded-user", "a\xff");
	is_refused(403, "255 bytes");
	send_header("x-forwarded-user", "a\033[2J");
	is_refused(403, "255 bytes");
	name[OPERATOR_NAME_MAX] = '\0';
	send_header("x-forwarded-user", name);
	is_admitted(name, API_READ | API_OPERATE);
}
