/* test_metric.c - counters, gauges and histograms, and their text in Prometheus' format. */

#include <criterion/criterion.h>
#include <string.h>

#include "runtime/metric.h"

static const char *const OUTCOMES[] = {"accepted", "rejected", NULL};
static const char *const CODES[] = {"200", "404", "other", NULL};
static const int64_t BOUNDS[] = {500, 25000, 1000000, 0};

enum { COUNTER, PAIRS, GAUGE, AGE, TIMES };

static const struct metric TABLE[] = {
	[COUNTER] = {"t_things_total", "Things", METRIC_COUNTER, .labels = {{"outcome", OUTCOMES}}},
	[PAIRS] = {"t_pairs_total", "Pairs", METRIC_COUNTER, .labels = {{"outcome", OUTCOMES}, {"code", CODES}},
		.sparse = true},
	[GAUGE] = {.name = "t_gauge", .help = "A gauge", .kind = METRIC_GAUGE},
	[AGE] = {.name = "t_age_seconds", .help = "An age", .kind = METRIC_GAUGE, .unit = METRIC_SECONDS},
	[TIMES] = {"t_times_seconds", "Times", METRIC_HISTOGRAM, METRIC_SECONDS, .labels = {{"outcome", OUTCOMES}},
		.bounds = BOUNDS},
};

static struct metrics m;
static _Atomic int64_t cells[64];
static struct buf text = {.max = 16384};

static void init(void)
{
	metrics_lay_out(&m, TABLE, COUNT_OF(TABLE));
}

static void fini(void)
{
	buf_finish(&text);
}

TestSuite(metric, .init = init, .fini = fini);

static const char *render(void)
{
	int64_t copy[COUNT_OF(cells)];
	for (size_t i = 0; i < COUNT_OF(cells); i++)
		copy[i] = cells[i];
	buf_reset(&text, 16384);
	metrics_render(&m, copy, &text);
	cr_assert(buf_ok(&text));
	return text.data;
}

static void reports(const char *lines)
{
	cr_expect_not_null(strstr(render(), lines), "%s is not in\n%s", lines, text.data);
}

static void is_silent(const char *words)
{
	cr_expect_null(strstr(render(), words), "%s is in\n%s", words, text.data);
}

Test(metric, gives_every_series_cells_of_its_own)
{
	cr_expect_eq(m.cells, 2 + 6 + 1 + 1 + 2 * 5);
	cr_expect_eq(m.first[TIMES], 10);
}

Test(metric, shows_a_counter_from_the_beginning_on)
{
	reports("# HELP t_things_total Things\n# TYPE t_things_total counter\n"
		"t_things_total{outcome=\"accepted\"} 0\nt_things_total{outcome=\"rejected\"} 0\n");
	metric_add(&m, cells, COUNTER, 1, 3);
	metric_add(&m, cells, COUNTER, 1, 4);
	reports("\nt_things_total{outcome=\"accepted\"} 0\nt_things_total{outcome=\"rejected\"} 7\n");
}

Test(metric, shows_a_pair_of_labels_once_it_happened)
{
	is_silent("t_pairs_total{");
	metric_add(&m, cells, PAIRS, 1 * 3 + 2, 1);
	reports("\nt_pairs_total{outcome=\"rejected\",code=\"other\"} 1\n");
}

Test(metric, shows_a_gauge_unless_there_is_none)
{
	metric_set(&m, cells, GAUGE, 0, -5);
	metric_set(&m, cells, AGE, 0, 90250000);
	reports("# TYPE t_gauge gauge\nt_gauge -5\n");
	reports("\nt_age_seconds 90.25\n");
	metric_set(&m, cells, AGE, 0, -1);
	reports("\nt_age_seconds -0.000001\n");
	metric_set(&m, cells, AGE, 0, METRIC_ABSENT);
	is_silent("\nt_age_seconds ");
}

Test(metric, shows_a_histogram_as_cumulative_buckets)
{
	const int64_t values[] = {0, 500, 501, 25000, 1000000, 1000001};
	for (size_t i = 0; i < COUNT_OF(values); i++)
		metric_observe(&m, cells, TIMES, 1, values[i]);
	reports("# TYPE t_times_seconds histogram\n"
		"t_times_seconds_bucket{outcome=\"accepted\",le=\"0.0005\"} 0\n");
	reports("t_times_seconds_bucket{outcome=\"rejected\",le=\"0.0005\"} 2\n"
		"t_times_seconds_bucket{outcome=\"rejected\",le=\"0.025\"} 4\n"
		"t_times_seconds_bucket{outcome=\"rejected\",le=\"1\"} 5\n"
		"t_times_seconds_bucket{outcome=\"rejected\",le=\"+Inf\"} 6\n"
		"t_times_seconds_sum{outcome=\"rejected\"} 2.026002\n"
		"t_times_seconds_count{outcome=\"rejected\"} 6\n");
}

Test(metric, distinguishes_tables_with_different_cells)
{
	struct metric other[COUNT_OF(TABLE)];
	struct metrics n;
	memcpy(other, TABLE, sizeof other);
	metrics_lay_out(&n, other, COUNT_OF(other));
	cr_expect_eq(metrics_mark(&n), metrics_mark(&m));
	other[TIMES].bounds = (const int64_t[]){500, 25000, 2000000, 0};
	cr_expect_neq(metrics_mark(&n), metrics_mark(&m));
	memcpy(other, TABLE, sizeof other);
	other[COUNTER].labels[0].values = (const char *const[]){"rejected", "accepted", NULL};
	cr_expect_neq(metrics_mark(&n), metrics_mark(&m));
	memcpy(other, TABLE, sizeof other);
	other[AGE].unit = METRIC_ONES;
	cr_expect_neq(metrics_mark(&n), metrics_mark(&m));
}

Test(metric, exports_a_renamed_metric_under_its_former_name_too)
{
	static const struct metric RENAMED[] = {
		{"t_new_total", "New", METRIC_COUNTER, .unit = METRIC_ONES, .former = "t_old_total"}};
	metrics_lay_out(&m, RENAMED, COUNT_OF(RENAMED));
	metric_set(&m, cells, 0, 0, 3);
	cr_expect_str_eq(render(), "# HELP t_new_total New\n# TYPE t_new_total counter\nt_new_total 3\n"
				   "# HELP t_old_total Deprecated: use t_new_total, which has the same values\n"
				   "# TYPE t_old_total counter\nt_old_total 3\n");
}
