/* test_unreadable.c - webhooks that cannot be mapped, kept in PostgreSQL: each body of a source once, and so many. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "ingest/unreadable.h"
#include "support/fresh_database.h"
#include "support/loop.h"

static struct unreadable *unreadable;

struct asked {
	struct unreadable_insert insert;
	struct insert_body body;
	bool is_kept, failed;
};

static int done;

static void unreadable_init(void)
{
	database_init();
	unreadable = unreadable_create(loop_open());
	cr_assert_not_null(unreadable);
}

static void unreadable_fini(void)
{
	unreadable_destroy(unreadable);
	loop_close();
	database_drop();
}

TestSuite(unreadable, .init = unreadable_init, .fini = unreadable_fini, .timeout = 60);

static void on_done(struct unreadable_insert *insert, bool is_kept, const struct fault *f)
{
	struct asked *asked = CONTAINER_OF(insert, struct asked, insert);
	asked->is_kept = is_kept;
	asked->failed = f != NULL;
	done++;
}

static void keep(struct asked *a, const char *source, const char *body)
{
	*a = (struct asked){.body = {.bytes = body,
				    .len = strlen(body),
				    .content_type = "application/json",
				    .headers = "{\"user-agent\":\"Bank/1.0\"}"}};
	a->insert = (struct unreadable_insert){.source = source,
		.request_id = "0123456789abcdef0123456789abcdef",
		.traceparent = "",
		.reason = "/amount missing",
		.body = &a->body,
		.done = on_done};
	unreadable_keep(unreadable, &a->insert);
}

static bool are_done(void *ctx)
{
	return done == *(int *)ctx;
}

static void wait_done(int count)
{
	loop_until(are_done, &count, "all are answered");
}

#define VALUE(expected, ...) cr_expect_str_eq(database_value(__VA_ARGS__), expected)

Test(unreadable, webhooks_are_kept_as_they_came_with_their_reason)
{
	struct asked a;
	keep(&a, "bank", "{\"amount\": null}");
	wait_done(1);
	cr_expect(a.is_kept && !a.failed);
	VALUE("bank|1|{\"amount\": null}|application/json|Bank/1.0|/amount missing|"
	      "01234567-89ab-cdef-0123-456789abcdef|t",
		"SELECT concat_ws('|', source, count, convert_from(body, 'UTF8'), content_type, headers->>'user-agent',"
		" reason, request_id, traceparent IS NULL) FROM payhook.unreadable_webhooks");
}

Test(unreadable, a_body_of_a_source_is_kept_once)
{
	struct asked a[4];
	keep(&a[0], "bank", "x");
	keep(&a[1], "bank", "x");
	keep(&a[2], "card", "x");
	wait_done(3);
	keep(&a[3], "bank", "x");
	wait_done(4);
	for (size_t i = 0; i < COUNT_OF(a); i++)
		cr_expect(a[i].is_kept, "%zu", i);
	VALUE("bank 3,card 1",
		"SELECT string_agg(source || ' ' || count, ',' ORDER BY source) FROM payhook.unreadable_webhooks");
}

/* All but two places of a source. */
static void fill(const char *source)
{
	database_exec(
		"INSERT INTO payhook.unreadable_webhooks (source, body_sha256, content_type, headers, body, reason)"
		" SELECT '%s', sha256(n::text::bytea), '', '{}', n::text::bytea, '' FROM generate_series(1, %d) n",
		source, UNREADABLE_OF_SOURCE_MAX - 2);
}

Test(unreadable, a_source_has_room_for_ten_thousand_and_no_other_source_pays_for_it)
{
	struct asked a[6];
	fill("bank");
	keep(&a[0], "bank", "a");
	keep(&a[1], "bank", "b");
	keep(&a[2], "bank", "c");
	keep(&a[3], "bank", "7");
	keep(&a[4], "card", "c");
	wait_done(5);
	cr_expect(a[0].is_kept && a[1].is_kept);
	cr_expect(!a[2].is_kept && !a[2].failed, "the third finds no room");
	cr_expect(a[3].is_kept, "it is there already");
	cr_expect(a[4].is_kept, "of another source");
	VALUE("10000", "SELECT count(*) FROM payhook.unreadable_webhooks WHERE source = 'bank'");
	VALUE("t", "SELECT payhook.drop_unreadable(1)");
	VALUE("f", "SELECT payhook.drop_unreadable(1)");
	keep(&a[5], "bank", "c");
	wait_done(6);
	cr_expect(a[5].is_kept, "there is room again");
}

Test(unreadable, one_that_is_withdrawn_is_not_answered)
{
	struct asked a, b;
	keep(&a, "bank", "a");
	keep(&b, "bank", "b");
	unreadable_withdraw(unreadable, &a.insert);
	wait_done(1);
	cr_expect(b.is_kept);
}

Test(unreadable, headers_are_an_object)
{
	cr_expect_str_eq(
		database_error("INSERT INTO payhook.unreadable_webhooks (source, body_sha256, content_type, headers,"
			       " body, reason) VALUES ('s', sha256(''), '', '[1]', '', '')"),
		"unreadable_webhooks_headers_check");
}

/* ---- two connections ---- */

Test(unreadable, of_two_that_keep_at_once_the_second_sees_what_the_first_has_kept)
{
	struct asked a;
	fill("bank");
	database_exec("BEGIN");
	VALUE("t",
		"SELECT bool_and(is_kept) FROM payhook.keep_unreadable('{bank,bank}', '{\"\",\"\"}', '{a,a}', '{\"{}\",\"{}\"}',"
		" '{a,b}', '{\"\",\"\"}', '{x,x}')");
	keep(&a, "bank", "c");
	loop_for(200);
	cr_expect_eq(done, 0, "it waits");
	database_exec("COMMIT");
	wait_done(1);
	cr_expect(!a.is_kept && !a.failed);
}
