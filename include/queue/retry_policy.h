#pragma once

#include <stdint.h>
#include <time.h>

/* How long to wait before a call is made again.
 *
 * Full jitter: anything between nothing and a ceiling that doubles with each attempt, so that jobs which failed
 * together do not come back together (Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
 * The pause that the other side asks for is a least. */

#define RETRY_BASE_MS 1000          /* the ceiling after the first attempt */
#define RETRY_CAP_MS 600000         /* and after the eleventh and all later ones */
#define RETRY_AFTER_MAX_MS 86400000 /* nobody makes us wait longer than a day */

/* After that attempt, counted from 1; random is 64 random bits. */
int64_t retry_policy_pause_ms(int attempt, uint64_t random);

/* The same, or what the other side asks for if that is longer; asked_ms -1: it asks for nothing. */
int64_t retry_policy_wait_ms(int attempt, uint64_t random, int64_t asked_ms);

/* Reads the value of a Retry-After header (RFC 9110, 10.2.3): seconds, or a date in any of HTTP's three forms, of
 * which one in the past is 0.  At most RETRY_AFTER_MAX_MS.  -1: it is neither. */
int64_t retry_policy_after_ms(const char *value, time_t now);
