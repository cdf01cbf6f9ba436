#pragma once

#include "base/fault.h"
#include "ingest/unreadable.h"
#include "service.h"
#include "source/source.h"
#include "txn/txn_rules.h"

/* What of a webhook cannot be mapped, for a source that keeps such webhooks (its "unreadable": "keep").
 *
 * Problems are noted while the body is read; then the whole webhook is kept, before any transaction of it is stored.  So it is
 * acknowledged only when both are durable, and "payhook remap" finds all that is not stored. */

struct submission_keep {
	struct unreadable_insert insert;
	struct request *rq;
	const char *code;             /* of a problem that is of no member; NULL: none */
	struct fault fault;           /* the first: it is answered if the source has no room */
	struct txn_problems problems; /* of all items, as many as there is room for */
	char reason[UNREADABLE_REASON_MAX + 1];
};

/* Notes that the body, or an item of it, cannot be read: problems may be NULL or empty, then code is the reason.  Allocates *k
 * for the first.  False: out of memory. */
MUST_USE bool submission_keep_note(
	struct submission_keep **k, const struct fault *f, const struct txn_problems *problems, const char *code);

/* Sends it.  done is called as of unreadable_keep(), perhaps from here. */
void submission_keep_send(struct submission_keep *k, struct request *rq, const struct insert_body *body,
	void (*done)(struct unreadable_insert *insert, bool is_kept, const struct fault *f));

/* Logs that it is kept: for each source at most one line a second. */
void submission_keep_log(const struct submission_keep *k);

/* Answers as a source that refuses such webhooks does, as there is no room. */
void submission_keep_refuse(const struct submission_keep *k);
