/* report.c - figures, their medians, and the table.
 *
 * The median of the rounds counts, not the mean: one round beside a noisy neighbour does not change it much. */

#include "report.h"

#include <stdlib.h>
#include <string.h>

#define NAME_WIDTH 52
#define FIGURE 72 /* bytes of any number as it is printed */

const struct measure *report_find(const struct report *r, const char *row, const char *name)
{
	for (int i = 0; i < r->count; i++) {
		const struct measure *m = &r->measures[i];
		if (strcmp(m->row, row) == 0 && strcmp(m->name, name) == 0)
			return m;
	}
	return NULL;
}

static struct measure *find(struct report *r, const char *name)
{
	for (int i = 0; i < r->count; i++) {
		struct measure *m = &r->measures[i];
		if (strcmp(m->row, r->row) == 0 && strcmp(m->name, name) == 0)
			return m;
	}
	return NULL;
}

void report_add_for(
	struct report *r, const char *name, const char *unit, double value, enum target target, double bound)
{
	struct measure *m = find(r, name);
	if (!m) {
		if (r->count == MEASURES_MAX)
			return;
		m = &r->measures[r->count++];
		*m = (struct measure){.row = r->row, .unit = unit, .target = target, .bound = bound};
		snprintf(m->name, sizeof m->name, "%s", name);
	}
	if (m->count < ROUNDS_MAX)
		m->values[m->count++] = value;
}

void report_add(struct report *r, const char *name, const char *unit, double value)
{
	report_add_for(r, name, unit, value, TARGET_NONE, 0);
}

void report_note(struct report *r, const char *name, const char *note)
{
	struct measure *m = find(r, name);
	if (m)
		m->note = note;
}

static int compare(const void *left, const void *right)
{
	const double *a = left, *b = right;
	return (*a > *b) - (*a < *b);
}

double measure_median(const struct measure *m)
{
	double sorted[ROUNDS_MAX];
	memcpy(sorted, m->values, sizeof sorted);
	qsort(sorted, (size_t)m->count, sizeof sorted[0], compare);
	return (sorted[(m->count - 1) / 2] + sorted[m->count / 2]) / 2;
}

bool measure_met(const struct measure *m)
{
	double median = measure_median(m);
	return m->target == TARGET_LEAST ? median >= m->bound : m->target != TARGET_MOST || median < m->bound;
}

/* Prints thousands with commas, and small numbers with three significant digits. */
static void figure(double value, char ret[FIGURE])
{
	if (value >= 1e6)
		snprintf(ret, FIGURE, "%ld,%03ld,%03ld", (long)value / 1000000, (long)value / 1000 % 1000,
			(long)value % 1000);
	else if (value >= 1000)
		snprintf(ret, FIGURE, "%ld,%03ld", (long)value / 1000, (long)value % 1000);
	else
		snprintf(ret, FIGURE, "%.*f", value >= 100 ? 0 : value >= 10 ? 1 : value >= 1 ? 2 : 3, value);
}

static void print_measure(const struct measure *m, FILE *out)
{
	char text[FIGURE], bound[FIGURE], target[FIGURE + 16] = "";
	figure(measure_median(m), text);
	if (m->target != TARGET_NONE) {
		figure(m->bound, bound);
		snprintf(target, sizeof target, "%s %s", m->target == TARGET_LEAST ? "at least" : "under", bound);
	}
	fprintf(out, "  %-*s %11s %-5s %-16s %-6s", NAME_WIDTH, m->name, text, m->unit, target,
		m->target == TARGET_NONE ? ""
		: measure_met(m)         ? "met"
					 : "MISSED");
	for (int i = 0; i < m->count && m->count > 1; i++) {
		figure(m->values[i], text);
		fprintf(out, " %10s", text);
	}
	fprintf(out, "%s%s\n", m->note ? "  " : "", m->note ? m->note : "");
}

void report_print(const struct report *r, FILE *out)
{
	int targets = 0, met = 0;
	const char *row = "";
	fprintf(out, "\n  %-*s %11s %-5s %-16s %-6s each round\n", NAME_WIDTH, "", "median", "", "target", "");
	for (int i = 0; i < r->count; i++) {
		const struct measure *m = &r->measures[i];
		if (strcmp(m->row, row) != 0)
			fprintf(out, "%s\n", m->row);
		row = m->row;
		print_measure(m, out);
		targets += m->target != TARGET_NONE;
		met += m->target != TARGET_NONE && measure_met(m);
	}
	fprintf(out, "\n%d of %d targets are met.\n", met, targets);
}
