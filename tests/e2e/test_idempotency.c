/* test_idempotency.c - one id is one transaction, however often and in whatever form its webhook arrives. */

#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/base.h"
#include "support/calm.h"
#include "support/expect.h"
#include "support/instance.h"
#include "support/instance_database.h"
#include "support/load.h"

/* Long enough to see a job before it is done. */
const char *const instance_settings[] = {"PROCESSOR_DELAY_MS=2000", NULL};

#define ROWS "SELECT count(*) FROM payhook.transactions WHERE transaction_id = $1"
#define JOBS "SELECT count(*) FROM payhook.jobs WHERE transaction_id = $1"
#define PROCESSED "SELECT count(*) FROM payhook.transactions WHERE transaction_id = $1 AND status = 'PROCESSED'"
/* Jobs that wait or are done: a job ends in the transaction that sets the status. */
#define JOBS_EVER                                                                         \
	"SELECT (SELECT count(*) FROM payhook.jobs WHERE transaction_id = $1) + count(*)" \
	" FROM payhook.transactions WHERE transaction_id = $1 AND status = 'PROCESSED'"
#define CONFLICTS "SELECT count(*) FROM payhook.transaction_conflicts WHERE transaction_id = $1"

#define PATIENCE_MS 40000

static char the_id[64];

/* Posts concurrently, one post per connection, under a fresh id.  A webhook that was answered 503 may have been stored
 * or not, so it would spoil the count: then all are posted again under another id, over half as many connections, until
 * the deadline. */
static void post_at_once(const char *word, struct load *l)
{
	long long deadline = calm_ms() + PATIENCE_MS;

	for (;;) {
		fresh_id(word, the_id);
		load_open(l);
		cr_assert(load_until(l, l->posts, 20000), "%ld answers", l->answered);
		cr_assert_eq(load_count(l, 202) + load_count(l, 503), l->posts, "%s", l->trouble);
		if (l->accepted == l->posts)
			return;
		cr_assert(calm_ms() < deadline, "%ld accepted; %s", l->accepted, l->trouble);
		load_close(l);
		l->connections = (l->connections + 1) / 2;
	}
}

static void same_body(long n, char ret[WEBHOOK_MAX])
{
	(void)n;
	webhook_simple(the_id, ret);
}

Test(idempotency, a_thousand_parallel_posts_of_one_id_are_one_transaction_and_one_job)
{
	struct load l = {.prefix = "", .body = same_body, .connections = 1000, .posts = 1000};

	post_at_once("thousand", &l);
	cr_assert_eq(database_number_of(ROWS, the_id), 1);
	cr_assert_eq(database_number_of(JOBS, the_id), 1);
	cr_assert_eq(database_number_of(CONFLICTS, the_id), 0);
	cr_assert_eq(database_wait(PROCESSED, the_id, 1, 10000), 1);
	cr_assert_eq(database_number_of(JOBS, the_id), 0);
	load_close(&l);
}

/* Each content has a different account, and is posted three times. */
static const char *content(long number, char ret[WEBHOOK_MAX])
{
	snprintf(ret, WEBHOOK_MAX,
		"{\"transaction_id\":\"%s\",\"source_account\":\"acc_%ld\",\"destination_account\":\"b\",\"amount\":%ld.50,"
		"\"currency\":\"EUR\"}",
		the_id, number, number);
	return ret;
}

static long contents;

static void one_of_the_contents(long n, char ret[WEBHOOK_MAX])
{
	content(n % contents, ret);
}

/* Posts this number of contents under one id, each three times and all concurrently.  Returns the number of the content
 * that was stored first. */
static long post_contents(const char *word, long how_many, struct load *l)
{
	long winner = -1;

	contents = how_many;
	*l = (struct load){
		.prefix = "", .body = one_of_the_contents, .connections = (int)(3 * how_many), .posts = 3 * how_many};
	post_at_once(word, l);
	cr_assert_eq(database_number_of(ROWS, the_id), 1);
	cr_assert_eq(database_number_of(JOBS_EVER, the_id), 1);
	const char *account =
		database_text_of("SELECT source_account FROM payhook.transactions WHERE transaction_id = $1", the_id);
	cr_assert_eq(sscanf(account, "acc_%ld", &winner), 1, "%s", account);
	load_close(l);
	return winner;
}

struct kept {
	bool is[64];
	int count;
};

static void mark_kept(const char *body, void *arg)
{
	struct kept *kept = arg;
	char expected[WEBHOOK_MAX];

	kept->count++;
	for (long n = 0; n < contents; n++)
		if (strcmp(body, content(n, expected)) == 0)
			kept->is[n] = true;
}

static void look_at_kept(struct kept *kept)
{
	*kept = (struct kept){0};
	database_each("SELECT convert_from(body, 'UTF8') FROM payhook.transaction_conflicts WHERE transaction_id = $1",
		the_id, mark_kept, kept);
}

Test(idempotency, parallel_posts_of_other_contents_are_all_kept_as_conflicts)
{
	struct load l;
	struct kept kept;

	long winner = post_contents("contents", 17, &l);
	look_at_kept(&kept);
	cr_assert_eq(kept.count, 16);
	for (long n = 0; n < contents; n++)
		cr_assert_eq(kept.is[n], n != winner, "content %ld, %ld won", n, winner);
	cr_assert_eq(database_number_of("SELECT count(*) FROM payhook.transaction_conflicts WHERE transaction_id = $1"
					" AND count = 3 AND unkept = 0 AND length(request_id) > 8",
			     the_id),
		16, "not every content was counted three times");
}

