/* test_durability.c - what is judged from a server's settings. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "durability.h"

static const struct durability GOOD = {
	.read_only = "off",
	.fsync = "on",
	.full_page_writes = "on",
	.data_checksums = "on",
	.commit = "on",
	.standby_names = "",
};

/* Whether the promise is kept, and a line of the report contains this text. */
static bool reports(struct durability d, const char *text)
{
	static char report[4096];
	FILE *out = fmemopen(report, sizeof report, "w");
	cr_assert_not_null(out);
	bool kept = durability_print(&d, out);
	fclose(out);
	cr_expect(strstr(report, text), "it lacks \"%s\":\n%s", text, report);
	return kept;
}

Test(durability, counts_the_standbys_that_a_commit_waits_for)
{
	cr_expect_eq(durability_needed(""), 0);
	cr_expect_eq(durability_needed(" "), 0);
	cr_expect_eq(durability_needed("*"), 1);
	cr_expect_eq(durability_needed("a, b"), 1);
	cr_expect_eq(durability_needed("2 (a, b, c)"), 2);
	cr_expect_eq(durability_needed("FIRST 2 (a, b, c)"), 2);
	cr_expect_eq(durability_needed("first 3(a, b, c)"), 3);
	cr_expect_eq(durability_needed("ANY 2 (*)"), 2);
}

Test(durability, a_name_that_resembles_the_syntax_is_one_standby)
{
	cr_expect_eq(durability_needed("\"2\""), 1);
	cr_expect_eq(durability_needed("2nd"), 1);
	cr_expect_eq(durability_needed("first"), 1);
	cr_expect_eq(durability_needed("any, b"), 1);
}

Test(durability, one_server_is_a_bound_and_no_breach)
{
	cr_expect(reports(GOOD, "as long as the disk of this one server is"));
}

Test(durability, a_value_of_the_server_controls_no_terminal)
{
	struct durability d = GOOD;
	d.fsync = "\x1b]0;x\x07\xc2\x9bz\xff";
	cr_expect_not(reports(d, "?]0;x??z?"));
}

Test(durability, commits_that_wait_for_nobody_are_good_enough_without_a_standby)
{
	struct durability d = GOOD;
	d.commit = "local";
	cr_expect(reports(d, "synchronous_commit"));
}

Test(durability, an_asynchronous_standby_is_a_breach_even_if_its_state_is_hidden)
{
	struct durability d = GOOD;
	d.standbys = 2;
	cr_expect_not(reports(d, "waits for none of 2 standbys"));
}

Test(durability, more_synchronous_standbys_than_needed_are_not_counted)
{
	struct durability d = GOOD;
	d.standby_names = "ANY 1 (*)";
	d.standbys = d.synchronous = 2;
	d.sees_standbys = true;
	cr_expect(reports(d, "1 of 1 standbys"));
}

Test(durability, what_is_not_known_is_not_judged)
{
	struct durability d = GOOD;
	d.standby_names = "db2";
	cr_expect(reports(d, "pg_read_all_stats"));
	cr_expect(reports(d, "synchronous_mode_strict"));
}
