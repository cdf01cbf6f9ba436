/* test_body_sizes.c - bodies of the smallest and the largest accepted size: valid JSON of exactly that length. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "support/background_sender.h"
#include "support/expect.h"
#include "support/instance.h"
#include "support/instance_database.h"

#define MOST 65536

static char body[MOST + 16];

/* JSON allows spaces, and payhook ignores unknown members. */
static void make_body(const char *id, size_t len, bool of_spaces)
{
	char text[WEBHOOK_MAX];

	webhook_simple(id, text);
	size_t text_len = strlen(text);
	memset(body, of_spaces ? ' ' : 'x', len);
	body[len] = '\0';
	if (of_spaces) {
		memcpy(body, text, text_len);
		return;
	}
	memcpy(body, "{\"note\":\"", 9);
	memcpy(body + len - text_len - 1, "\",", 2);
	memcpy(body + len - text_len + 1, text + 1, text_len - 1);
}

static void expect_size(size_t len, bool of_spaces, bool chunked, int status)
{
	struct answer a;
	char id[64], what[64];

	make_body(fresh_id("sized", id), len, of_spaces);
	snprintf(what, sizeof(what), "%zu bytes%s%s", len, of_spaces ? " of spaces" : "", chunked ? " in chunks" : "");
	call_send(
		&(struct call){
			.target = WEBHOOKS, .type = "application/json", .body = body, .len = len, .chunked = chunked},
		&a);
	cr_assert_eq(a.status, status, "%s: %d %s%s", what, a.status, a.body, a.trouble);
	if (status >= 400)
		expect_problem(&a, status, what);
	answer_finish(&a);
	cr_assert_eq(database_number_of("SELECT count(*) FROM payhook.transactions WHERE transaction_id = $1", id),
		status == 202, "%s", what);
}

Test(body_sizes, up_to_64_kib_are_taken_and_not_a_byte_more)
{
	background_sender_begin();
	for (int n = 0; n < 4; n++) {
		expect_size(MOST - 1, n & 1, n & 2, 202);
		expect_size(MOST, n & 1, n & 2, 202);
		expect_size(MOST + 1, n & 1, n & 2, 413);
	}
	background_sender_end();
}

Test(body_sizes, an_empty_body_is_no_webhook)
{
	struct answer a;

	background_sender_begin();
	call_send(&(struct call){.method = "POST", .target = WEBHOOKS, .type = "application/json", .body = ""}, &a);
	expect_problem_once(&a, 400, "no byte");
	call_send(&(struct call){.method = "POST", .target = WEBHOOKS, .type = "application/json"}, &a);
	expect_problem_once(&a, 400, "no body");
	call_send(
		&(struct call){
			.method = "POST", .target = WEBHOOKS, .type = "application/json", .body = "", .chunked = true},
		&a);
	expect_problem_once(&a, 400, "no byte in chunks");
	background_sender_end();
}
