/* metric.c - counters, gauges and histograms in cells, and their text.
 *
 * A histogram of n bounds has n + 2 cells for each series: one for the values within each bound, one for the values
 * beyond the last bound, and one for the sum of all values.  The text needs cumulative buckets and a count; both are
 * added up from the same copy of the cells, so they agree even if a process observed a value while they were copied.
 * Only the sum may then be ahead or behind by that value.
 *
 * The layout never changes while a program runs, so a cell is found by two additions and no look-up. */

#include "runtime/metric.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static int bounds_of(const struct metric *m)
{
	int n = 0;
	while (m->bounds && m->bounds[n])
		n++;
	return n;
}

/* A label that a metric does not have counts as one value, so the products below need no special case. */
static int values_of(const struct metric_label *l)
{
	int n = 0;
	while (l->name && l->values[n])
		n++;
	return l->name ? n : 1;
}

int metric_series(const struct metric *m)
{
	return values_of(&m->labels[0]) * values_of(&m->labels[1]);
}

static int cells_of_series(const struct metric *m)
{
	return m->kind == METRIC_HISTOGRAM ? bounds_of(m) + 2 : 1;
}

void metrics_lay_out(struct metrics *ret, const struct metric *table, int count)
{
	assert(count <= METRICS_MAX);
	*ret = (struct metrics){.table = table, .count = count};
	for (int i = 0; i < count; i++) {
		ret->first[i] = ret->cells;
		ret->cells += metric_series(&table[i]) * cells_of_series(&table[i]);
	}
}

/* FNV-1a with 64 bits (Fowler, Noll, Vo; draft-eastlake-fnv).  It need not resist an attacker: it only keeps tables of
 * different versions of a program apart. */
static void mark_bytes(uint64_t *mark, const void *bytes, size_t len)
{
	const unsigned char *at = bytes;
	for (size_t i = 0; i < len; i++)
		*mark = (*mark ^ at[i]) * UINT64_C(0x100000001b3);
}

/* With its NUL, so that "ab" and "c" do not hash like "a" and "bc". */
static void mark_text(uint64_t *mark, const char *text)
{
	mark_bytes(mark, text, strlen(text) + 1);
}

uint64_t metrics_mark(const struct metrics *m)
{
	uint64_t mark = UINT64_C(0xcbf29ce484222325);
	for (int i = 0; i < m->count; i++) {
		const struct metric *t = &m->table[i];
		const unsigned char kind[] = {(unsigned char)t->kind, (unsigned char)t->unit};
		mark_text(&mark, t->name);
		mark_bytes(&mark, kind, sizeof kind);
		for (int n = bounds_of(t); n > 0; n--)
			mark_bytes(&mark, &t->bounds[n - 1], sizeof t->bounds[0]);
		for (int l = 0; l < 2 && t->labels[l].name; l++) {
			mark_text(&mark, t->labels[l].name);
			for (int v = 0; t->labels[l].values[v]; v++)
				mark_text(&mark, t->labels[l].values[v]);
		}
	}
	return mark;
}

/* ---- writing ---- */

/* A load and a store, not an atomic addition, which costs a locked instruction: a cell has no other writer. */
static void cell_add(_Atomic int64_t *cell, int64_t n)
{
	int64_t value = atomic_load_explicit(cell, memory_order_relaxed);
	atomic_store_explicit(cell, value + n, memory_order_relaxed);
}

void metric_add(const struct metrics *m, _Atomic int64_t *cells, int metric, int series, int64_t n)
{
	cell_add(&cells[m->first[metric] + series], n);
}

void metric_set(const struct metrics *m, _Atomic int64_t *cells, int metric, int series, int64_t value)
{
	atomic_store_explicit(&cells[m->first[metric] + series], value, memory_order_relaxed);
}

void metric_observe(const struct metrics *m, _Atomic int64_t *cells, int metric, int series, int64_t value)
{
	const struct metric *t = &m->table[metric];
	int bounds = bounds_of(t), bucket = 0;
	/* A bound is inclusive, as Prometheus' label le ("less or equal") is. */
	_Atomic int64_t *first = &cells[m->first[metric] + series * (bounds + 2)];
	while (bucket < bounds && value > t->bounds[bucket])
		bucket++;
	cell_add(&first[bucket], 1);
	cell_add(&first[bounds + 1], value);
}

