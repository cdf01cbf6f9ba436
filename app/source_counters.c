/* source_counters.c - the responders' counters of each source.
 *
 * A status of 2xx is accepted: stored, a duplicate, ignored or kept as unreadable.  What a source with a scheme answers so
 * before it has verified anything is not counted, nor is a ping, as it shows nothing of the provider.  Of the statuses 4xx
 * those of verified webhooks are counted apart: nobody but the provider can cause them. */

#include "source_counters.h"

#include <stdlib.h>
#include <time.h>

#include "runtime/metric.h"
#include "runtime/scoreboard.h"

#define PROGRAM "payhook-app-sources"

enum { WEBHOOKS, LAST_ACCEPTED, METRICS };
enum outcome { ACCEPTED, REFUSED, UNVERIFIED, UNAVAILABLE, NOT_COUNTED };

static const char *const OUTCOMES[] = {"accepted", "refused", "unverified", "unavailable", NULL};

struct source_counters {
	const char *names[SOURCES_MAX + 1];
	struct metric table[METRICS];
	struct metrics metrics;
	const struct sources *sources;
	struct scoreboard *scoreboard; /* NULL: the folder cannot be used */
	_Atomic int64_t *alone;        /* cells of this process, if there is no scoreboard; else NULL */
	_Atomic int64_t *cells;        /* those of the scoreboard, or alone */
};

static void lay_out(struct source_counters *c)
{
	for (int i = 0; i < c->sources->count; i++)
		c->names[i] = c->sources->list[i].name;
	c->table[WEBHOOKS] = (struct metric){"payhook_source_webhooks_total",
		"Webhooks of each source: accepted is 2xx, refused 4xx after a valid signature, unverified any other 4xx",
		METRIC_COUNTER, .labels = {{"source", c->names}, {"outcome", OUTCOMES}}};
	c->table[LAST_ACCEPTED] = (struct metric){"payhook_source_last_accepted_timestamp_seconds",
		"Time at which a webhook of the source was accepted last, in seconds since 1970", METRIC_GAUGE,
		.unit = METRIC_ONES, .labels = {{"source", c->names}}, .sparse = true, .is_latest = true};
	metrics_lay_out(&c->metrics, c->table, METRICS);
}

struct source_counters *source_counters_create(const char *folder, const struct sources *sources)
{
	struct source_counters *c = calloc(1, sizeof *c);
	struct fault f;
	if (!c)
		return NULL;
	c->sources = sources;
	lay_out(c);
	/* The reason of a failure is that of counters_create(), which has been logged. */
	if (!*folder || !scoreboard_open(folder, PROGRAM, &c->metrics, &c->scoreboard, &f))
		c->alone = c->metrics.cells > 0 ? calloc((size_t)c->metrics.cells, sizeof *c->alone) : NULL;
	c->cells = c->scoreboard ? scoreboard_cells(c->scoreboard) : c->alone;
	if (c->cells)
		return c;
	source_counters_destroy(c);
	return NULL;
}

void source_counters_destroy(struct source_counters *c)
{
	if (!c)
		return;
	scoreboard_close(c->scoreboard);
	free(c->alone);
	free(c);
}

static enum outcome outcome_of(const struct request *rq)
{
	int status = rq->reply.status;
	if (rq->outcome == WEBHOOK_PING)
		return NOT_COUNTED;
	if (status >= 500)
		return UNAVAILABLE;
	if (status >= 400)
		return rq->is_verified ? REFUSED : UNVERIFIED;
	return rq->is_verified || rq->source->auth == SOURCE_AUTH_NONE ? ACCEPTED : NOT_COUNTED;
}

void source_counters_end(struct source_counters *c, const struct request *rq)
{
	if (!rq->source)
		return;
	int source = (int)(rq->source - c->sources->list);
	enum outcome outcome = outcome_of(rq);
	if (outcome != NOT_COUNTED)
		metric_add(&c->metrics, c->cells, WEBHOOKS, source * NOT_COUNTED + (int)outcome, 1);
	if (outcome == ACCEPTED)
		metric_set(&c->metrics, c->cells, LAST_ACCEPTED, source, (int64_t)time(NULL));
}

bool source_counters_render(const struct source_counters *c, struct buf *ret)
{
	int64_t *sums = c->scoreboard ? calloc((size_t)c->metrics.cells, sizeof *sums) : NULL;
	if (!sums)
		return false;
	(void)scoreboard_sum(c->scoreboard, sums);
	metrics_render(&c->metrics, sums, ret);
	free(sums);
	return true;
}
