#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"

/* Failed sign-ins and refused acts, counted by address, so that nobody fills the log and the record with them.
 *
 * A key cannot be guessed, so a valid one is never held up: only what fails is limited.  Of IPv6 the network of 64 bits counts, as
 * a host usually has all addresses of one.  The table is small and keeps what came last; addresses with the same hash share a
 * count. */

#define ATTEMPTS_PER_MINUTE 20 /* of one address */
#define ATTEMPTS_SLOTS 256

struct attempts {
	struct {
		int64_t began_s; /* of the minute that is counted */
		int count;
	} slots[ATTEMPTS_SLOTS];
	int64_t total; /* all that failed, also those beyond the limit */
};

/* Counts a failure of this address at this time, in seconds of a clock that never goes back.  False: there were more than
 * ATTEMPTS_PER_MINUTE within the minute.  An address that is none counts as "". */
MUST_USE bool attempts_fail(struct attempts *a, const char *address, int64_t now_s);
