/* test_path.c - splitting, decoding and normalising the path of a request target. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "http/path.h"

/* The segments, each in brackets: "[v1][transactions][a/b]". */
static void reads(const char *target, const char *segments)
{
	struct path p;
	struct fault f;
	char got[PATH_TEXT_MAX * 2] = "";
	cr_assert(path_read(target, &p, &f), "%s is refused: %s", target, f.text);
	for (int i = 0; i < p.count; i++) {
		size_t len = strlen(got);
		snprintf(got + len, sizeof got - len, "[%s]", p.segment[i]);
	}
	cr_expect_str_eq(got, segments, "%s reads as %s", target, got);
}

static void refuses(const char *target, enum fault_kind kind)
{
	struct path p;
	struct fault f;
	cr_assert_not(path_read(target, &p, &f), "%s is accepted", target);
	cr_expect_eq(f.kind, kind, "%s: %s", target, f.text);
}

Test(path, cuts_at_slashes)
{
	reads("/", "[]");
	reads("/livez", "[livez]");
	reads("/livez/", "[livez][]");
	reads("/v1/transactions/txn_1", "[v1][transactions][txn_1]");
	reads("//", "[][]");
}

Test(path, ends_at_a_query_or_a_fragment)
{
	reads("/?", "[]");
	reads("/livez?a=/b", "[livez]");
	reads("/a#b/c", "[a]");
	reads("/a%3Fb", "[a?b]");
}

Test(path, decodes_a_segment_after_cutting)
{
	reads("/a%2Fb", "[a/b]");
	reads("/%25", "[%]");
	reads("/%252F", "[%2F]");
	reads("/%c3%A9", "[\xc3\xa9]");
	reads("/a+b%20c", "[a+b c]");
}

Test(path, resolves_dots_however_they_are_written)
{
	reads("/a/./b", "[a][b]");
	reads("/a/../b", "[b]");
	reads("/a/%2e%2E/b", "[b]");
	reads("/a/..", "[]");
	reads("/.", "[]");
	reads("/...", "[...]");
	reads("/a/b/../../c", "[c]");
}

Test(path, refuses_to_climb_above_the_root)
{
	refuses("/..", FAULT_MALFORMED);
	refuses("/a/../../b", FAULT_MALFORMED);
	refuses("/%2e%2e/", FAULT_MALFORMED);
}

/* Paths where nginx, which merges slashes and decodes %2F before it resolves "..", would arrive at another one. */
Test(path, has_nothing_behind_a_climb_that_two_readers_take_differently)
{
	refuses("/a//../b", FAULT_ABSENT);
	refuses("//../b", FAULT_ABSENT);
	refuses("/a%2Fb/../c", FAULT_ABSENT);
	refuses("/%2f/%2e%2e/c", FAULT_ABSENT);
	refuses("/a//..", FAULT_ABSENT);
	refuses("/a//../%zz", FAULT_MALFORMED);
	reads("/a/b%2Fc", "[a][b/c]");
	reads("/a/../b%2Fc", "[b/c]");
	reads("//a/../b", "[][b]");
}

Test(path, refuses_broken_escapes)
{
	refuses("/%", FAULT_MALFORMED);
	refuses("/%4", FAULT_MALFORMED);
	refuses("/%zz", FAULT_MALFORMED);
	refuses("/%4g", FAULT_MALFORMED);
	refuses("/a%00b", FAULT_MALFORMED);
	refuses("/%?", FAULT_MALFORMED);
}

Test(path, refuses_what_does_not_begin_with_a_slash)
{
	refuses("", FAULT_MALFORMED);
	refuses("*", FAULT_MALFORMED);
	refuses("livez", FAULT_MALFORMED);
}

Test(path, has_nothing_that_is_longer_or_deeper_than_a_route)
{
	char target[4096] = "/";
	memset(target + 1, 'a', sizeof target - 2);
	refuses(target, FAULT_ABSENT);
	refuses("/1/2/3/4/5/6/7/8/9", FAULT_ABSENT);
	target[PATH_TEXT_MAX] = '\0';
	struct path p;
	struct fault f;
	cr_expect(path_read(target, &p, &f));
	cr_expect_eq(strlen(p.segment[0]), PATH_TEXT_MAX - 1);
}

Test(path, finds_a_broken_escape_past_the_longest_path)
{
	char target[2048] = "/";
	memset(target + 1, 'a', sizeof target - 3);
	target[sizeof target - 2] = '%';
	refuses(target, FAULT_MALFORMED);
}