/* ---- the text ---- */

/* Seconds are written with as many decimals as they need: 250000 microseconds are 0.25.  No double is involved, so a
 * bound has the same text in every version, and its series goes on. */
static void add_value(struct buf *b, enum metric_unit unit, int64_t value)
{
	if (unit == METRIC_ONES) {
		buf_add_format(b, "%" PRId64, value);
		return;
	}
	const char *sign = value < 0 ? "-" : "";
	uint64_t us = value < 0 ? -(uint64_t)value : (uint64_t)value;
	buf_add_format(b, "%s%" PRIu64, sign, us / 1000000);
	uint64_t rest = us % 1000000;
	int digits = 6;
	if (rest == 0)
		return;
	for (; rest % 10 == 0; rest /= 10)
		digits--;
	buf_add_format(b, ".%0*" PRIu64, digits, rest);
}

/* Adds the name, the labels in braces, and the blank before the value.  le is the bound of a bucket, or NULL. */
static void add_name(struct buf *b, const struct metric *m, const char *suffix, int series, const char *le)
{
	const struct metric_label *l = m->labels;
	int second = values_of(&l[1]);
	int value[2] = {series / second, series % second};
	const char *before = "{";
	buf_add_format(b, "%s%s", m->name, suffix);
	for (int i = 0; i < 2 && l[i].name; i++) {
		buf_add_format(b, "%s%s=\"", before, l[i].name);
		buf_add_json(b, l[i].values[value[i]], strlen(l[i].values[value[i]]));
		buf_add_text(b, "\"");
		before = ",";
	}
	if (le)
		buf_add_format(b, "%sle=\"%s\"", before, le);
	buf_add_text(b, le || l[0].name ? "} " : " ");
}

static void add_sample(struct buf *b, const struct metric *m, const char *suffix, int series, int64_t value)
{
	add_name(b, m, suffix, series, NULL);
	add_value(b, m->unit, value);
	buf_add_text(b, "\n");
}

static void add_histogram(struct buf *b, const struct metric *m, int series, const int64_t *cells)
{
	int bounds = bounds_of(m);
	int64_t count = 0;
	for (int i = 0; i <= bounds; i++) {
		struct buf le = BUF_INIT(32);
		if (i < bounds)
			add_value(&le, m->unit, m->bounds[i]);
		else
			buf_add_text(&le, "+Inf");
		count += cells[i];
		add_name(b, m, "_bucket", series, buf_ok(&le) ? le.data : "");
		buf_add_format(b, "%" PRId64 "\n", count);
		buf_finish(&le);
	}
	add_sample(b, m, "_sum", series, cells[bounds + 1]);
	add_name(b, m, "_count", series, NULL);
	buf_add_format(b, "%" PRId64 "\n", count);
}

/* A counter that is sparse appears in the text with its first event. */
static void add_series(struct buf *b, const struct metric *m, int series, const int64_t *cells)
{
	if (m->kind == METRIC_HISTOGRAM)
		add_histogram(b, m, series, cells);
	else if (cells[0] != METRIC_ABSENT && !(m->sparse && cells[0] == 0))
		add_sample(b, m, "", series, cells[0]);
}

/* All series of one metric under one HELP and one TYPE line, as the format demands. */
static void add_family(struct buf *b, const struct metric *m, const int64_t *cells)
{
	static const char *const KINDS[] = {
		[METRIC_COUNTER] = "counter", [METRIC_GAUGE] = "gauge", [METRIC_HISTOGRAM] = "histogram"};
	buf_add_format(b, "# HELP %s %s\n# TYPE %s %s\n", m->name, m->help, m->name, KINDS[m->kind]);
	for (int series = 0; series < metric_series(m); series++)
		add_series(b, m, series, &cells[series * cells_of_series(m)]);
}

void metrics_render(const struct metrics *m, const int64_t *cells, struct buf *ret)
{
	char help[128];
	/* A renamed metric follows once more under its former name, from the same cells. */
	for (int i = 0; i < m->count; i++) {
		struct metric family = m->table[i];
		add_family(ret, &family, &cells[m->first[i]]);
		if (!family.former)
			continue;
		snprintf(help, sizeof help, "Deprecated: use %s, which has the same values", family.name);
		family.name = family.former;
		family.help = help;
		add_family(ret, &family, &cells[m->first[i]]);
	}
}
