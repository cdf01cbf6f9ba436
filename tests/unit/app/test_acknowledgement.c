/* test_acknowledgement.c - the answers to webhooks that were taken, with and without an answer of the source's own. */

#include <criterion/criterion.h>
#include <string.h>

#include "acknowledgement.h"

static struct request rq;
static struct source source;
static struct buf head;
static int answers;

static void on_answer(struct request *r)
{
	(void)r;
	answers++;
}

static void answers_with(
	void (*acknowledge)(struct request *, const struct source *), int status, const char *type, const char *body)
{
	answers = 0;
	buf_finish(&rq.reply.body);
	rq.reply.body = BUF_INIT(REPLY_BODY_MAX);
	rq.answer = on_answer;
	acknowledge(&rq, &source);
	cr_assert_eq(answers, 1);
	cr_expect_eq(rq.reply.status, status);
	cr_expect_str_eq(rq.reply.type, type);
	cr_expect_eq(rq.reply.body.len, strlen(body));
	cr_expect(memcmp(rq.reply.body.data ? rq.reply.body.data : "", body, strlen(body)) == 0);
	buf_finish(&head);
	head = BUF_INIT(1024);
	http_head(&rq.reply, &head);
	buf_add(&head, "", 1);
}

Test(acknowledgement, distinguishes_outcomes_unless_the_source_has_an_answer)
{
	answers_with(acknowledgement_accepted, 202, "application/json", "{\"message\":\"Accepted\"}");
	answers_with(acknowledgement_ignored, 200, "application/json", "{\"message\":\"Ignored\"}");
	source.answer.status = 200;
	answers_with(acknowledgement_accepted, 200, "application/json", "{\"message\":\"Accepted\"}");
	answers_with(acknowledgement_ignored, 200, "application/json", "{\"message\":\"Ignored\"}");
	source.answer.status = 202;
	answers_with(acknowledgement_ignored, 202, "application/json", "{\"message\":\"Ignored\"}");
}

Test(acknowledgement, has_the_body_and_the_type_of_the_source)
{
	source.answer =
		(struct source_answer){.status = 200, .has_body = true, .body = "[accepted]", .type = "text/plain"};
	answers_with(acknowledgement_accepted, 200, "text/plain", "[accepted]");
	answers_with(acknowledgement_ignored, 200, "text/plain", "[accepted]");
	*source.answer.body = '\0';
	answers_with(acknowledgement_accepted, 200, "text/plain", "");
	cr_expect_not_null(strstr(head.data, "Content-Length: 0\r\n"));
}

/* A 204 with a length or a type would be no valid answer. */
Test(acknowledgement, of_204_has_no_content)
{
	source.answer = (struct source_answer){.status = 204};
	answers_with(acknowledgement_accepted, 204, "application/json", "");
	cr_expect_str_eq(head.data, "Status: 204 No Content\r\nCache-Control: no-store\r\n\r\n");
}
