#pragma once

#include <stdint.h>

#include "processor.h"
#include "queue/inflight.h"

#define CALL_POLICY_ERROR_MAX \
	500 /* bytes of an error kept with a job, its NUL included: a clause, and what a server said */

/* What becomes of a job whose call has ended so: its end, and the pause where another call follows.
 *
 * open_pause_ms: the pause between probes while the processor is taken for down; -1: it is not.  random: 64 random bits. */
void call_policy_end(
	struct job *j, const struct call_outcome *o, int max_attempts, int64_t open_pause_ms, uint64_t random);

/* Why a call failed, fit for the database: cut at a character's edge, and whatever is no character in UTF-8, or a
 * control character, shown as '?'.  Never empty.  Returns ret. */
const char *call_policy_error(const char *why, char ret[CALL_POLICY_ERROR_MAX]);