Test(idempotency, beyond_sixteen_conflicts_are_counted_and_not_kept)
{
	struct load l;
	struct kept kept;

	long winner = post_contents("many-contents", 40, &l);
	look_at_kept(&kept);
	cr_assert_eq(kept.count, 16);
	cr_assert(!kept.is[winner]);
	/* The remaining 23 contents were posted three times each and only counted. */
	cr_assert_eq(database_number_of(
			     "SELECT sum(unkept) FROM payhook.transaction_conflicts WHERE transaction_id = $1", the_id),
		69);
	cr_assert_eq(database_number_of(
			     "SELECT sum(count) FROM payhook.transaction_conflicts WHERE transaction_id = $1", the_id),
		48);
}

Test(idempotency, the_same_content_in_another_form_is_no_conflict)
{
	static const char *const forms[] = {
		"{\"transaction_id\":\"%s\",\"source_account\":\"a\",\"destination_account\":\"b\",\"amount\":1500,\"currency\":\"USD\"}",
		"{\"transaction_id\":\"%s\",\"source_account\":\"a\",\"destination_account\":\"b\",\"amount\":1500.00,\"currency\":\"USD\"}",
		"{\"transaction_id\":\"%s\",\"source_account\":\"a\",\"destination_account\":\"b\",\"amount\":\"1500.0\",\"currency\":\"usd\"}",
		"{\"currency\":\"USD\",\"amount\":1500,\"destination_account\":\"b\",\"source_account\":\"a\",\"transaction_id\":\"%s\"}",
		"{\"more\":[1,{\"x\":null}],\"transaction_id\":\"%s\",\"source_account\":\"a\",\"destination_account\":\"\\u0062\","
		"\"amount\":1500,\"currency\":\"USD\",\"event\":\"retry\"}",
		" \t\r\n{ \"transaction_id\" : \"%s\" , \"source_account\":\"a\",\"destination_account\":\"b\",\"amount\":1500,"
		"\"currency\":\"USD\" }\n"};
	char body[WEBHOOK_MAX];
	struct answer a;

	fresh_id("forms", the_id);
	for (size_t n = 0; n < COUNT_OF(forms); n++) {
		const char *at = strstr(forms[n], "%s");
		snprintf(body, sizeof(body), "%.*s%s%s", (int)(at - forms[n]), forms[n], the_id, at + 2);
		expect_accepted(body);
	}
	cr_assert_eq(database_number_of(CONFLICTS, the_id), 0);
	cr_assert_eq(database_number_of(ROWS, the_id), 1);
	cr_assert_eq(database_number_of(JOBS, the_id), 1);
	snprintf(body, sizeof(body), "/v1/transactions/%s", the_id);
	call_get(body, &a);
	cr_assert_not_null(strstr(a.body, "\"amount\":1500,"), "the first form's digits stay: %s", a.body);
	answer_finish(&a);
}

Test(idempotency, a_difference_in_any_member_is_a_conflict)
{
	static const char *const others[] = {
		"{\"transaction_id\":\"%s\",\"source_account\":\"A\",\"destination_account\":\"b\",\"amount\":1500,\"currency\":\"USD\"}",
		"{\"transaction_id\":\"%s\",\"source_account\":\"a\",\"destination_account\":\"c\",\"amount\":1500,\"currency\":\"USD\"}",
		"{\"transaction_id\":\"%s\",\"source_account\":\"a\",\"destination_account\":\"b\",\"amount\":1500.01,\"currency\":\"USD\"}",
		"{\"transaction_id\":\"%s\",\"source_account\":\"a\",\"destination_account\":\"b\",\"amount\":1500,\"currency\":\"EUR\"}"};
	char body[WEBHOOK_MAX];
	struct answer a;

	snprintf(body, sizeof(body),
		"{\"transaction_id\":\"%s\",\"source_account\":\"a\",\"destination_account\":\"b\",\"amount\":1500,\"currency\":\"USD\"}",
		fresh_id("others", the_id));
	expect_accepted(body);
	for (int again = 0; again < 2; again++) {
		for (size_t n = 0; n < COUNT_OF(others); n++) {
			const char *at = strstr(others[n], "%s");
			snprintf(body, sizeof(body), "%.*s%s%s", (int)(at - others[n]), others[n], the_id, at + 2);
			expect_accepted(body);
		}
	}
	cr_assert_eq(
		database_number_of(CONFLICTS " AND count = 2 AND last_seen > first_seen", the_id), COUNT_OF(others));
	snprintf(body, sizeof(body), "/v1/transactions/%s", the_id);
	call_get(body, &a);
	cr_assert_not_null(strstr(a.body, "\"source_account\":\"a\",\"destination_account\":\"b\",\"amount\":1500,"),
		"%s", a.body);
	answer_finish(&a);
}

Test(idempotency, a_processed_transaction_sent_again_is_not_processed_again)
{
	char body[WEBHOOK_MAX], before[64];

	webhook_simple(fresh_id("again-later", the_id), body);
	expect_accepted(body);
	cr_assert_eq(database_wait(PROCESSED, the_id, 1, 10000), 1);
	const char *sql = "SELECT processed_at FROM payhook.transactions WHERE transaction_id = $1";
	snprintf(before, sizeof(before), "%s", database_text_of(sql, the_id));
	expect_accepted(body);
	cr_assert_eq(database_number_of(JOBS, the_id), 0);
	cr_assert_str_eq(database_text_of(sql, the_id), before);
}
