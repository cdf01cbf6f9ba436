/* payhook-bench - measures payhook and its ceilings side by side, on the machine it runs on.
 *
 * "./payhook bench" starts it with the paths that it needs: PAYHOOK_SOURCE, PAYHOOK_BUILD, PAYHOOK_BENCH.  Rows run
 * one after the other, because they share the cores.  All that was started is stopped on every way out, so the
 * program never exits from within a row. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "figures.h"
#include "machine.h"
#include "rows.h"
#include "stop.h"

/* In the order in which they run.  flush is last, because it restarts the PostgreSQL that other rows use. */
static const struct row *const ROWS[] = {&ROW_ACCEPT, &ROW_DUPLICATES, &ROW_GET, &ROW_LATENCY, &ROW_SIGNED, &ROW_GZIP,
	&ROW_PAYLOADS, &ROW_FAIR, &ROW_LANES, &ROW_CONSOLE, &ROW_PEER, &ROW_RESPONDERS, &ROW_STORED, &ROW_BOTH,
	&ROW_DRAIN, &ROW_ORIGINAL, &ROW_RETENTION, &ROW_IDLE, &ROW_LONG, &ROW_FLUSH};

static void help(void)
{
	puts("usage: ./payhook bench [--quick | --rounds N] [--long] [--list] [ROW...]\n"
	     "\n"
	     "Measures payhook and its ceilings side by side, on instances of its own that it ends and removes: 3 rounds in\n"
	     "about 30 minutes.  Prints a table of figures and ratios with the targets; the same goes to bench/ of the state\n"
	     "folder (./var), as figures.json and as plots.  Exit status 0 when everything was measured, whatever came out.\n"
	     "\n"
	     "  --quick     one round of short loads, with less set up beforehand: within 90 seconds\n"
	     "  --rounds N  1 to 9; of the rounds' values the median counts\n"
	     "  --long      the row long too, which takes an hour\n"
	     "  --list      the rows, and what each asks\n"
	     "  ROW...      only these");
}

static void list(void)
{
	for (size_t i = 0; i < COUNT_OF(ROWS); i++)
		printf("  %-12s%s\n", ROWS[i]->name, ROWS[i]->asks);
}

static const struct row *find_row(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
		if (strcmp(ROWS[i]->name, name) == 0)
			return ROWS[i];
	}
	return NULL;
}

/* The rows to measure, in the order of the command line. */
struct selection {
	const struct row *rows[COUNT_OF(ROWS)];
	size_t count;
};

static int usage_error(const char *what, const char *word)
{
	fprintf(stderr, "payhook-bench: %s: %s; see --help\n", word, what);
	return 2;
}

/* Returns the exit status, or -1 if the program goes on. */
static int read_options(int argc, char **argv, struct bench *b, struct selection *sel)
{
	bool with_long = false;
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0)
			return help(), 0;
		if (strcmp(argv[i], "--list") == 0)
			return list(), 0;
		if (strcmp(argv[i], "--quick") == 0) {
			b->quick = true;
		} else if (strcmp(argv[i], "--long") == 0) {
			with_long = true;
		} else if (strcmp(argv[i], "--rounds") == 0 && i + 1 < argc) {
			b->rounds = (int)strtol(argv[++i], NULL, 10);
			if (b->rounds < 1 || b->rounds > ROUNDS_MAX)
				return usage_error("must be from 1 to 9", argv[i]);
		} else if (find_row(argv[i]) && sel->count < COUNT_OF(sel->rows)) {
			sel->rows[sel->count++] = find_row(argv[i]);
		} else {
			return usage_error("no such row or option", argv[i]);
		}
	}
	bool all = sel->count == 0;
	for (size_t i = 0; all && i < COUNT_OF(ROWS); i++) {
		if (with_long || !ROWS[i]->is_long)
			sel->rows[sel->count++] = ROWS[i];
	}
	if (!all && with_long && sel->count < COUNT_OF(sel->rows))
		sel->rows[sel->count++] = &ROW_LONG;
	return -1;
}

