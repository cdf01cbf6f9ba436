/* retry_policy.c - the pause before a call is repeated, and the reading of Retry-After.
 *
 * Time and random bits are parameters, so every result can be tested.  No value of a header makes a pause negative or
 * longer than a day. */

#define _XOPEN_SOURCE 700 /* strptime() */

#include "queue/retry_policy.h"

#include <stdbool.h>
#include <string.h>

#include "base/base.h"

int64_t retry_policy_pause_ms(int attempt, uint64_t random)
{
	int64_t ceiling = RETRY_BASE_MS;
	for (int i = 1; i < attempt && ceiling < RETRY_CAP_MS; i++)
		ceiling *= 2;
	if (ceiling > RETRY_CAP_MS)
		ceiling = RETRY_CAP_MS;
	return (int64_t)(random % (uint64_t)(ceiling + 1));
}

int64_t retry_policy_wait_ms(int attempt, uint64_t random, int64_t asked_ms)
{
	int64_t pause_ms = retry_policy_pause_ms(attempt, random);
	return pause_ms > asked_ms ? pause_ms : asked_ms;
}

static int64_t bounded_ms(int64_t seconds)
{
	if (seconds < 0)
		return 0;
	return seconds > RETRY_AFTER_MAX_MS / 1000 ? RETRY_AFTER_MAX_MS : seconds * 1000;
}

/* Accepts any number of digits: at the bound the sum is cut off, so it cannot overflow. */
static int64_t read_seconds(const char *digits)
{
	int64_t seconds = 0;
	for (; *digits; digits++) {
		seconds = seconds * 10 + (*digits - '0');
		if (seconds > RETRY_AFTER_MAX_MS)
			seconds = RETRY_AFTER_MAX_MS;
	}
	return bounded_ms(seconds);
}

/* Reads a date in one form.  strptime() checks each field by itself and would accept 31 February, or a wrong day of the
 * week.  timegm() moves such a date to a day that exists and computes its day of the week; if either differs from the
 * stated one, the date is invalid.  Names are read in English, since no program here calls setlocale(). */
static bool read_date(const char *value, const char *form, time_t *ret)
{
	struct tm stated = {0};
	const char *end = strptime(value, form, &stated);
	if (!end || *end)
		return false;
	struct tm real = stated;
	*ret = timegm(&real);
	return real.tm_mday == stated.tm_mday && real.tm_wday == stated.tm_wday;
}

int64_t retry_policy_after_ms(const char *value, time_t now)
{
	/* RFC 9110, 5.6.7: a recipient must accept all three forms. */
	static const char *const FORMS[] = {
		"%a, %d %b %Y %H:%M:%S GMT", /* Sun, 06 Nov 1994 08:49:37 GMT */
		"%A, %d-%b-%y %H:%M:%S GMT", /* Sunday, 06-Nov-94 08:49:37 GMT */
		"%a %b %d %H:%M:%S %Y",      /* Sun Nov  6 08:49:37 1994 */
	};
	if (*value && strspn(value, "0123456789") == strlen(value))
		return read_seconds(value);
	time_t when;
	for (size_t i = 0; i < COUNT_OF(FORMS); i++) {
		if (read_date(value, FORMS[i], &when))
			return bounded_ms((int64_t)when - now);
	}
	return -1;
}
