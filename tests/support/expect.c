/* expect.c - the rules that hold for every answer of payhook, and waiting for an instance to be healthy again. */

#include "support/expect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include <criterion/criterion.h>

#include "support/calm.h"
#include "support/instance.h"
#include "support/load.h"

/* Both nginx and the responder set headers; each header must be set by only one of them. */
static void expect_one_header(const struct answer *a, const char *name, const char *what)
{
	int count = 0;
	size_t len = strlen(name);

	for (const char *line = a->head; line != NULL; line = strchr(line, '\n')) {
		line += *line == '\n';
		count += strncasecmp(line, name, len) == 0 && line[len] == ':';
	}
	cr_assert_eq(count, 1, "%s: %d headers %s in\n%s", what, count, name, a->head);
}

void expect_problem(const struct answer *a, int status, const char *what)
{
	char type[128], id[128];

	cr_assert_eq(a->status, status, "%s: %d instead of %d: %s%s", what, a->status, status, a->body, a->trouble);
	answer_header(a, "Content-Type", type, sizeof(type));
	cr_assert_eq(strncasecmp(type, "application/problem+json", 24), 0, "%s: %s: %s", what, type, a->body);
	expect_one_header(a, "X-Request-Id", what);
	answer_header(a, "X-Request-Id", id, sizeof(id));
	cr_assert(strlen(id) >= 16, "%s: X-Request-Id is \"%s\"", what, id);

	json_object *o = answer_json(a), *number;
	cr_assert(json_object_is_type(o, json_type_object), "%s: %s", what, a->body);
	cr_assert(strlen(expect_text(o, "type")) > 0, "%s: %s", what, a->body);
	cr_assert(strlen(expect_text(o, "title")) > 0, "%s: %s", what, a->body);
	cr_assert(strlen(expect_text(o, "detail")) > 0, "%s: %s", what, a->body);
	cr_assert(json_object_object_get_ex(o, "status", &number), "%s: %s", what, a->body);
	cr_assert_eq(json_object_get_int(number), status, "%s: %s", what, a->body);
	cr_assert_str_eq(expect_text(o, "instance"), id, "%s: %s", what, a->body);
	json_object_put(o);
}

void expect_problem_once(struct answer *a, int status, const char *what)
{
	expect_problem(a, status, what);
	answer_finish(a);
}

void expect_retry_after(const struct answer *a, const char *what)
{
	char text[32], *end;

	cr_assert(answer_header(a, "Retry-After", text, sizeof(text)), "%s: no Retry-After", what);
	long seconds = strtol(text, &end, 10);
	cr_assert(*end == '\0' && seconds >= 1 && seconds <= 60, "%s: Retry-After: %s", what, text);
}

const char *expect_text(json_object *object, const char *name)
{
	json_object *member;

	cr_assert(json_object_object_get_ex(object, name, &member), "no %s in %s", name,
		json_object_to_json_string(object));
	cr_assert(json_object_is_type(member, json_type_string), "%s in %s", name, json_object_to_json_string(object));
	return json_object_get_string(member);
}

double expect_date(const char *text, bool with_fraction)
{
	struct tm t = {0};
	int at = 0, date = 0, fraction = 0;

	sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d%n", &t.tm_year, &t.tm_mon, &t.tm_mday, &t.tm_hour, &t.tm_min, &t.tm_sec,
		&at);
	date = at;
	if (with_fraction && text[at] == '.')
		at += 1 + (fraction = (int)strspn(text + at + 1, "0123456789"));
	cr_assert(date == 19 && strcmp(text + at, "Z") == 0, "not RFC 3339 in UTC: %s", text);
	t.tm_year -= 1900;
	t.tm_mon -= 1;
	return (double)timegm(&t) + (fraction > 0 ? strtod(text + date, NULL) : 0);
}

void expect_accepted(const char *body)
{
	struct answer a;

	call_post(body, &a);
	cr_assert_eq(a.status, 202, "%d %s%s to %s", a.status, a.body, a.trouble, body);
	answer_finish(&a);
}

/* Posts until the webhook is accepted; each earlier answer must be a well-formed 503.  port 0: that of the shared
 * instance. */
static void accepted_by(const char *body, int port, long long deadline)
{
	struct call c = {.target = WEBHOOKS, .type = "application/json", .body = body, .port = port};
	struct answer a;

	for (call_send(&c, &a); a.status != 202; call_send(&c, &a)) {
		cr_assert(calm_ms() < deadline, "still %d %s%s to %s", a.status, a.body, a.trouble, body);
		expect_retry_after(&a, body);
		expect_problem_once(&a, 503, body);
		pause_a_little();
	}
	answer_finish(&a);
}

void expect_accepted_within(const char *body, int timeout_ms)
{
	accepted_by(body, 0, calm_ms() + timeout_ms);
}

void expect_all_accepted(struct load *l, int timeout_ms)
{
	long long deadline = calm_ms() + timeout_ms;
	char body[WEBHOOK_MAX];

	cr_assert_eq(load_count(l, 202) + load_count(l, 503), l->begun, "%s", l->trouble);
	for (long n = 0; n < l->begun; n++) {
		if (l->status[n] == 202)
			continue;
		accepted_by(load_body(l, n, body), l->port, deadline);
		l->status[n] = 202;
		l->accepted++;
	}
}

/* Posts so many webhooks at once that each responder receives some: one responder may have recovered before the
 * others. */
static bool all_accept(struct load *l)
{
	char prefix[64];

	*l = (struct load){.prefix = fresh_id("recovery", prefix), .connections = 16, .posts = 48};
	load_open(l);
	bool all = load_until(l, l->posts, 2000) && l->accepted == l->posts;
	load_close(l);
	return all;
}

void expect_recovery(int timeout_ms)
{
	static struct load l;
	long long deadline = calm_ms() + timeout_ms;

	while (!all_accept(&l)) {
		/* Criterion prints no message of an assertion that fails before the test begins. */
		if (calm_ms() >= deadline)
			cr_log_error("after %d ms still %s", timeout_ms, l.trouble);
		cr_assert(calm_ms() < deadline, "after %d ms still %s", timeout_ms, l.trouble);
		pause_a_little();
	}
}

/* Requires so many healthy answers in a row that each responder gave some of them. */
void expect_health(int timeout_ms)
{
	long long deadline = calm_ms() + timeout_ms;

	for (int in_a_row = 0; in_a_row < 20;) {
		bool is = call_get_status("/") == 200;
		cr_assert(is || calm_ms() < deadline, "not healthy after %d ms", timeout_ms);
		in_a_row = is ? in_a_row + 1 : 0;
		if (!is)
			pause_a_little();
	}
}

void expect_responders(int count, const char *authorization)
{
	char expected[64];
	bool ready = false;

	snprintf(expected, sizeof(expected), "\npayhook_responders %d\n", count);
	for (long long end = calm_ms() + 20000; !ready && calm_ms() < end; pause_a_little()) {
		struct answer a;
		call_send(&(struct call){.target = "/metrics", .header = authorization}, &a);
		ready = a.status == 200 && strstr(a.body, expected) != NULL;
		answer_finish(&a);
	}
	cr_assert(ready, "there are not %d responders", count);
}
