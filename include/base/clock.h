#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/base.h"

/* Two clocks: one that only moves forward, for waiting; and the date, for people. */

#define CLOCK_DATE_MAX 32 /* bytes of "2026-02-19T12:00:00.123Z" with its NUL, and years to come */

/* Milliseconds of the monotonic clock. */
int64_t clock_ms(void);

/* Microseconds of the monotonic clock. */
int64_t clock_us(void);

/* RFC 3339, UTC, whole seconds: "2026-02-19T12:00:00Z".  Returns ret. */
const char *clock_date(time_t when, char ret[CLOCK_DATE_MAX]);

/* The same for now, with milliseconds. */
const char *clock_date_ms(char ret[CLOCK_DATE_MAX]);

/* Reads a time in RFC 3339's form into seconds since 1970; a fraction of a second is passed over.  False: it is none. */
MUST_USE bool clock_read(const char *text, int64_t *ret);
