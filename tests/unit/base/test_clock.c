/* test_clock.c - times as text in UTC, in both directions, and the monotonic clock. */

#include <criterion/criterion.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

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

static void reads_time(const char *text, int64_t seconds)
{
	int64_t read = -1;
	cr_assert(clock_read(text, &read), "%s", text);
	cr_expect_eq(read, seconds, "%s is %lld", text, (long long)read);
}

Test(clock, reads_what_rfc_3339_has)
{
	reads_time("1970-01-01T00:00:00Z", 0);
	reads_time("2026-02-19T12:00:00Z", 1771502400);
	reads_time("2026-02-19T12:00:00.123456Z", 1771502400);
	reads_time("2026-02-19t17:30:00+05:30", 1771502400);
	reads_time("2026-02-19 06:30:00-05:30", 1771502400);
	reads_time("2024-02-29T00:00:00Z", 1709164800);
	reads_time("2016-12-31T23:59:60Z", 1483228800);
	reads_time("9999-12-31T23:59:59Z", 253402300799);
}

Test(clock, reads_no_other_time)
{
	const char *bad[] = {"", "tomorrow", "2026-02-19", "2026-02-19T12:00Z", "2026-02-19T12:00:00",
		"2026-02-30T00:00:00Z", "2025-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z",
		"2026-01-00T00:00:00Z", "2026-01-32T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z",
		"2026-01-01T00:00:61Z", "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00Zx", "2026-01-01T00:00:00+5:30",
		"2026-01-01T00:00:00+05:60", "2026-01-01T00:00:00+24:00", "26-01-01T00:00:00Z", "2026-02-30T23:59:60Z",
		"2025-02-29T23:59:60Z", "2026-04-31T00:00:60Z", " 2026-01-01T00:00:00Z"};
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		int64_t read = -1;
		cr_expect_not(clock_read(bad[i], &read), "%s", bad[i]);
		cr_expect_eq(read, -1);
	}
}

Test(clock, reads_microseconds_and_drops_what_is_finer)
{
	static const struct {
		const char *text;
		int64_t us;
	} good[] = {
		{"1970-01-01T00:00:00Z", 0},
		{"2026-02-19T12:00:00Z", 1771502400000000},
		{"2026-02-19T12:00:00.3Z", 1771502400300000},
		{"2026-02-19T12:00:00.000001Z", 1771502400000001},
		{"2026-02-19T13:00:00.9999999999+01:00", 1771502400999999},
		{"2026-06-30T23:59:60.5Z", 1782864000500000},
		{"9999-12-31T23:59:59.999999Z", 253402300799999999},
		{"1969-12-31T23:59:59.25Z", -750000},
		{"0000-01-01T00:00:00Z", -62167219200000000},
	};
	int64_t read = 7;
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		cr_assert(clock_read_us(good[i].text, &read), "%s", good[i].text);
		cr_expect_eq(read, good[i].us, "%s is read as %lld", good[i].text, (long long)read);
	}
	cr_assert(clock_read("1969-12-31T23:59:59.25Z", &read));
	cr_expect_eq(read, -1);
	cr_expect_not(clock_read_us("2026-02-19T12:00:00.Z", &read));
	cr_expect_not(clock_read_us("2026-02-19T12:00:00.12", &read));
	cr_expect_eq(read, -1);
}

Test(clock, gives_milliseconds_as_seconds_and_microseconds)
{
	static const struct {
		int64_t ms;
		struct timeval tv;
	} cases[] = {{0, {0, 0}}, {1, {0, 1000}}, {999, {0, 999000}}, {1000, {1, 0}}, {61001, {61, 1000}},
		{INT64_C(86400000000), {86400000, 0}}, {-1, {0, 0}}, {INT64_MIN, {0, 0}}};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct timeval tv = clock_timeval(cases[i].ms);
		cr_expect(timercmp(&tv, &cases[i].tv, ==), "%lld ms", (long long)cases[i].ms);
	}
}

Test(clock, jitters_within_both_bounds_and_reaches_them)
{
	bool seen[3] = {false};
	for (int i = 0; i < 1000; i++) {
		int64_t ms = clock_jitter(5, 7);
		cr_assert(ms >= 5 && ms <= 7, "%lld", (long long)ms);
		seen[ms - 5] = true;
	}
	cr_expect(seen[0] && seen[1] && seen[2]);
	cr_expect_eq(clock_jitter(9, 9), 9);
}
