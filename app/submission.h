#pragma once

#include "service.h"
#include "source/source.h"

/* Counts transactions or ignored webhooks of which no payload was kept, as today has no partition, and logs that, a
 * line a second at most. */
void submission_unkept(struct service *service, int count);

/* Stores the transactions of an authenticated webhook, and answers it.
 *
 * 202 after the commit, for new and known transactions; 200 if the filter of the source lets none pass; 400 or 422 if
 * the body cannot be read or has two contents of one id, and then nothing is stored, unless the source keeps such bodies
 * (submission_keep.h): then what can be read is stored, and the answer is that to an accepted one; 202 or 409 for a conflict
 * (CONFLICT_POLICY); 503 if the commit is not confirmed within REQUEST_WAIT_MS, or too many webhooks wait, or the
 * database is unreachable, or memory cannot be allocated.  Of these the 202, the 200 and the 409 are another answer if the
 * source has one of its own (acknowledgement.h).  The
 * transactions of a webhook that was answered 503 may be stored all the same; the provider sends the webhook again,
 * and it is then a duplicate.
 *
 * The caller has checked the sender and the signature.  is_scanned: json_scan() has accepted the body already. */
void submission_accept(struct request *rq, const struct source *source, bool is_scanned);
