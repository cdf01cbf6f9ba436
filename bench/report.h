#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "base/base.h"

/* What was measured: a line for each figure, a value for each round, and of these the median.  A ratio is a figure too,
 * taken within each round, since the machine is not the same from one round to the next. */

#define ROUNDS_MAX 9
#define MEASURES_MAX 160

enum target { TARGET_NONE, TARGET_LEAST, TARGET_MOST };

struct measure {
	const char *row; /* that it belongs to */
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
	const char *row; /* what is added belongs to this one */
};

/* Adds this round's value.  A name stands for one figure within its row. */
void report_add(struct report *r, const char *name, const char *unit, double value);

/* The same for one that has to reach a target; note says more, or NULL. */
void report_add_for(
	struct report *r, const char *name, const char *unit, double value, enum target target, double bound);

/* Of the figure that was added last under this name. */
void report_note(struct report *r, const char *name, const char *note);

double measure_median(const struct measure *m);
bool measure_met(const struct measure *m);

/* NULL: nothing by that name. */
const struct measure *report_find(const struct report *r, const char *row, const char *name);

void report_print(const struct report *r, FILE *out);
