#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "base/buf.h"

/* What a program counts about itself, and the text in which Prometheus reads it.
 *
 * All values of a program are one array of 64-bit cells, and a constant table says which of them are what.  So they can
 * lie in memory that other processes read (scoreboard.h), and those of several processes are summed cell by cell.  A cell has
 * one writer; it is read and written whole, so neither side takes a lock.
 *
 * The values of labels are constants of the program: nothing that comes from outside can become one. */

#define METRICS_MAX 32
#define METRIC_ABSENT INT64_MIN /* a gauge's value when there is none: it is left out */

enum metric_kind { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

/* What a cell counts, and the unit in which it is exported. */
enum metric_unit { METRIC_ONES, METRIC_SECONDS /* cells and bounds are microseconds */ };

struct metric_label {
	const char *name;          /* NULL: none */
	const char *const *values; /* NULL ends */
};

struct metric {
	const char *name, *help;
	enum metric_kind kind;
	enum metric_unit unit;
	struct metric_label labels[2]; /* a series for each value, or each pair of them */
	const int64_t *bounds;         /* of a histogram's buckets, ascending; 0 ends */
	bool sparse;                   /* series that are 0 are left out: most of them will ever be */
	const char *former;            /* its name in the version before, exported beside the new one; NULL: none */
};

/* A table, and where its cells lie. */
struct metrics {
	const struct metric *table;
	int count;
	int first[METRICS_MAX]; /* cell of each */
	int cells;              /* of all */
};

void metrics_lay_out(struct metrics *ret, const struct metric *table, int count);

/* A number that differs between tables whose cells mean different things. */
uint64_t metrics_mark(const struct metrics *m);

/* Series of a metric: for labels with values i and j, i times the number of the second's values, plus j. */
int metric_series(const struct metric *m);

/* Adds to a counter.  The metric is an index of the table. */
void metric_add(const struct metrics *m, _Atomic int64_t *cells, int metric, int series, int64_t n);

/* Sets a gauge. */
void metric_set(const struct metrics *m, _Atomic int64_t *cells, int metric, int series, int64_t value);

/* Puts a value into a histogram. */
void metric_observe(const struct metrics *m, _Atomic int64_t *cells, int metric, int series, int64_t value);

/* Adds a table's values to a text in Prometheus' format 0.0.4. */
#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"
void metrics_render(const struct metrics *m, const int64_t *cells, struct buf *ret);
