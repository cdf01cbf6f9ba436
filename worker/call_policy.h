#pragma once

#include <stdint.h>

#include "processor.h"
#include "queue/inflight.h"

/* The rule that turns the result of a call into the outcome of its job.  Pure functions: time and randomness are
 * parameters. */

/* Bytes of the error that is kept with a job, NUL included: room for a clause and for the message of a server. */
#define CALL_POLICY_ERROR_MAX 500

/* The longest pause of a job that was postponed for a cause on our side; half of it is the shortest. */
#define CALL_POLICY_POSTPONE_MS 5000

/* Sets j->outcome, and j->delay_ms if another call follows (else 0), from the result of the job's last call.
 *
 * max_attempts: the attempt after which a temporary failure is final.  open_pause_ms: if the circuit was open when
 * the call ended, the pause between probes; the attempt then does not count.  -1: the circuit was closed.  random:
 * 64 random bits for the jitter. */
void call_policy_end(
	struct job *j, const struct call_outcome *o, int max_attempts, int64_t open_pause_ms, uint64_t random);

/* Makes the reason of a failed call fit for a text column: bytes that are not UTF-8 and control characters become '?',
 * and a long text is cut between two characters.  why may be NULL.  The result is never empty.  Returns ret. */
const char *call_policy_error(const char *why, char ret[CALL_POLICY_ERROR_MAX]);
