/* clock.c - one clock that only moves forward, and the date. */

#include "clock.h"

#include <stdio.h>

int64_t clock_us(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t clock_ms(void)
{
	return clock_us() / 1000;
}

/* Year to second.  A time beyond what a struct tm can hold reads as the epoch. */
static struct tm utc(time_t when)
{
	struct tm tm;
	if (!gmtime_r(&when, &tm))
		return (struct tm){.tm_year = 70, .tm_mday = 1};
	return tm;
}

const char *clock_date(time_t when, char ret[CLOCK_DATE_MAX])
{
	struct tm tm = utc(when);
	strftime(ret, CLOCK_DATE_MAX, "%Y-%m-%dT%H:%M:%SZ", &tm);
	return ret;
}

const char *clock_date_ms(char ret[CLOCK_DATE_MAX])
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	struct tm tm = utc(now.tv_sec);
	size_t len = strftime(ret, CLOCK_DATE_MAX, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(ret + len, CLOCK_DATE_MAX - len, ".%03dZ", (int)(now.tv_nsec / 1000000));
	return ret;
}
