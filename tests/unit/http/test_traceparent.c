/* test_traceparent.c - which W3C traceparent headers are valid, and what is passed on to the processor. */

#include <criterion/criterion.h>

#include "http/traceparent.h"

#define TRACE "4bf92f3577b34da6a3ce929d0e0e4736"
#define SPAN "00f067aa0ba902b7"
#define VALID "00-" TRACE "-" SPAN "-01"

static void reads_as(const char *value, const char *wanted)
{
	struct traceparent t;
	cr_expect(traceparent_parse(value, &t), "\"%s\" is ignored", value);
	cr_expect_str_eq(t.text, wanted, "\"%s\" is \"%s\"", value, t.text);
}

static void ignores(const char *value)
{
	struct traceparent t = {VALID};
	cr_expect_not(traceparent_parse(value, &t), "\"%s\" counts", value);
	cr_expect_str_eq(t.text, "");
}

Test(traceparent, keeps_a_header_of_version_00)
{
	reads_as(VALID, VALID);
	reads_as("00-" TRACE "-" SPAN "-00", "00-" TRACE "-" SPAN "-00");
	reads_as("00-00000000000000000000000000000001-0000000000000001-00",
		"00-00000000000000000000000000000001-0000000000000001-00");
}

Test(traceparent, keeps_the_flags_sampled_and_random_and_clears_those_without_a_meaning)
{
	reads_as("00-" TRACE "-" SPAN "-02", "00-" TRACE "-" SPAN "-02");
	reads_as("00-" TRACE "-" SPAN "-03", "00-" TRACE "-" SPAN "-03");
	reads_as("00-" TRACE "-" SPAN "-ff", "00-" TRACE "-" SPAN "-03");
	reads_as("00-" TRACE "-" SPAN "-fc", "00-" TRACE "-" SPAN "-00");
}

Test(traceparent, reads_of_a_later_version_what_00_knows)
{
	reads_as("01-" TRACE "-" SPAN "-01", VALID);
	reads_as("cc-" TRACE "-" SPAN "-01-what-the-future-will-be-like", VALID);
	reads_as("fe-" TRACE "-" SPAN "-01-", VALID);
	reads_as("01-" TRACE "-" SPAN "-03", VALID);
}

Test(traceparent, ignores_what_stands_behind_the_flags)
{
	ignores(VALID "-");
	ignores(VALID "-what-the-future-will-be-like");
	ignores(VALID " ");
	ignores(VALID "0");
	ignores(VALID "," VALID);
	ignores("01-" TRACE "-" SPAN "-01.what");
	ignores("01-" TRACE "-" SPAN "-010");
}

Test(traceparent, ignores_a_version_that_is_none)
{
	ignores("ff-" TRACE "-" SPAN "-01");
	ignores("ff-" TRACE "-" SPAN "-01-more");
	ignores("0-" TRACE "-" SPAN "-01");
	ignores("0x-" TRACE "-" SPAN "-01");
	ignores(".0-" TRACE "-" SPAN "-01");
	ignores(" " VALID);
	ignores("-" TRACE "-" SPAN "-01");
}

Test(traceparent, ignores_ids_that_are_all_zero)
{
	ignores("00-00000000000000000000000000000000-" SPAN "-01");
	ignores("00-" TRACE "-0000000000000000-01");
	ignores("01-00000000000000000000000000000000-" SPAN "-01");
}

Test(traceparent, ignores_what_is_not_lower_case_hex)
{
	ignores("00-4BF92F3577B34DA6A3CE929D0E0E4736-" SPAN "-01");
	ignores("00-" TRACE "-00F067AA0BA902B7-01");
	ignores("00-" TRACE "-" SPAN "-0A");
	ignores("00-4bf92f3577b34da6a3ce929d0e0e473g-" SPAN "-01");
	ignores("00-" TRACE "-00f067aa0ba902b.-01");
	ignores("00-" TRACE "-" SPAN "-.1");
}

Test(traceparent, ignores_fields_of_another_length)
{
	ignores("00-" TRACE "0-" SPAN "-01");
	ignores("00-4bf92f3577b34da6a3ce929d0e0e473-" SPAN "-01");
	ignores("00-" TRACE "-" SPAN "0-01");
	ignores("00-" TRACE "-00f067aa0ba902b-01");
	ignores("00-" TRACE "-" SPAN "-1");
	ignores("00_" TRACE "_" SPAN "_01");
}

Test(traceparent, ignores_every_beginning_of_one)
{
	char cut[] = VALID;
	for (int len = TRACEPARENT_LEN - 1; len >= 0; len--) {
		cut[len] = '\0';
		ignores(cut);
	}
}

Test(traceparent, gives_a_call_a_span_of_its_own_in_the_same_trace)
{
	struct traceparent t;
	cr_expect(traceparent_child(VALID, "1122334455667788", &t));
	cr_expect_str_eq(t.text, "00-" TRACE "-1122334455667788-01");
	cr_expect(traceparent_child("00-" TRACE "-" SPAN "-00", "1122334455667788", &t));
	cr_expect_str_eq(t.text, "00-" TRACE "-1122334455667788-00", "it is not sampled because we are there");
}

Test(traceparent, has_no_call_in_a_trace_that_is_none)
{
	struct traceparent t;
	cr_expect_not(traceparent_child(NULL, "1122334455667788", &t));
	cr_expect_not(traceparent_child("", "1122334455667788", &t));
	cr_expect_not(traceparent_child("by hand\r\nX: y", "1122334455667788", &t));
	cr_expect_str_eq(t.text, "");
}

Test(traceparent, returns_its_trace_id)
{
	cr_expect_str_eq(TRACE_ID(VALID), TRACE);
	cr_expect_str_eq(TRACE_ID(""), "");
	cr_expect_str_eq(TRACE_ID(NULL), "");
	cr_expect_str_eq(TRACE_ID("by hand"), "");
}
