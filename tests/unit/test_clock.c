#include <criterion/criterion.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"

static void reads(time_t when, const char *wanted)
{
	char date[CLOCK_DATE_MAX];
	cr_expect_str_eq(clock_date(when, date), wanted);
}

Test(clock, writes_dates_in_utc)
{
	reads(0, "1970-01-01T00:00:00Z");
	reads(1771502400, "2026-02-19T12:00:00Z");
	reads(951782399, "2000-02-28T23:59:59Z");
	reads(4107542400, "2100-03-01T00:00:00Z");
}

Test(clock, does_not_care_about_the_time_zone)
{
	setenv("TZ", "Asia/Tokyo", 1);
	tzset();
	reads(0, "1970-01-01T00:00:00Z");
}

Test(clock, a_date_beyond_all_years_reads_as_the_epoch)
{
	reads((time_t)INT64_MAX, "1970-01-01T00:00:00Z");
	reads((time_t)INT64_MIN, "1970-01-01T00:00:00Z");
}

Test(clock, the_longest_year_fits)
{
	reads((time_t)67767976233532799, "2147483647-12-31T23:59:59Z");
}

Test(clock, writes_now_with_milliseconds)
{
	char date[CLOCK_DATE_MAX];
	clock_date_ms(date);
	cr_expect_eq(strlen(date), strlen("2026-02-19T12:00:00.123Z"));
	cr_expect_eq(date[10], 'T');
	cr_expect_eq(date[19], '.');
	cr_expect_eq(date[23], 'Z');
}

Test(clock, never_goes_back)
{
	int64_t before = clock_us();
	for (int i = 0; i < 1000; i++) {
		int64_t now = clock_us();
		cr_assert_geq(now, before);
		before = now;
	}
	cr_expect_leq(clock_ms() - before / 1000, 1000);
}
