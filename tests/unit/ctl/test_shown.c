/* test_shown.c - text from outside on a terminal, its width, and rows in aligned columns. */

#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <stdio.h>
#include <string.h>

#include "shown.h"
#include "table.h"

static const char *shown(const char *text)
{
	static struct buf b = {.max = 1024};
	buf_reset(&b, 1024);
	shown_add(&b, text);
	return b.data ? b.data : "";
}

Test(shown, keeps_what_a_terminal_may_show)
{
	cr_expect_str_eq(shown("txn_1 \xc3\xbc \xe6\x97\xa5\xe6\x9c\xac \xf0\x9f\x98\x80"),
		"txn_1 \xc3\xbc \xe6\x97\xa5\xe6\x9c\xac \xf0\x9f\x98\x80");
	cr_expect_str_eq(shown(""), "");
}

Test(shown, writes_each_byte_of_a_control_character_and_of_no_character)
{
	cr_expect_str_eq(shown("a\x1b[31m\tb\nc\x7f"), "a\\x1b[31m\\x09b\\x0ac\\x7f");
	cr_expect_str_eq(shown("\xc2\x9b"
			       "31m"),
		"\\xc2\\x9b31m");
	cr_expect_str_eq(shown("\xff\xe6\x97"), "\\xff\\xe6\\x97");
}

/* U+202E would show what follows from right to left. */
Test(shown, writes_each_byte_of_a_character_that_sets_the_direction)
{
	cr_expect_str_eq(shown("gpj.\xe2\x80\xae"
			       "exe"),
		"gpj.\\xe2\\x80\\xaeexe");
	cr_expect_str_eq(shown("\xef\xbb\xbfx\xe2\x81\xa6"), "\\xef\\xbb\\xbfx\\xe2\\x81\\xa6");
}

Test(shown, keeps_what_json_means)
{
	static struct buf b = {.max = 1024};
	shown_add_json(&b, "{\"a\": \"\x7f\xc2\x9b\xe2\x80\xae\xf3\xa0\x80\x81\xc3\xbc\",\n \"b\": 1}");
	cr_expect_str_eq(b.data, "{\"a\": \"\\u007f\\u009b\\u202e\\udb40\\udc01\xc3\xbc\",\n \"b\": 1}");
	buf_finish(&b);
}

Test(shown, knows_how_many_columns_a_text_occupies)
{
	cr_expect_eq(shown_width(""), 0);
	cr_expect_eq(shown_width("abc\xc3\xbc"), 4);
	cr_expect_eq(shown_width("\xe6\x97\xa5\xe6\x9c\xac"), 4);
	cr_expect_eq(shown_width("e\xcc\x81"), 1);
}

static const struct column COLUMNS[] = {{.title = "ID"}, {.title = "AMOUNT", .is_number = true},
	{.title = "KIND", .is_optional = true}, {.title = "NOTE"}};

static void add_row(struct table *t, const char *id, const char *amount, const char *kind, const char *note)
{
	table_add(t, id);
	table_add(t, amount);
	table_add(t, kind);
	table_add(t, note);
}

/* What the table prints. */
static void prints(const struct table *t, const char *wanted)
{
	fflush(stdout);
	cr_redirect_stdout();
	table_print(t, "  ");
	fflush(stdout);
	cr_expect_stdout_eq_str(wanted);
}

Test(table, aligns_columns_by_what_is_seen)
{
	struct table t = TABLE_INIT(COLUMNS, 4);
	add_row(&t, "\xe6\x97\xa5", "1.50", "", "a");
	add_row(&t, "a\x1b", "1500.10", "", "longer than its title");
	prints(&t, "  ID      AMOUNT  NOTE\n  \xe6\x97\xa5        1.50  a\n  a\\x1b  1500.10  longer than its title\n");
	table_finish(&t);
}

Test(table, shows_an_empty_cell_and_a_column_that_has_a_value)
{
	struct table t = TABLE_INIT(COLUMNS, 4);
	add_row(&t, "", "1", "captured", "");
	add_row(&t, "b", "2", "", "");
	prints(&t, "  ID  AMOUNT  KIND      NOTE\n  -        1  captured  -\n  b        2  -         -\n");
	table_finish(&t);
}

Test(table, lets_a_very_long_cell_move_its_own_row_only)
{
	struct table t = TABLE_INIT(COLUMNS, 4);
	char id[256] = {0}, wanted[512];
	memset(id, 'x', sizeof id - 1);
	add_row(&t, "a", "1", "", "one");
	add_row(&t, id, "2", "", "two");
	snprintf(wanted, sizeof wanted, "  ID  AMOUNT  NOTE\n  a        1  one\n  %s       2  two\n", id);
	prints(&t, wanted);
	table_finish(&t);
}

Test(table, prints_nothing_without_rows)
{
	struct table t = TABLE_INIT(COLUMNS, 4);
	fflush(stdout);
	cr_redirect_stdout();
	table_print(&t, "");
	printf(".");
	fflush(stdout);
	cr_expect_stdout_eq_str(".");
	table_finish(&t);
}
