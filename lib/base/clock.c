/* clock.c - the monotonic clock, and times in the form of RFC 3339.
 *
 * Reading and writing depend neither on the locale nor on the time zone of the process, so strptime() and mktime() are
 * not used.  Which time is acceptable (an expiry date, the age of a signature) is left to the caller. */

#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

int64_t clock_jitter(int64_t least_ms, int64_t most_ms)
{
	return least_ms + arc4random_uniform((uint32_t)(most_ms - least_ms) + 1);
}

struct timeval clock_timeval(int64_t ms)
{
	if (ms < 0)
		ms = 0;
	return (struct timeval){.tv_sec = (time_t)(ms / 1000), .tv_usec = (suseconds_t)(ms % 1000 * 1000)};
}

/* The time in UTC, from year to second.  A time that a struct tm cannot hold becomes the epoch. */
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
	if (strftime(ret, CLOCK_DATE_MAX, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		ret[0] = '\0';
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

/* Reads a fixed number of digits and, unless behind is "", one separator out of it.  *at is left after them.  Returns
 * false if the text is different. */
static bool read_field(const char **at, int digits, const char *behind, int *ret)
{
	int number = 0;
	for (; digits > 0; digits--, ++*at) {
		if (**at < '0' || **at > '9')
			return false;
		number = number * 10 + (**at - '0');
	}
	if (*behind && (!**at || !strchr(behind, *(*at)++)))
		return false;
	*ret = number;
	return true;
}

/* Reads the rest of the text as an offset, "Z" or "+05:30", into seconds east of UTC. */
static bool read_zone(const char *at, int *ret_s)
{
	int hours, minutes, sign = *at == '-' ? -1 : 1;
	*ret_s = 0;
	if (*at == 'Z' || *at == 'z')
		return at[1] == '\0';
	if (*at != '+' && *at != '-')
		return false;
	at++;
	if (!read_field(&at, 2, ":", &hours) || !read_field(&at, 2, "", &minutes) || hours > 23 || minutes > 59)
		return false;
	*ret_s = sign * (hours * 3600 + minutes * 60);
	return *at == '\0';
}

/* Reads an optional fraction of a second, a point and one digit or more, into microseconds. */
static bool read_fraction(const char **at, int *ret_us)
{
	int us = 0;
	if (**at == '.') {
		size_t digits = strspn(++*at, "0123456789");
		for (size_t i = 0; i < 6; i++)
			us = us * 10 + (i < digits ? (*at)[i] - '0' : 0);
		*at += digits;
		if (digits == 0)
			return false;
	}
	*ret_us = us;
	return true;
}

bool clock_read(const char *text, int64_t *ret)
{
	int64_t us;
	if (!clock_read_us(text, &us))
		return false;
	/* Rounded down, before 1970 too. */
	*ret = us / 1000000 - (us % 1000000 < 0);
	return true;
}

bool clock_read_us(const char *text, int64_t *ret)
{
	struct tm given = {0};
	int zone_s, us;
	const char *at = text;
	if (!read_field(&at, 4, "-", &given.tm_year) || !read_field(&at, 2, "-", &given.tm_mon) ||
		!read_field(&at, 2, "Tt ", &given.tm_mday) || !read_field(&at, 2, ":", &given.tm_hour) ||
		!read_field(&at, 2, ":", &given.tm_min) || !read_field(&at, 2, "", &given.tm_sec))
		return false;
	if (!read_fraction(&at, &us) || !read_zone(at, &zone_s) || given.tm_hour > 23 || given.tm_min > 59 ||
		given.tm_sec > 60)
		return false;
	given.tm_year -= 1900;
	given.tm_mon -= 1;
	/* timegm() turns 30 February into a day of March, so a changed day means that the date does not exist.  The
	 * seconds are added behind it: the 60th is the next minute's first, which may lie on the next day. */
	struct tm real = given;
	real.tm_sec = 0;
	int64_t seconds = timegm(&real) + given.tm_sec;
	if (real.tm_mday != given.tm_mday)
		return false;
	if (given.tm_mon > 11 || given.tm_mon < 0 || given.tm_mday < 1 || given.tm_mday > 31)
		return false;
	*ret = (seconds - zone_s) * 1000000 + us;
	return true;
}
