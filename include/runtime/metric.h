#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "base/buf.h"

/* Metrics of a program, and their text for Prometheus.
 *
 * All values of a program are one array of 64-bit cells; a constant table gives each cell its meaning.  So the array
 * can lie in memory that other processes read (scoreboard.h), and the arrays of several processes are summed cell by
 * cell.  A cell has one writer.  Cells are loaded and stored whole (relaxed atomics), so neither side takes a lock;
 * a reader may see one cell before and another after the same event.
 *
 * Label values are constants of the program, or names of its configuration.  Input can therefore never create a series. */

#define METRICS_MAX 32
#define METRIC_ABSENT INT64_MIN /* value of a gauge that is left out of the text */

enum metric_kind { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

/* The unit in which a metric is exported.  The cells and bounds of METRIC_SECONDS are in microseconds. */
enum metric_unit { METRIC_ONES, METRIC_SECONDS };

struct metric_label {
	const char *name;          /* NULL: the metric has no such label */
	const char *const *values; /* NULL ends the list */
};

struct metric {
	const char *name, *help;
	enum metric_kind kind;
	enum metric_unit unit;
	struct metric_label labels[2]; /* the metric has a series for each value, or for each pair of values */
	const int64_t *bounds;         /* of a histogram: upper bounds of its buckets, ascending; 0 ends the list */
	bool sparse;                   /* series with the value 0 are left out: most of them stay 0 for ever */
	bool is_latest;     /* a gauge of which the highest of all processes counts, of those that ended too */
	const char *former; /* its name in the version before, exported beside the new one; NULL: none */
};

/* A table and the layout of its cells. */
struct metrics {
	const struct metric *table;
	int count;
	int first[METRICS_MAX]; /* index of each metric's first cell */
	int cells;              /* number of cells of all metrics */
};

/* Lays out a table of at most METRICS_MAX metrics, which must outlive *ret. */
void metrics_lay_out(struct metrics *ret, const struct metric *table, int count);

/* A hash of everything that gives cells their meaning: names, kinds, units, labels, bounds.  Tables with the same
 * hash can share cells. */
uint64_t metrics_mark(const struct metrics *m);

/* The number of series of a metric.  The series of the label values i and j has the number i * n + j, where n is the
 * number of values of the second label. */
int metric_series(const struct metric *m);

/* Adds n to a counter.  metric is an index of the table, series a number from 0 to metric_series() - 1; neither is
 * checked.  Each cell must have only one writing thread. */
void metric_add(const struct metrics *m, _Atomic int64_t *cells, int metric, int series, int64_t n);

/* Sets a gauge, or takes it out of the text with METRIC_ABSENT. */
void metric_set(const struct metrics *m, _Atomic int64_t *cells, int metric, int series, int64_t value);

/* Adds a value to a histogram; for METRIC_SECONDS in microseconds. */
void metric_observe(const struct metrics *m, _Atomic int64_t *cells, int metric, int series, int64_t value);

/* Adds all values of a table to a text in Prometheus' text format 0.0.4.  cells is a copy or a sum, of m->cells
 * cells.  The caller checks buf_ok(ret). */
#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"
void metrics_render(const struct metrics *m, const int64_t *cells, struct buf *ret);
