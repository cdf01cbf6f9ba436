/* test_contradiction.c - items of one webhook with one id: compared with a plain search over all pairs. */

#include "txn/contradiction.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct txn list[CONTRADICTION_MAX];
static const struct txn *pointers[CONTRADICTION_MAX];
static bool is_agreed[CONTRADICTION_MAX];

/* Each letter is an id; the number after it is the content. */
static int find(const char *text)
{
	int count = 0;
	for (; text[2 * count]; count++) {
		list[count] = (struct txn){.amount = {""}};
		snprintf(list[count].transaction_id, 2, "%c", text[2 * count]);
		snprintf(list[count].source_account, 2, "%c", text[2 * count + 1]);
		pointers[count] = &list[count];
	}
	return contradiction_find(pointers, count, is_agreed);
}

Test(contradiction, is_none_among_different_ids_and_equal_content)
{
	cr_expect_eq(find(""), -1);
	cr_expect_eq(find("a1"), -1);
	cr_expect_eq(find("a1b2c1"), -1);
	cr_expect_eq(find("b1a1b1a1"), -1);
	for (int i = 0; i < 4; i++)
		cr_expect(is_agreed[i]);
}

Test(contradiction, is_the_first_that_differs_from_one_before_it)
{
	cr_expect_eq(find("b1a1a1b2a2"), 3);
	for (int i = 0; i < 5; i++)
		cr_expect_not(is_agreed[i]);
	cr_expect_eq(find("z1c1a1c2z1"), 3);
	cr_expect(is_agreed[0] && is_agreed[2] && is_agreed[4]);
	cr_expect(!is_agreed[1] && !is_agreed[3]);
}

static bool contradicts(int i, int k)
{
	return strcmp(list[i].transaction_id, list[k].transaction_id) == 0 && !txn_same(&list[i], &list[k]);
}

static void agrees_with_pairs(int count)
{
	int first = -1;
	for (int i = 0; i < count; i++) {
		bool is_alone = true;
		for (int k = 0; k < count; k++) {
			is_alone = is_alone && !contradicts(i, k);
			first = first < 0 && k < i && contradicts(i, k) ? i : first;
		}
		cr_assert_eq(is_agreed[i], is_alone, "%d of %d", i, count);
	}
	cr_assert_eq(contradiction_find(pointers, count, is_agreed), first);
}

Test(contradiction, is_what_a_comparison_of_all_pairs_finds, .timeout = 60)
{
	char text[2 * CONTRADICTION_MAX + 1];
	srand(18);
	for (int round = 0; round < 2000; round++) {
		int count = round == 0 ? CONTRADICTION_MAX : rand() % 20;
		for (int i = 0; i < count; i++) {
			text[2 * i] = (char)('a' + rand() % 12);
			text[2 * i + 1] = (char)('0' + (rand() % 20 == 0));
		}
		text[2 * count] = '\0';
		(void)!find(text);
		agrees_with_pairs(count);
	}
}
