/* test_query_param.c - reading one parameter of the query string. */

#include <criterion/criterion.h>
#include <string.h>

#include "http/query_param.h"

static void reads(const char *target, const char *value)
{
	struct fault f;
	char got[16] = "before";
	cr_assert(query_param_find(target, "source", got, sizeof got, &f), "%s is refused: %s", target, f.text);
	cr_expect_str_eq(got, value, "%s reads as \"%s\"", target, got);
}

static void refuses(const char *target)
{
	struct fault f;
	char got[16];
	cr_assert_not(query_param_find(target, "source", got, sizeof got, &f), "%s is accepted", target);
	cr_expect_eq(f.kind, FAULT_MALFORMED);
}

Test(query, finds_the_parameter_among_others)
{
	reads("/v1/transactions/7?source=stripe", "stripe");
	reads("/x?a=1&source=stripe&b", "stripe");
	reads("/x?resource=a&sources=b&source=c", "c");
	reads("/x?&&source=c&&", "c");
	reads("/x?source=a%2Db%3d", "a-b=");
	reads("/x?source=a+b", "a+b");
	reads("/x?source=123456789012345", "123456789012345");
}

Test(query, takes_what_is_not_there_for_empty)
{
	reads("/x", "");
	reads("/x?", "");
	reads("/x?source", "");
	reads("/x?source=", "");
	reads("/x?SOURCE=a", "");
	reads("/source=a", "");
	reads("/x#?source=a", "");
	reads("/x?a=1#&source=a", "");
	reads("/x?a=?source=a", "");
}

Test(query, refuses_what_has_two_readings)
{
	refuses("/x?source=a&source=a");
	refuses("/x?source=a&b&source=c");
}

Test(query, refuses_broken_encodings_and_what_is_too_long)
{
	refuses("/x?source=%");
	refuses("/x?source=%4");
	refuses("/x?source=%4&1");
	refuses("/x?source=%zz");
	refuses("/x?source=a%00b");
	refuses("/x?source=1234567890123456");
}
