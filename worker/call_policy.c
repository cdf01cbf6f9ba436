/* call_policy.c - what becomes of a job after a call.
 *
 * A success processes the transaction, and a permanent failure makes it FAILED.  A temporary failure is retried
 * until the attempts are used up.  While the circuit is open, temporary failures use up no attempt: an outage of the
 * processor, however long, must not make transactions FAILED.  The answer that an earlier call may be under way always
 * uses one up: it shows that the processor works, and it may be final where it means another conflict.  Nor does a call use one up that this machine could not
 * make.  A job without its transaction ends at once. */

#include "call_policy.h"

#include <string.h>

#include "base/utf8.h"
#include "queue/retry_policy.h"

/* From half the pause to all of it, at random, because many calls may fail at once, as when a processor goes down. */
static int64_t jittered_ms(int64_t pause_ms, uint64_t random)
{
	int64_t half_ms = pause_ms / 2;
	return half_ms + (int64_t)(random % (uint64_t)(half_ms + 1));
}

/* The delay of a job that failed while the circuit was open.  A longer wait that the processor asked for takes
 * precedence. */
static int64_t probed_delay_ms(int64_t pause_ms, uint64_t random, int64_t asked_ms)
{
	int64_t delay_ms = jittered_ms(pause_ms, random);
	return delay_ms > asked_ms ? delay_ms : asked_ms;
}

void call_policy_end(
	struct job *j, const struct call_outcome *o, int max_attempts, int64_t open_pause_ms, uint64_t random)
{
	j->delay_ms = 0;
	switch (o->result) {
	case CALL_DONE:
		j->outcome = JOB_PROCESSED;
		return;
	case CALL_GIVE_UP:
	case CALL_ABSENT:
		j->outcome = JOB_FAILED;
		return;
	case CALL_POSTPONED:
		j->outcome = JOB_POSTPONED;
		j->delay_ms = jittered_ms(CALL_POLICY_POSTPONE_MS, random);
		return;
	case CALL_UNDER_WAY:
		open_pause_ms = -1;
		break;
	case CALL_AGAIN:
		break;
	}
	/* The open circuit comes first: even the last attempt does not count then. */
	if (open_pause_ms >= 0) {
		j->outcome = JOB_PROBED;
		j->delay_ms = probed_delay_ms(open_pause_ms, random, o->pause_ms);
	} else if (j->attempt >= max_attempts) {
		j->outcome = JOB_FAILED;
	} else {
		j->outcome = JOB_RETRIED;
		j->delay_ms = retry_policy_wait_ms(j->attempt, random, o->pause_ms);
	}
}

const char *call_policy_error(const char *why, char ret[CALL_POLICY_ERROR_MAX])
{
	return utf8_printable(ret, CALL_POLICY_ERROR_MAX, why && *why ? why : "no reason was given");
}
