/* acknowledgement.c - answers webhooks that were taken, as their source is configured to.
 *
 * Some providers count nothing but 200 as received, others want a certain text, or none.  What the source has was checked
 * when the configuration was read and is only copied here; it outlives the request.  Which webhooks are answered so is
 * decided by the callers. */

#include "acknowledgement.h"

static void answer_with(struct request *rq, const struct source_answer *own, int status, const char *text)
{
	http_begin(rq, own->status ? own->status : status);
	if (own->has_body) {
		rq->reply.type = own->type;
		text = own->body;
	} else if (own->status == 204) {
		text = "";
	}
	buf_add_text(&rq->reply.body, text);
	rq->answer(rq);
}

void acknowledgement_accepted(struct request *rq, const struct source *source)
{
	answer_with(rq, &source->answer, 202, "{\"message\":\"Accepted\"}");
}

void acknowledgement_ignored(struct request *rq, const struct source *source)
{
	answer_with(rq, &source->answer, 200, "{\"message\":\"Ignored\"}");
}
