/* clock.c - one clock that only moves forward, and the date. */

#include "base/clock.h"

#include <stdio.h>
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

/* So many digits and the character behind them.  False: something else stands there. */
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

/* "Z", "+05:30" */
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

bool clock_read(const char *text, int64_t *ret)
{
	struct tm report = {0};
	int zone_s;
	const char *at = text;
	if (!read_field(&at, 4, "-", &report.tm_year) || !read_field(&at, 2, "-", &report.tm_mon) ||
		!read_field(&at, 2, "Tt ", &report.tm_mday) || !read_field(&at, 2, ":", &report.tm_hour) ||
		!read_field(&at, 2, ":", &report.tm_min) || !read_field(&at, 2, "", &report.tm_sec))
		return false;
	if (*at == '.') {
		size_t digits = strspn(++at, "0123456789");
		at += digits;
		if (digits == 0)
			return false;
	}
	if (!read_zone(at, &zone_s) || report.tm_hour > 23 || report.tm_min > 59 || report.tm_sec > 60)
		return false;
	report.tm_year -= 1900;
	report.tm_mon -= 1;
	struct tm real = report;
	int64_t seconds = timegm(&real);
	/* What is no day of the calendar has become another one; a leap second is the next minute's first. */
	if (real.tm_mday != report.tm_mday && report.tm_sec < 60)
		return false;
	if (report.tm_mon > 11 || report.tm_mon < 0 || report.tm_mday < 1 || report.tm_mday > 31)
		return false;
	*ret = seconds - zone_s;
	return true;
}
