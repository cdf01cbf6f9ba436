#pragma once

#include "http.h"
#include "source/source.h"

/* The answers to webhooks that were taken.  A source may have an answer of its own for all of them, since providers differ
 * in what they count as received; it is never used for a webhook that was refused. */

/* Answers a webhook with all its transactions stored, by this webhook or an earlier one, or kept as a conflict: 202. */
void acknowledgement_accepted(struct request *rq, const struct source *source);

/* Answers a webhook that is no transaction of the source, or a ping: 200. */
void acknowledgement_ignored(struct request *rq, const struct source *source);
