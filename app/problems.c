/* problems.c - answers with a problem document that lists what is wrong with a transaction. */

#include "problems.h"

#include <string.h>

static void add_problem(struct buf *b, const struct txn_problem *p)
{
	buf_add_text(b, "{\"pointer\":\"");
	buf_add_json(b, p->pointer, strlen(p->pointer));
	buf_add_format(b, "\",\"code\":\"%s\"", p->code);
	http_add_member(b, "detail", p->detail);
	buf_add_text(b, "}");
}

void problems_answer(struct request *rq, int status, const char *detail, const struct txn_problems *problems)
{
	struct buf *b = &rq->reply.body;
	if (rq->on_problem)
		rq->on_problem(rq, status, problems);
	http_problem_open(rq, status, detail);
	for (int i = 0; problems && i < problems->count; i++) {
		buf_add_text(b, i == 0 ? ",\"errors\":[" : ",");
		add_problem(b, &problems->list[i]);
	}
	buf_add_text(b, problems && problems->count > 0 ? "]}" : "}");
	rq->answer(rq);
}
