/* figures.c - the results as files, for programs (figures.json) and as plots.
 *
 * The files of an earlier run are removed first, so a run that fails midway leaves no plot that seems to be its own. */

#include "figures.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/buf.h"
#include "base/clock.h"
#include "child.h"
#include "text.h"

#define FILE_MAX (1 << 20)
#define PLOT_MS 30000

static void add_text(struct buf *out, const char *name, const char *text)
{
	buf_add_format(out, "\"%s\": \"", name);
	buf_add_json(out, text, strlen(text));
	buf_add_text(out, "\"");
}

static void add_machine(struct buf *out, const struct machine *m)
{
	buf_add_format(out,
		" \"machine\": {\"cores\": %d, \"memory_gb\": %.1f, \"huge_pages\": %d, \"fdatasync_us\": %.1f, ",
		m->cores, m->memory_gb, m->huge_pages, m->fdatasync_us);
	add_text(out, "processor", m->processor);
	buf_add_text(out, ", ");
	add_text(out, "kernel", m->kernel);
	buf_add_text(out, ", ");
	add_text(out, "file_system", m->file_system);
	buf_add_text(out, ", ");
	add_text(out, "postgresql", m->postgres);
	buf_add_text(out, "},\n");
}

static void add_measure(struct buf *out, const struct measure *m)
{
	buf_add_text(out, "  {");
	add_text(out, "row", m->row);
	buf_add_text(out, ", ");
	add_text(out, "name", m->name);
	buf_add_text(out, ", ");
	add_text(out, "unit", m->unit);
	buf_add_format(out, ", \"median\": %.6g, \"rounds\": [", measure_median(m));
	for (int i = 0; i < m->count; i++)
		buf_add_format(out, "%s%.6g", i > 0 ? ", " : "", m->values[i]);
	buf_add_text(out, "]");
	if (m->target != TARGET_NONE)
		buf_add_format(out, ", \"%s\": %g, \"met\": %s", m->target == TARGET_LEAST ? "at_least" : "under",
			m->bound, measure_met(m) ? "true" : "false");
	buf_add_text(out, "}");
}

static void add_shares(struct buf *out, const struct report_row *row, const char *name, size_t at)
{
	buf_add_format(out, ", \"%s\": [", name);
	for (int i = 0; i < row->count; i++)
		buf_add_format(out, "%s%.4f", i > 0 ? ", " : "", *(const double *)((const char *)&row->shares[i] + at));
	buf_add_text(out, "]");
}

static void add_row(struct buf *out, const struct report_row *row)
{
	buf_add_text(out, "  {");
	add_text(out, "row", row->name);
	add_shares(out, row, "load", offsetof(struct shares, load));
	add_shares(out, row, "foreign", offsetof(struct shares, foreign));
	add_shares(out, row, "stolen", offsetof(struct shares, stolen));
	buf_add_text(out, ", ");
	add_text(out, "failure", row->failure);
	buf_add_text(out, ", ");
	add_text(out, "left_out", row->left_out);
	buf_add_text(out, "}");
}

static void add_json(struct buf *out, const struct bench *b, const struct machine *m)
{
	char date[CLOCK_DATE_MAX];
	buf_add_format(out,
		"{\n \"date\": \"%s\", \"version\": \"" PAYHOOK_VERSION "\", \"quick\": %s, \"rounds\": %d,\n",
		clock_date(time(NULL), date), b->quick ? "true" : "false", b->rounds);
	add_machine(out, m);
	buf_add_format(out, " \"wrong_answers\": %llu,\n \"rows\": [\n", (unsigned long long)b->wrong);
	for (int i = 0; i < b->report.row_count; i++) {
		add_row(out, &b->report.rows[i]);
		buf_add_text(out, i + 1 < b->report.row_count ? ",\n" : "\n");
	}
	buf_add_text(out, " ],\n \"figures\": [\n");
	for (int i = 0; i < b->report.count; i++) {
		add_measure(out, &b->report.measures[i]);
		buf_add_text(out, i + 1 < b->report.count ? ",\n" : "\n");
	}
	buf_add_text(out, " ]\n}\n");
}

/* A line for each rate: "row: name", median. */
static void add_rates(struct buf *out, const struct bench *b)
{
	for (int i = 0; i < b->report.count; i++) {
		const struct measure *m = &b->report.measures[i];
		if (strcmp(m->unit, "/s") == 0)
			buf_add_format(out, "\"%s: %s\" %.6g\n", m->row, m->name, measure_median(m));
	}
}

/* A line for each figure with a target: "row: name", and how many times as good as the target it is (1: just met). */
static void add_targets(struct buf *out, const struct bench *b)
{
	for (int i = 0; i < b->report.count; i++) {
		const struct measure *m = &b->report.measures[i];
		double median = measure_median(m);
		if (m->target == TARGET_NONE || median <= 0)
			continue;
		double good = m->target == TARGET_LEAST ? median / m->bound : m->bound / median;
		buf_add_format(out, "\"%s: %s\" %.6g\n", m->row, m->name, good);
	}
}

/* Latencies as pairs of 1/(1 - share) and milliseconds: on a logarithmic axis p90, p99 and p99.9 are then equally
 * far apart. */
static void add_latency(struct buf *out, const struct bench *b)
{
	if (b->latency_ns.count == 0)
		return;
	for (double rest = 1; rest * (double)b->latency_ns.count >= 1; rest /= 1.25)
		buf_add_format(out, "%.6g %.6g\n", 1 / rest, histogram_ms_at(&b->latency_ns, 1 - rest));
}

static bool write_file(const struct bench *b, const char *name, struct buf *text, struct fault *f)
{
	char path[BENCH_PATH + 32];
	snprintf(path, sizeof path, "%s/%s", b->out, name);
	bool ok = buf_ok(text) ? text_write(path, text->data ? text->data : "", f)
			       : fault_set(f, FAULT_BUSY, "out of memory for %s", name);
	buf_finish(text);
	return ok;
}

static bool write_files(const struct bench *b, const struct machine *m, struct fault *f)
{
	struct buf json = BUF_INIT(FILE_MAX), rates = json, targets = json, latency = json;
	add_json(&json, b, m);
	add_rates(&rates, b);
	add_targets(&targets, b);
	add_latency(&latency, b);
	bool ok = write_file(b, "figures.json", &json, f);
	ok = write_file(b, "rates.dat", &rates, f) && ok;
	ok = write_file(b, "targets.dat", &targets, f) && ok;
	return write_file(b, "latency.dat", &latency, f) && ok;
}

/* Removes the files of an earlier run, which would be taken for this one's. */
static void remove_old(const struct bench *b)
{
	static const char *const FILES[] = {"figures.json", "rates.svg", "targets.svg", "latency.svg", "gnuplot.log"};
	char path[BENCH_PATH + 32];
	for (size_t i = 0; i < COUNT_OF(FILES); i++) {
		snprintf(path, sizeof path, "%s/%s", b->out, FILES[i]);
		remove(path);
	}
}

bool figures_write(const struct bench *b, const struct machine *m, const char *plots, struct fault *f)
{
	char log[BENCH_PATH + 32];
	if (mkdir(b->out, 0755) < 0 && errno != EEXIST)
		return fault_set(f, FAULT_BUSY, "%s: %s", b->out, strerror(errno));
	snprintf(log, sizeof log, "%s/gnuplot.log", b->out);
	remove_old(b);
	return write_files(b, m, f) &&
	       child_run((const char *const[]){"gnuplot", "-c", plots, b->out, NULL}, log, PLOT_MS, f);
}
