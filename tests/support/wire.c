/* wire.c - sends tables of raw requests and checks each answer. */

#include "support/wire.h"

#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/base.h"
#include "support/background_sender.h"
#include "support/expect.h"
#include "support/instance.h"
#include "support/instance_database.h"
#include "support/raw.h"

#define ANSWER_MS 5000
#define CLOSE_MS 1000
#define BYTES_MAX (256 * 1024)

static struct raw connection;
static char bytes[BYTES_MAX];

struct filling {
	char name[8];
	const char *value;
	size_t len;
};

/* Replaces each name between two @ by its value.  Returns the resulting number of bytes. */
static size_t fill(const char *from, const struct filling *fillings, size_t count)
{
	size_t len = 0;

	while (*from != '\0') {
		const struct filling *found = NULL;
		for (size_t n = 0; n < count && *from == '@'; n++) {
			size_t name_len = strlen(fillings[n].name);
			if (strncmp(from + 1, fillings[n].name, name_len) == 0 && from[1 + name_len] == '@')
				found = &fillings[n];
		}
		cr_assert(len + (found == NULL ? 1 : found->len) < BYTES_MAX);
		if (found == NULL) {
			bytes[len++] = *from++;
			continue;
		}
		memcpy(bytes + len, found->value, found->len);
		len += found->len;
		from += strlen(found->name) + 2;
	}
	bytes[len] = '\0';
	return len;
}

static size_t fill_case(const struct wire_case *c, const char *id)
{
	char body[WEBHOOK_MAX], len[16], hex[16];

	webhook_simple(id, body);
	snprintf(len, sizeof(len), "%zu", strlen(body));
	snprintf(hex, sizeof(hex), "%zx", strlen(body));
	const char head[] = "Host: payhook\r\nContent-Type: application/json\r\n";
	const struct filling fillings[] = {{"BODY", body, strlen(body)}, {"LEN", len, strlen(len)},
		{"HEX", hex, strlen(hex)}, {"NUL", "", 1}, {"HOOK", WEBHOOKS, strlen(WEBHOOKS)},
		{"HEAD", head, sizeof(head) - 1}};
	return fill(c->bytes, fillings, COUNT_OF(fillings));
}

static void is_in_step(const struct wire_case *c)
{
	struct answer a;

	cr_assert(raw_send_text(&connection, "GET /livez HTTP/1.1\r\nHost: payhook\r\nConnection: close\r\n\r\n"), "%s",
		c->what);
	cr_assert(raw_answer(&connection, &a, ANSWER_MS), "%s: no second answer", c->what);
	cr_assert_eq(a.status, 200, "%s: a second answer %d %s", c->what, a.status, a.body);
	cr_assert_str_eq(a.body, "{\"status\":\"alive\"}", "%s", c->what);
	answer_finish(&a);
}

static void expect_one(const struct wire_case *c)
{
	struct answer a;
	char id[64];

	size_t len = fill_case(c, fresh_id("wire", id));
	raw_open(&connection);
	cr_assert(raw_send(&connection, bytes, len), "%s", c->what);
	cr_assert(raw_answer(&connection, &a, ANSWER_MS), "%s: no answer", c->what);
	cr_assert_eq(a.status, c->status, "%s: %d instead of %d: %s", c->what, a.status, c->status, a.body);
	if (c->status >= 400)
		expect_problem(&a, c->status, c->what);
	answer_finish(&a);
	if (c->then == KEPT)
		is_in_step(c);
	cr_assert(raw_wait_end(&connection, CLOSE_MS), "%s: not closed", c->what);
	cr_assert_eq(
		connection.len, 0, "%s: after the answer came %.*s", c->what, (int)connection.len, connection.bytes);
	raw_close(&connection);
	cr_assert_eq(database_number_of("SELECT count(*) FROM payhook.transactions WHERE transaction_id = $1", id),
		c->status == 202, "%s: stored or not", c->what);
}

void wire_expect(const struct wire_case *cases)
{
	background_sender_begin();
	for (const struct wire_case *c = cases; c->what != NULL; c++)
		expect_one(c);
	background_sender_end();
}
