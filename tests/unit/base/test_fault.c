/* test_fault.c - faults: their texts, how long texts are cut, and how untrusted text is quoted in them. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/fault.h"

static void quotes(const char *text, size_t len, const char *wanted)
{
	char quoted[FAULT_QUOTE_MAX];
	cr_expect_str_eq(fault_quote(text, len, quoted), wanted);
}

Test(fault, setting_one_is_false)
{
	struct fault f;
	cr_expect_not(fault_set(&f, FAULT_ABSENT, "no transaction %d", 7));
	cr_expect_eq(f.kind, FAULT_ABSENT);
	cr_expect_str_eq(f.text, "no transaction 7");
}

Test(fault, may_be_set_from_its_own_text)
{
	struct fault f;
	fault_set(&f, FAULT_INPUT, "too long");
	fault_set(&f, f.kind, "row 3: %s", f.text);
	cr_expect_str_eq(f.text, "row 3: too long");
}

Test(fault, cuts_a_long_text_at_the_edge_of_a_character)
{
	char long_text[1001] = "";
	for (size_t shift = 0; shift < 5; shift++) {
		memset(long_text, 'x', shift);
		for (size_t at = shift; at + 4 <= 1000; at += 4)
			memcpy(long_text + at, "\xf0\x9f\x92\xa9", 5);
		struct fault f;
		fault_set(&f, FAULT_INPUT, "%s", long_text);
		size_t len = strlen(f.text);
		cr_expect_eq((len - shift) % 4, 0, "half a character is left at shift %zu", shift);
		cr_expect_gt(len, FAULT_TEXT_MAX - 5);
	}
}

Test(fault, keeps_a_text_that_just_fits)
{
	char text[FAULT_TEXT_MAX];
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	struct fault f;
	fault_set(&f, FAULT_INPUT, "%s", text);
	cr_expect_str_eq(f.text, text);
}

Test(fault, quotes_what_a_person_can_read_as_it_is)
{
	quotes("", 0, "\"\"");
	quotes("EURO", 4, "\"EURO\"");
	quotes("na\xc3\xafve", 6, "\"na\xc3\xafve\"");
}

Test(fault, quotes_control_characters_and_broken_bytes_as_escapes)
{
	quotes("a\0b", 3, "\"a\\u0000b\"");
	quotes("\n\x7f", 2, "\"\\u000a\\u007f\"");
	quotes("\xc2\x85", 2, "\"\\u0085\"");
	quotes("\xff\xc3", 2, "\"\\xff\\xc3\"");
}

Test(fault, quotes_64_bytes_whole_and_cuts_longer_texts)
{
	char text[200], wanted[FAULT_QUOTE_MAX + 1];
	memset(text, 'x', sizeof text);
	snprintf(wanted, sizeof wanted, "\"%.64s\"", text);
	quotes(text, 64, wanted);
	snprintf(wanted, sizeof wanted, "\"%.64s...\"", text);
	quotes(text, sizeof text, wanted);
}

Test(fault, never_cuts_a_quoted_character_in_two)
{
	char text[120], quoted[FAULT_QUOTE_MAX];
	for (size_t at = 0; at < sizeof text; at += 3)
		memcpy(text + at, "\xe2\x82\xac", 3);
	fault_quote(text, sizeof text, quoted);
	cr_expect_eq(strlen(quoted), 1 + 63 + 4);
}
