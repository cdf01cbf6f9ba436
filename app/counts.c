/* counts.c - the responders' table of metrics. */

#include "counts.h"

#include <stdlib.h>

#include "ingest/rejections.h"
#include "runtime/metric.h"
#include "runtime/page.h"

#define PROGRAM "payhook-app"

enum { BUILD, REQUESTS, WEBHOOKS, REJECTIONS, REFUSALS, UNRECORDED, ACCEPT, BATCH, COMMIT, RESPONDERS, BUSY };

/* In the order of enum counted_route. */
static const char *const ROUTES[] = {"other", "/", "/livez", "/readyz", "/metrics", "/v1/webhooks/{source}",
	"/v1/transactions/{transaction_id}", NULL};

/* Those that we answer with, and one for what was forgotten here. */
static const int STATUSES[] = {200, 202, 400, 401, 403, 404, 405, 409, 413, 415, 422, 503};
static const char *const CODES[] = {
	"200", "202", "400", "401", "403", "404", "405", "409", "413", "415", "422", "503", "other", NULL};

/* In the order of enum webhook_outcome, its first left out. */
static const char *const OUTCOMES[] = {
	"accepted", "duplicate", "conflict", "rejected", "unavailable", "ignored", "unsigned", NULL};

enum cause { CAUSE_MALFORMED, CAUSE_TOO_LARGE, CAUSE_MEDIA_TYPE, CAUSE_INVALID, CAUSE_OTHER };
static const char *const CAUSES[] = {"malformed", "too_large", "media_type", "invalid", "other", NULL};

/* In the order of enum signature_cause, its first left out, and then of enum rejection_cause. */
static const char *const REFUSAL_CAUSES[] = {"missing", "malformed", "unsupported", "old", "future", "expired",
	"wrong_url", "wrong", "failed", "address", "certificate", "api_key", NULL};
_Static_assert(COUNT_OF(REFUSAL_CAUSES) == REJECTION_CAUSE_COUNT, "each cause but the good one, and the end");

static const char *const VERSIONS[] = {PAYHOOK_VERSION, NULL};

/* Microseconds.  The sender is owed an answer within half a second. */
static const int64_t ACCEPT_BOUNDS[] = {1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 500000, 1000000, 0};
static const int64_t COMMIT_BOUNDS[] = {500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 500000, 3000000, 0};
static const int64_t BATCH_BOUNDS[] = {1, 2, 5, 10, 20, 50, 100, 200, 500, 0};

static const struct metric TABLE[] = {
	[BUILD] = {"payhook_build_info", "The version of the responder that answers; always 1", METRIC_GAUGE,
		.labels = {{"version", VERSIONS}}},
	[REQUESTS] = {"payhook_http_requests_total",
		"Requests that responders answered, by route and status; what nginx refuses by itself is in its log only",
		METRIC_COUNTER, .labels = {{"route", ROUTES}, {"code", CODES}}, .sparse = true},
	[WEBHOOKS] = {"payhook_webhooks_total",
		"Webhooks by what became of them; accepted are new, duplicate the same again, conflict another content",
		METRIC_COUNTER, .labels = {{"outcome", OUTCOMES}}},
	[REJECTIONS] = {"payhook_webhook_rejections_total", "Rejected webhooks by the rule that they break",
		METRIC_COUNTER, .labels = {{"cause", CAUSES}}},
	[REFUSALS] = {"payhook_refusals_total",
		"Requests refused for their signature, address, certificate or API key, by what was wrong with it",
		METRIC_COUNTER, .labels = {{"cause", REFUSAL_CAUSES}}},
	[UNRECORDED] = {"payhook_refusals_unrecorded_total",
		"Such requests that the table rejected_requests lacks: too many at once, or no database",
		METRIC_COUNTER, .unit = METRIC_ONES},
	[ACCEPT] = {"payhook_accept_duration_seconds",
		"From a webhook read to its answer, of those that were not rejected", METRIC_HISTOGRAM, METRIC_SECONDS,
		.bounds = ACCEPT_BOUNDS},
	[BATCH] = {"payhook_batch_size", "Webhooks that one commit made durable", METRIC_HISTOGRAM,
		.bounds = BATCH_BOUNDS},
	[COMMIT] = {"payhook_commit_duration_seconds", "From sending such a batch to its commit, flushed to disk",
		METRIC_HISTOGRAM, METRIC_SECONDS, .bounds = COMMIT_BOUNDS},
	[RESPONDERS] = {"payhook_responders", "Responder processes that live", METRIC_GAUGE, .unit = METRIC_ONES},
	[BUSY] = {"payhook_responder_slots_busy",
		"Requests under way in all responders, this one among them; each has 1024 slots", METRIC_GAUGE,
		.unit = METRIC_ONES},
};

