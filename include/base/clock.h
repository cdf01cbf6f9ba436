#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/time.h>
#include <time.h>

#include "base/base.h"

/* Two clocks.  The monotonic one is for deadlines and durations: it never jumps, and its zero is arbitrary, so its
 * values mean nothing to another host or after a reboot.  The calendar is for logs and replies. */

#define CLOCK_DATE_MAX 32 /* bytes of "2026-02-19T12:00:00.123Z" with its NUL; a year may have ten digits */

/* Milliseconds of the monotonic clock. */
int64_t clock_ms(void);

/* Microseconds of the monotonic clock. */
int64_t clock_us(void);

/* A time from least_ms to most_ms, both included, at random: so that what began together drifts apart.  Bounds: 0 <=
 * least_ms <= most_ms, and less than 2^32 - 1 between them. */
int64_t clock_jitter(int64_t least_ms, int64_t most_ms);

/* Converts milliseconds for libevent and setsockopt().  A negative number, such as the time to a deadline that has
 * passed, becomes 0. */
struct timeval clock_timeval(int64_t ms);

/* Writes a time, in seconds since 1970, in the form of RFC 3339: UTC, whole seconds, "2026-02-19T12:00:00Z".  Returns
 * ret. */
const char *clock_date(time_t when, char ret[CLOCK_DATE_MAX]);

/* Writes the current time in the same form, with milliseconds: "2026-02-19T12:00:00.123Z".  Returns ret. */
const char *clock_date_ms(char ret[CLOCK_DATE_MAX]);

/* Reads a date-time of RFC 3339, section 5.6, into seconds since 1970.  A numeric offset or "Z" is required.  A
 * fraction of a second is ignored; a leap second counts as the first second of the next minute.  Returns false, and
 * leaves *ret alone, if text has another form. */
MUST_USE bool clock_read(const char *text, int64_t *ret);

/* As clock_read(), but into microseconds since 1970.  Digits beyond the microsecond are dropped. */
MUST_USE bool clock_read_us(const char *text, int64_t *ret);
