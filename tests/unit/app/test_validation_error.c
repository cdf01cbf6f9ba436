/* test_validation_error.c - what is reported of a webhook that is answered 4xx: pointers and codes, and no values. */

#include <criterion/criterion.h>
#include <string.h>

#include "ingest/validation_errors.h"
#include "txn/txn_rules.h"

static char text[VALIDATION_ERROR_PROBLEMS_MAX + 1];

Test(validation_error, names_pointers_and_codes_and_no_values)
{
	struct txn_problems problems = {0};
	txn_problem_add(&problems, "/amount", "too_many_decimals", "%s has too many decimals", "12.345");
	txn_problem_add(&problems, "/currency", "unknown_currency", "%s is unknown", "XXQ");
	txn_problems_text(&problems, "invalid", text, sizeof text);
	cr_expect_str_eq(text, "/amount too_many_decimals, /currency unknown_currency");
}

Test(validation_error, is_the_code_alone_without_problems)
{
	struct txn_problems none = {0};
	txn_problems_text(NULL, "malformed", text, sizeof text);
	cr_expect_str_eq(text, "malformed");
	txn_problems_text(&none, "items", text, sizeof text);
	cr_expect_str_eq(text, "items");
}

Test(validation_error, leaves_out_whole_problems_that_find_no_room)
{
	struct txn_problems problems = {0};
	char pointer[TXN_POINTER_MAX + 1];
	memset(pointer, 'p', TXN_POINTER_MAX);
	pointer[0] = '/', pointer[TXN_POINTER_MAX] = '\0';
	for (int i = 0; i < TXN_PROBLEMS_MAX; i++)
		txn_problem_add(&problems, pointer, "missing", "it is missing");
	txn_problems_text(&problems, "invalid", text, sizeof text);
	cr_expect_eq(strlen(text), TXN_POINTER_MAX + strlen(" missing, ..."), "%s", text);
	cr_expect_str_eq(text + TXN_POINTER_MAX, " missing, ...");
}

/* ---- what waits to be recorded ---- */

static struct validation_errors waiting;

static bool add(const char *source, bool is_verified)
{
	return validation_errors_add(&waiting,
		&(struct validation_error){
			.source = source, .is_verified = is_verified, .status = 422, .problems = "/amount missing"});
}

Test(validation_error, of_a_stranger_does_not_take_the_place_of_a_verified_one)
{
	char name[8] = "a0";
	for (int i = 0; i < VALIDATION_ERRORS_WAITING_MAX; i++) {
		name[1] = (char)('0' + i / VALIDATION_ERRORS_OF_SOURCE_MAX);
		cr_assert(add(name, false), "%d", i);
	}
	cr_expect_not(add("b", false), "it is full");
	cr_expect(add("a0", true));
	cr_expect_eq(validation_errors_count(&waiting), VALIDATION_ERRORS_WAITING_MAX + 1);
	cr_expect_eq(validation_errors_empty(&waiting), VALIDATION_ERRORS_WAITING_MAX + 1);
	cr_expect(add("b", false));
}

Test(validation_error, of_one_source_leaves_room_for_the_others)
{
	for (int i = 0; i < VALIDATION_ERRORS_OF_SOURCE_MAX; i++)
		cr_assert(add("loud", true));
	cr_expect_not(add("loud", true));
	cr_expect(add("quiet", true));
}