/* A path from the environment; unset, the current folder. */
static const char *variable(const char *name)
{
	const char *value = getenv(name);
	return value ? value : ".";
}

/* The shares of the processor during one round. */
static bool measure(struct bench *b, const struct row *row, struct fault *f)
{
	struct share_reading from, to;
	if (!share_read(&from, f))
		return false;
	bool ok = row->measure(b, f);
	if (ok && (ok = share_read(&to, f))) {
		report_add_shares(&b->report, bench_shares(b, &from, &to));
		share_finish(&to);
	}
	share_finish(&from);
	return ok;
}

/* Measures a row once a round.  finish() runs after a failure too: it frees what prepare() made, even in part.  A row that
 * fails is reported as such, and the rows behind it are measured, on instances of their own: those of this row may be in any
 * state. */
static void run_row(struct bench *b, const struct row *row)
{
	struct fault f;
	report_begin(&b->report, row->name);
	b->round = 1;
	bool ok = !row->prepare || row->prepare(b, &f);
	while (ok && b->round <= (row->is_long ? 1 : b->rounds)) {
		ok = measure(b, row, &f);
		b->round += ok;
	}
	bench_finish_row(b);
	if (row->finish)
		row->finish(b);
	if (ok)
		return;
	report_fail(&b->report, b->round, stop_asked() ? "the bench was asked to stop" : f.text);
	bench_print(b, "failed: %s", f.text);
	bench_finish(b);
}

/* What there is when the bench is asked to stop is reported too. */
static bool run(struct bench *b, const struct selection *sel, struct fault *f)
{
	struct machine machine;
	struct stage *s;
	char plots[BENCH_PATH];
	if (!bench_stage(b, STAGE_RESTING, &s, f) || !machine_read(&machine, s, f))
		return false;
	machine_print(&machine, stdout);
	for (size_t i = 0; i < sel->count && !stop_asked(); i++)
		run_row(b, sel->rows[i]);
	report_print(&b->report, stdout);
	printf("Where no connections are named: %s.  %llu answers were not what they should be.\n",
		b->quick ? "256" : "the better of 64 and 256", (unsigned long long)b->wrong);
	fflush(stdout);
	if (stop_asked())
		return false;
	snprintf(plots, sizeof plots, "%s/bench/plots.gp", variable("PAYHOOK_SOURCE"));
	if (!figures_write(b, &machine, plots, f))
		return false;
	printf("The figures, and plots of them, are in %s.\n", b->out);
	int failures = report_failures(&b->report);
	return failures == 0 ||
	       fault_set(f, FAULT_BUSY, "%d of %zu rows failed; the table has the reasons", failures, sel->count);
}

int main(int argc, char **argv)
{
	static struct bench b;
	struct selection selection = {0};
	struct fault f;
	int status = read_options(argc, argv, &b, &selection);
	if (status >= 0)
		return status;
	b.rounds = b.rounds > 0 ? b.rounds : b.quick ? 1 : 3;
	b.run_ms = b.quick ? 1000 : 3000;
	b.warm_ms = b.quick ? 300 : 700;
	b.threads = 2;
	snprintf(b.out, sizeof b.out, "%s", variable("PAYHOOK_BENCH"));
	snprintf(b.echo, sizeof b.echo, "%s/bench/payhook-bench-echo", variable("PAYHOOK_BUILD"));
	snprintf(b.script, sizeof b.script, "%s/bench/insert.sql", variable("PAYHOOK_SOURCE"));
	stop_listen();
	bool ok = run(&b, &selection, &f);
	bench_finish(&b);
	if (!ok)
		fprintf(stderr, "payhook-bench: %s\n",
			stop_asked() ? "asked to stop; nothing is left running" : f.text);
	return ok ? 0 : stop_asked() ? 130 : 1;
}