struct counts {
	struct metrics metrics;
	struct page *page;      /* NULL: alone */
	_Atomic int64_t *alone; /* cells of one's own, where there is no page; else NULL */
	_Atomic int64_t *cells; /* of the one or the other */
	int busy;
};

struct counts *counts_create(const char *folder, bool *shared, struct fault *why)
{
	struct counts *c = calloc(1, sizeof *c);
	if (!c)
		return NULL;
	metrics_lay_out(&c->metrics, TABLE, COUNT_OF(TABLE));
	if (*folder)
		*shared = page_open(folder, PROGRAM, &c->metrics, &c->page, why);
	else
		*shared = fault_set(why, FAULT_INPUT, "METRICS_FOLDER is not set");
	if (!c->page)
		c->alone = calloc((size_t)c->metrics.cells, sizeof *c->alone);
	c->cells = c->page ? page_cells(c->page) : c->alone;
	if (c->cells)
		return c;
	counts_destroy(c);
	return NULL;
}

void counts_destroy(struct counts *c)
{
	if (!c)
		return;
	page_close(c->page);
	free(c->alone);
	free(c);
}

static int code_of(int status)
{
	int i = 0;
	while (i < (int)COUNT_OF(STATUSES) && STATUSES[i] != status)
		i++;
	return i;
}

static enum cause cause_of(int status)
{
	switch (status) {
	case 400:
		return CAUSE_MALFORMED;
	case 413:
		return CAUSE_TOO_LARGE;
	case 415:
		return CAUSE_MEDIA_TYPE;
	case 422:
		return CAUSE_INVALID;
	default:
		return CAUSE_OTHER;
	}
}

static void add(struct counts *c, int metric, int series)
{
	metric_add(&c->metrics, c->cells, metric, series, 1);
}

void counts_begin(struct counts *c)
{
	metric_set(&c->metrics, c->cells, BUSY, 0, ++c->busy);
}

void counts_end(struct counts *c, enum counted_route route, int status, enum webhook_outcome outcome, int64_t us)
{
	metric_set(&c->metrics, c->cells, BUSY, 0, --c->busy);
	add(c, REQUESTS, (int)(route * (COUNT_OF(CODES) - 1)) + code_of(status));
	if (outcome == WEBHOOK_NONE)
		return;
	add(c, WEBHOOKS, (int)outcome - 1);
	if (outcome == WEBHOOK_REJECTED)
		add(c, REJECTIONS, (int)cause_of(status));
	else if (outcome != WEBHOOK_IGNORED && outcome != WEBHOOK_UNSIGNED)
		metric_observe(&c->metrics, c->cells, ACCEPT, 0, us);
}

void counts_commit(struct counts *c, int webhooks, int64_t us)
{
	metric_observe(&c->metrics, c->cells, BATCH, 0, webhooks);
	metric_observe(&c->metrics, c->cells, COMMIT, 0, us);
}

void counts_refusal(struct counts *c, int cause)
{
	add(c, REFUSALS, cause - 1);
}

void counts_unrecorded(struct counts *c, int count)
{
	metric_add(&c->metrics, c->cells, UNRECORDED, 0, count);
}

bool counts_render(const struct counts *c, struct buf *ret)
{
	int64_t *sums = c->page ? calloc((size_t)c->metrics.cells, sizeof *sums) : NULL;
	if (!sums)
		return false;
	int living = page_sum(c->page, sums);
	sums[c->metrics.first[BUILD]] = 1;
	sums[c->metrics.first[RESPONDERS]] = living;
	metrics_render(&c->metrics, sums, ret);
	free(sums);
	return true;
}
