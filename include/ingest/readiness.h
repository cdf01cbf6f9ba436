#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/fault.h"

/* Whether a webhook could be made durable now, as far as one process knows.  No database is needed here; times are
 * those of clock_ms().
 *
 * Readiness is what webhooks got.  A batch that was refused since the last success means "not ready", and a probe every
 * READINESS_RETRY_MS finds out when that ends.  Otherwise a success proves readiness for READINESS_FRESH_MS; without a
 * fresh one, a question waits for the next success or for a probe of its own.  A success is a commit of new webhooks or
 * of a probe: known webhooks and recorded conflicts may need no room on the disk. */

#define READINESS_FRESH_MS 500  /* for so long a success proves readiness; then a probe takes up to REQUEST_WAIT_MS */
#define READINESS_RETRY_MS 1000 /* from one probe to the next, while not ready */

/* The question.  It lies in the caller's memory, which must stay valid until done() or until it is withdrawn. */
struct ingest_probe {
	void (*done)(struct ingest_probe *p, const struct fault *f); /* f NULL: yes; otherwise the reason why not */
	TAILQ_ENTRY(ingest_probe) waiting;
};

TAILQ_HEAD(ingest_probes, ingest_probe);

struct readiness {
	struct ingest_probes probes; /* that wait */
	bool is_refused;
	struct fault why;  /* of the last refusal; valid if is_refused */
	int64_t proven_ms; /* when the last success was; 0: none on this connection */
	bool is_paused;    /* the caller's timer of READINESS_RETRY_MS runs: no probe is due because of is_refused */
};

void readiness_init(struct readiness *r);

/* Calls p->done() at once if the answer is known, and otherwise once it is. */
void readiness_ask(struct readiness *r, struct ingest_probe *p, int64_t now_ms);
void readiness_withdraw(struct readiness *r, struct ingest_probe *p);

/* New webhooks or a probe were committed, in the time that a webhook may take. */
void readiness_prove(struct readiness *r, int64_t now_ms);

/* A batch or a probe was refused, for this reason.  The caller starts its timer. */
void readiness_refuse(struct readiness *r, const struct fault *f);

/* A commit came too late to prove anything.  The caller starts its timer. */
void readiness_pause(struct readiness *r);

/* The caller's timer has expired. */
void readiness_resume(struct readiness *r);

/* The connection is lost: nothing is proven any more, and the next one begins with a probe if not ready. */
void readiness_reset(struct readiness *r);

/* Answers the questions that wait with a fault, without a conclusion from it. */
void readiness_answer(struct readiness *r, const struct fault *f);

/* Whether a probe is due: a question waits, or the pause is over and a webhook was refused. */
bool readiness_is_due(const struct readiness *r);
