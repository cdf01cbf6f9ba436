#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "base/base.h"
#include "share.h"

/* The figures of a run: a line for each, with a value for each round and their median.
 *
 * A ratio is a figure of its own, taken within each round: the speed of a machine changes from one round to the
 * next, and a ratio of medians would compare different moments. */

#define ROUNDS_MAX 9
#define MEASURES_MAX 240
#define REPORT_ROWS_MAX 24
#define DISTURBED 0.04 /* of all cores, used by others during a round of a row: its figures are marked */

/* The kind of a target: none, at least the bound, or less than the bound. */
enum target { TARGET_NONE, TARGET_LEAST, TARGET_MOST };

struct measure {
	const char *row; /* name of its row */
	char name[72];
	const char *unit; /* "/s", "ms", "x", ... */
	double values[ROUNDS_MAX];
	int count;
	enum target target;
	double bound;
	const char *note; /* or NULL */
};

/* A row: its rounds, and why it has no more of them. */
struct report_row {
	const char *name;
	struct shares shares[ROUNDS_MAX];
	int count;
	char failure[200];  /* empty: it did not fail */
	char left_out[200]; /* why it was not measured here; empty: it was */
};

struct report {
	int count;
	struct measure measures[MEASURES_MAX];
	int row_count;
	struct report_row rows[REPORT_ROWS_MAX];
	const char *row; /* the row that is being measured; new figures belong to it */
};

/* Begins a row; name must stay valid. */
void report_begin(struct report *r, const char *name);

/* Adds a round's shares of the processor to the current row. */
void report_add_shares(struct report *r, struct shares shares);

/* Records why the current row ended early. */
void report_fail(struct report *r, int round, const char *reason);

/* Records why the current row cannot be measured on this machine, which is no failure. */
void report_leave_out(struct report *r, const char *reason);

/* The number of rows that failed, and of the rounds of a row that others disturbed. */
int report_failures(const struct report *r);
int report_row_disturbed(const struct report_row *row);

/* Adds this round's value.  A name stands for one figure within its row; unit must stay valid. */
void report_add(struct report *r, const char *name, const char *unit, double value);

/* The same for a figure with a target. */
void report_add_for(
	struct report *r, const char *name, const char *unit, double value, enum target target, double bound);

/* Sets the note of a figure of the current row; the note must stay valid. */
void report_note(struct report *r, const char *name, const char *note);

/* The median of the rounds, and whether it meets the target; without a target it does. */
double measure_median(const struct measure *m);
bool measure_met(const struct measure *m);

/* Finds a figure; NULL if there is none. */
const struct measure *report_find(const struct report *r, const char *row, const char *name);

/* Prints the table of all figures, with the shares of the processor and the failure of each row, and the number of targets
 * met. */
void report_print(const struct report *r, FILE *out);
