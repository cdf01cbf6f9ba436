#pragma once

#include <stdbool.h>

#include "base/buf.h"

/* Rows in aligned columns.  All cells are kept until the table is printed, as the widest of them decides; one that is much
 * wider than an ordinary id aligns nothing. */

#define TABLE_COLUMNS_MAX 16
#define TABLE_BYTES_MAX \
	(4 * 1024 * 1024) /* 200 rows, each with an error of 2,000 escaped characters, have half of it */

struct column {
	const char *title;
	bool is_number;   /* aligned to the right */
	bool is_optional; /* left out if each cell of it is empty */
};

struct table {
	const struct column *columns; /* borrowed until table_finish() */
	int count;                    /* of columns */
	int cells;                    /* so far, row by row */
	struct buf text;              /* each cell, fit for a terminal, and a NUL */
};

/* count: TABLE_COLUMNS_MAX at most. */
#define TABLE_INIT(of_columns, number) \
	((struct table){.columns = (of_columns), .count = (number), .text = BUF_INIT(TABLE_BYTES_MAX)})

/* Adds the next cell, which is copied and made fit for a terminal (shown.h). */
void table_add(struct table *t, const char *text);

/* Prints the titles and the rows, of which the last is complete; nothing if there is none.  Each line begins with this
 * indent.  The last column is not padded. */
void table_print(const struct table *t, const char *indent);

/* Frees the memory. */
void table_finish(struct table *t);
