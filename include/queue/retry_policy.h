#pragma once

#include <stdint.h>
#include <time.h>

/* The pause before a failed call is repeated.
 *
 * It is "full jitter": uniformly random between 0 and a ceiling that doubles with each attempt, so that jobs which
 * failed together do not return together (Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
 * If the processor asks for a pause (Retry-After), the pause is at least that long. */

#define RETRY_BASE_MS 1000          /* the ceiling after the first attempt */
#define RETRY_CAP_MS 600000         /* the ceiling after the eleventh and every later attempt */
#define RETRY_AFTER_MAX_MS 86400000 /* a day: the longest pause that a processor can ask for */

/* Returns the pause after this attempt, counted from 1, in 0 to RETRY_CAP_MS.  random: 64 random bits. */
int64_t retry_policy_pause_ms(int attempt, uint64_t random);

/* Returns the same, or asked_ms if that is longer.  asked_ms: the pause that the processor asks for; -1: none. */
int64_t retry_policy_wait_ms(int attempt, uint64_t random, int64_t asked_ms);

/* Reads the value of a Retry-After header (RFC 9110, 10.2.3): seconds, or a date in any of HTTP's three forms.  Returns
 * milliseconds from now, in 0 to RETRY_AFTER_MAX_MS; 0 for a date in the past; -1 if the value is neither. */
int64_t retry_policy_after_ms(const char *value, time_t now);
