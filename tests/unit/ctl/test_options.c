/* test_options.c - the arguments of a command. */

#include <criterion/criterion.h>
#include <string.h>

#include "base/base.h"
#include "options.h"

struct parsed {
	const char *source, *reason, *id;
	bool json;
};

static bool takes(struct parsed *p, int argc, char **argv)
{
	const struct option options[] = {{.name = "--source", .value = &p->source},
		{.name = "--reason", .value = &p->reason}, {.name = "--json", .flag = &p->json}};
	*p = (struct parsed){0};
	return options_read(options, COUNT_OF(options), argc, argv, &p->id);
}

#define TAKES(p, ...) takes(p, COUNT_OF(((char *[]){__VA_ARGS__})), (char *[]){__VA_ARGS__})

Test(options, are_taken_in_any_order)
{
	struct parsed p;
	cr_assert(TAKES(&p, "--json", "txn_1", "--source", "bank", "--reason=a=b"));
	cr_expect_str_eq(p.id, "txn_1");
	cr_expect_str_eq(p.source, "bank");
	cr_expect_str_eq(p.reason, "a=b");
	cr_expect(p.json);
	cr_assert(takes(&p, 0, NULL));
	cr_expect_null(p.id);
}

Test(options, an_operand_behind_two_hyphens_may_begin_with_one)
{
	struct parsed p;
	cr_assert(TAKES(&p, "--source", "-bank", "--", "--json"));
	cr_expect_str_eq(p.id, "--json");
	cr_expect_str_eq(p.source, "-bank");
	cr_expect_not(p.json);
}

Test(options, what_does_not_fit_is_refused)
{
	struct parsed p;
	cr_expect_not(TAKES(&p, "--sourc", "x"));
	cr_expect_not(TAKES(&p, "--sources", "x"));
	cr_expect_not(TAKES(&p, "--source"));
	cr_expect_not(TAKES(&p, "--json=yes"));
	cr_expect_not(TAKES(&p, "--source", "a", "--source", "b"));
	cr_expect_not(TAKES(&p, "one", "two"));
	cr_expect_not(TAKES(&p, "-"));
	cr_expect_not(TAKES(&p, ""));
}

/* A filter from an unset variable of a script would be wider than meant. */
Test(options, an_empty_value_is_refused)
{
	struct parsed p;
	cr_expect_not(TAKES(&p, "--source", ""));
	cr_expect_not(TAKES(&p, "--source="));
}

Test(options, what_is_not_utf_8_is_refused)
{
	struct parsed p;
	cr_expect_not(TAKES(&p, "--source", "a\xff"));
	cr_expect_not(TAKES(&p, "\xc3"));
	cr_expect(TAKES(&p, "\xc3\xbc\x1b"));
}

Test(options, an_operand_is_refused_where_there_is_none)
{
	bool json = false;
	const struct option options[] = {{.name = "--json", .flag = &json}};
	char *argv[] = {"x"};
	cr_expect_not(options_read(options, 1, 1, argv, NULL));
}
