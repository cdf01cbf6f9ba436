#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "base/base.h"

/* The figures of a run: a line for each, with a value for each round and their median.
 *
 * A ratio is a figure of its own, taken within each round: the speed of a machine changes from one round to the
 * next, and a ratio of medians would compare different moments. */

#define ROUNDS_MAX 9
#define MEASURES_MAX 160

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

struct report {
	int count;
	struct measure measures[MEASURES_MAX];
	const char *row; /* the row that is being measured; new figures belong to it */
};

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

/* Prints the table of all figures and the number of targets met. */
void report_print(const struct report *r, FILE *out);
