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

void report_begin(struct report *r, const char *name)
{
	r->row = name;
	if (r->row_count < REPORT_ROWS_MAX)
		r->rows[r->row_count++] = (struct report_row){.name = name};
}

static struct report_row *current(struct report *r)
{
	return &r->rows[r->row_count - 1];
}

void report_add_shares(struct report *r, struct shares shares)
{
	struct report_row *row = current(r);
	if (row->count < ROUNDS_MAX)
		row->shares[row->count++] = shares;
}

void report_fail(struct report *r, int round, const char *reason)
{
	struct report_row *row = current(r);
	snprintf(row->failure, sizeof row->failure, "in round %d: %s", round, reason);
}

void report_leave_out(struct report *r, const char *reason)
{
	struct report_row *row = current(r);
	snprintf(row->left_out, sizeof row->left_out, "%s", reason);
}

int report_failures(const struct report *r)
{
	int count = 0;
	for (int i = 0; i < r->row_count; i++)
		count += r->rows[i].failure[0] != '\0';
	return count;
}

int report_row_disturbed(const struct report_row *row)
{
	int count = 0;
	for (int i = 0; i < row->count; i++)
		count += row->shares[i].foreign + row->shares[i].stolen > DISTURBED;
	return count;
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

static double others(const struct shares *s)
{
	return s->foreign + s->stolen;
}

/* Of all rounds: the mean of the load, and what others used in the worst of them. */
static void print_row(const struct report_row *row, FILE *out)
{
	double load = 0, worst = 0;
	for (int i = 0; i < row->count; i++) {
		load += row->shares[i].load / row->count;
		worst = others(&row->shares[i]) > worst ? others(&row->shares[i]) : worst;
	}
	fprintf(out, "%s", row->name);
	if (row->count > 0)
		fprintf(out, "   (processor: load %.0f %%, others %.1f %% at most)", 100 * load, 100 * worst);
	if (report_row_disturbed(row) > 0)
		fprintf(out, " DISTURBED in %d of %d rounds", report_row_disturbed(row), row->count);
	fprintf(out, "\n");
}

void report_print(const struct report *r, FILE *out)
{
	int targets = 0, met = 0;
	fprintf(out, "\n  %-*s %11s %-5s %-16s %-6s each round\n", NAME_WIDTH, "", "median", "", "target", "");
	for (int row = 0; row < r->row_count; row++) {
		print_row(&r->rows[row], out);
		for (int i = 0; i < r->count; i++) {
			const struct measure *m = &r->measures[i];
			if (strcmp(m->row, r->rows[row].name) != 0)
				continue;
			print_measure(m, out);
			targets += m->target != TARGET_NONE;
			met += m->target != TARGET_NONE && measure_met(m);
		}
		if (r->rows[row].failure[0])
			fprintf(out, "  FAILED %s\n", r->rows[row].failure);
		if (r->rows[row].left_out[0])
			fprintf(out, "  left out: %s\n", r->rows[row].left_out);
	}
	fprintf(out, "\n%d of %d targets are met.\n", met, targets);
}
