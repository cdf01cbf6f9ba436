/* table.c - prints rows in aligned columns.
 *
 * A cell has no line feed, as shown.h escapes it; so a row is one line, whatever a sender sent.  An empty cell is shown
 * as "-", so that no column looks like its neighbour. */

#include "table.h"

#include <stdio.h>
#include <string.h>

#include "shown.h"

/* A wider cell moves the rest of its own row only: an id of 255 bytes, as any sender may choose one, would otherwise push the
 * status of every row out of a terminal.  A UUID has 36, an id of Stripe about 30. */
#define ALIGNED_MAX 48

void table_add(struct table *t, const char *text)
{
	shown_add(&t->text, text);
	buf_add(&t->text, "", 1);
	t->cells++;
}

static const char *cell_text(const char *text)
{
	return *text ? text : "-";
}

/* The width of each column; 0: it is left out. */
static void measure(const struct table *t, size_t widths[TABLE_COLUMNS_MAX])
{
	const char *at = t->text.data;
	for (int i = 0; i < t->count; i++)
		widths[i] = t->columns[i].is_optional ? 0 : strlen(t->columns[i].title);
	for (int i = 0; i < t->cells; i++, at += strlen(at) + 1) {
		size_t *widest = &widths[i % t->count], least = strlen(t->columns[i % t->count].title);
		size_t width = shown_width(cell_text(at));
		if (!*at && *widest == 0)
			continue;
		width = width > least && width <= ALIGNED_MAX ? width : least;
		*widest = width > *widest ? width : *widest;
	}
}

/* Prints a cell, and the blanks that align it. */
static void print_cell(const char *text, size_t width, bool is_number, bool is_last)
{
	size_t used = shown_width(text);
	int blanks = used < width ? (int)(width - used) : 0;
	printf("%*s%s%*s", is_number ? blanks : 0, "", text, is_number || is_last ? 0 : blanks, "");
}

static int last_shown(const struct table *t, const size_t widths[TABLE_COLUMNS_MAX])
{
	int last = 0;
	for (int i = 0; i < t->count; i++)
		last = widths[i] > 0 ? i : last;
	return last;
}

void table_print(const struct table *t, const char *indent)
{
	size_t widths[TABLE_COLUMNS_MAX] = {0};
	const char *at = t->text.data;
	if (t->cells == 0 || !buf_ok(&t->text)) {
		if (t->cells > 0)
			printf("%sthe rows are too long for a table; --json prints them\n", indent);
		return;
	}
	measure(t, widths);
	int last = last_shown(t, widths);
	for (int i = -t->count; i < t->cells; i++) {
		int column = (i + t->count) % t->count;
		const char *text = i < 0 ? t->columns[column].title : at;
		at += i < 0 ? 0 : strlen(at) + 1;
		if (column == 0)
			printf("%s", indent);
		if (widths[column] > 0)
			print_cell(cell_text(text), widths[column], t->columns[column].is_number, column == last);
		if (widths[column] > 0 && column != last)
			printf("  ");
		if (column == t->count - 1)
			printf("\n");
	}
}

void table_finish(struct table *t)
{
	buf_finish(&t->text);
}
