/* readiness.c - from the outcomes of batches and probes to the answer that a load balancer gets.
 *
 * Only the last outcome counts.  When to send a probe is decided here, what it is and how it is sent is left to
 * statements.c and ingest.c.  A question has no deadline: the caller withdraws it. */

#include "ingest/readiness.h"

#include <stddef.h>

void readiness_init(struct readiness *r)
{
	*r = (struct readiness){.is_refused = false};
	TAILQ_INIT(&r->probes);
}

void readiness_answer(struct readiness *r, const struct fault *f)
{
	struct ingest_probe *p;
	while ((p = TAILQ_FIRST(&r->probes))) {
		TAILQ_REMOVE(&r->probes, p, waiting);
		p->done(p, f);
	}
}

void readiness_ask(struct readiness *r, struct ingest_probe *p, int64_t now_ms)
{
	if (r->is_refused)
		p->done(p, &r->why);
	else if (r->proven_ms && now_ms - r->proven_ms < READINESS_FRESH_MS)
		p->done(p, NULL);
	else
		TAILQ_INSERT_TAIL(&r->probes, p, waiting);
}

void readiness_withdraw(struct readiness *r, struct ingest_probe *p)
{
	TAILQ_REMOVE(&r->probes, p, waiting);
}

void readiness_prove(struct readiness *r, int64_t now_ms)
{
	r->is_refused = false;
	r->proven_ms = now_ms;
	readiness_answer(r, NULL);
}

/* The reason is copied first: an answer may end a request, and f may be in it. */
void readiness_refuse(struct readiness *r, const struct fault *f)
{
	r->is_refused = true;
	r->why = *f;
	r->proven_ms = 0;
	readiness_pause(r);
	readiness_answer(r, &r->why);
}

void readiness_pause(struct readiness *r)
{
	r->is_paused = true;
}

void readiness_resume(struct readiness *r)
{
	r->is_paused = false;
}

void readiness_reset(struct readiness *r)
{
	r->proven_ms = 0;
	r->is_paused = false;
}

bool readiness_is_due(const struct readiness *r)
{
	return !TAILQ_EMPTY(&r->probes) || (r->is_refused && !r->is_paused);
}
