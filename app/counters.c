/* counters.c - the responders' table of metrics, and the calls that count into it.
 *
 * Every label value is a constant of this file, so a sender cannot create new time series.  A counter is a cell of 64
 * bits with one writer, this process; a reader of another process sees it whole (runtime/metric.h).
 *
 * Without a shared folder the cells belong to this process alone.  They are then counted but not served: each scrape
 * may reach another responder, so the counters would seem to jump back and forth. */

#include "counters.h"

#include <stdlib.h>

#include "ingest/auth_failures.h"
#include "runtime/metric.h"
#include "runtime/scoreboard.h"

#define PROGRAM "payhook-app"

enum {
	BUILD,
	REQUESTS,
	WEBHOOKS,
	VALIDATION_ERRORS,
	AUTH_FAILURES,
	UNRECORDED,
	UNRECORDED_INVALID,
	UNKEPT,
	ACCEPT,
	BATCH,
	COMMIT,
	RESPONDERS,
	BUSY,
	CERTIFICATE
};

/* The values of the label "route", in the order of enum counted_route. */
static const char *const ROUTES[] = {"other", "/", "/livez", "/readyz", "/metrics", "/v1/webhooks/{source}",
	"/v1/transactions/{transaction_id}", "/v1/payments/{payment_id}", NULL};

/* The statuses that responders answer.  "other" catches a status that is missing here. */
static const int STATUSES[] = {200, 202, 204, 400, 401, 403, 404, 405, 409, 413, 415, 422, 503};
static const char *const CODES[] = {
	"200", "202", "204", "400", "401", "403", "404", "405", "409", "413", "415", "422", "503", "other", NULL};

/* The values of the label "outcome", in the order of enum webhook_outcome without WEBHOOK_NONE. */
static const char *const OUTCOMES[] = {"accepted", "duplicate", "conflict", "invalid", "unavailable", "ignored",
	"unsigned", "forbidden", "ping", "unreadable", NULL};

/* The validation errors, by the status of the reply. */
enum cause { CAUSE_MALFORMED, CAUSE_TOO_LARGE, CAUSE_MEDIA_TYPE, CAUSE_INVALID, CAUSE_OTHER };
static const char *const CAUSES[] = {"malformed", "too_large", "media_type", "invalid", "other", NULL};

/* In the order of enum signature_cause without SIGNATURE_GOOD, followed by enum auth_failure_cause. */
static const char *const AUTH_CAUSES[] = {"missing", "malformed", "unsupported", "old", "future", "expired",
	"wrong_url", "wrong", "failed", "address", "certificate", "api_key", "reused", NULL};
_Static_assert(COUNT_OF(AUTH_CAUSES) == AUTH_FAILURE_CAUSE_COUNT, "each cause but the good one, and the end");

static const char *const VERSIONS[] = {PAYHOOK_VERSION, NULL};

/* Upper bounds of the histograms' buckets: microseconds, and for BATCH webhooks.  Senders are answered within half a
 * second, so the durations are finest below that. */
static const int64_t ACCEPT_BOUNDS[] = {1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 500000, 1000000, 0};
static const int64_t COMMIT_BOUNDS[] = {500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 500000, 3000000, 0};
static const int64_t BATCH_BOUNDS[] = {1, 2, 5, 10, 20, 50, 100, 200, 500, 0};

static const struct metric TABLE[] = {
	[BUILD] = {"payhook_build_info", "The version of the responder that answers; always 1", METRIC_GAUGE,
		.labels = {{"version", VERSIONS}}},
	[REQUESTS] = {"payhook_http_requests_total",
		"Requests that responders answered, by route and status; those that nginx answers by itself are in its log only",
		METRIC_COUNTER, .labels = {{"route", ROUTES}, {"code", CODES}}, .sparse = true},
	[WEBHOOKS] = {"payhook_webhooks_total",
		"Webhooks by outcome: accepted is new, duplicate the same content again, conflict another content under a known id",
		METRIC_COUNTER, .labels = {{"outcome", OUTCOMES}}},
	[VALIDATION_ERRORS] = {"payhook_validation_errors_total",
		"Webhooks that were not accepted because of a rule, by that rule", METRIC_COUNTER,
		.labels = {{"cause", CAUSES}}, .former = "payhook_webhook_rejections_total"},
	[AUTH_FAILURES] = {"payhook_auth_failures_total",
		"Requests without a valid signature, address, certificate or API key, by cause", METRIC_COUNTER,
		.labels = {{"cause", AUTH_CAUSES}}, .former = "payhook_refusals_total"},
	[UNRECORDED] = {"payhook_auth_failures_unrecorded_total",
		"Auth failures that the view auth_failures lacks: too many at once, or no database", METRIC_COUNTER,
		.unit = METRIC_ONES, .former = "payhook_refusals_unrecorded_total"},
	[UNRECORDED_INVALID] = {"payhook_validation_errors_unrecorded_total",
		"Validation errors that the view validation_errors lacks: too many at once, or no database",
		METRIC_COUNTER, .unit = METRIC_ONES},
	[UNKEPT] = {"payhook_payloads_unkept_total",
		"Transactions and ignored webhooks whose payload was not kept, as the day had no partition",
		METRIC_COUNTER, .unit = METRIC_ONES},
	[ACCEPT] = {"payhook_accept_duration_seconds",
		"From a webhook read to its answer, for webhooks that went to the database", METRIC_HISTOGRAM,
		METRIC_SECONDS, .bounds = ACCEPT_BOUNDS},
	[BATCH] = {"payhook_batch_size", "Webhooks that one commit made durable: new ones, or conflicts",
		METRIC_HISTOGRAM, .bounds = BATCH_BOUNDS},
	[COMMIT] = {"payhook_commit_duration_seconds", "From sending such a batch to its commit, flushed to disk",
		METRIC_HISTOGRAM, METRIC_SECONDS, .bounds = COMMIT_BOUNDS},
	[RESPONDERS] = {"payhook_responders", "Live responder processes", METRIC_GAUGE, .unit = METRIC_ONES},
	[BUSY] = {"payhook_responder_slots_busy",
		"Requests in flight in all responders, this one included; each responder has 1024 slots", METRIC_GAUGE,
		.unit = METRIC_ONES},
	[CERTIFICATE] = {"payhook_certificate_expiry_timestamp_seconds",
		"Time at which the certificate that nginx uses expires, in seconds since 1970", METRIC_GAUGE,
		.unit = METRIC_ONES},
};

struct counters {
	struct metrics metrics;
	struct scoreboard *scoreboard; /* NULL: the folder cannot be used */
	_Atomic int64_t *alone;        /* cells of this process, if there is no scoreboard; else NULL */
	_Atomic int64_t *cells;        /* those of the scoreboard, or alone */
	int busy;                      /* requests in progress in this process */
};

struct counters *counters_create(const char *folder, bool *shared, struct fault *why)
{
	struct counters *c = calloc(1, sizeof *c);
	if (!c)
		return NULL;
	metrics_lay_out(&c->metrics, TABLE, COUNT_OF(TABLE));
	if (*folder)
		*shared = scoreboard_open(folder, PROGRAM, &c->metrics, &c->scoreboard, why);
	else
		*shared = fault_set(why, FAULT_INPUT, "METRICS_FOLDER is not set");
	if (!c->scoreboard)
		c->alone = calloc((size_t)c->metrics.cells, sizeof *c->alone);
	c->cells = c->scoreboard ? scoreboard_cells(c->scoreboard) : c->alone;
	if (c->cells)
		return c;
	counters_destroy(c);
	return NULL;
}

void counters_destroy(struct counters *c)
{
	if (!c)
		return;
	scoreboard_close(c->scoreboard);
	free(c->alone);
	free(c);
}

/* The index in CODES: that of the status, or of "other". */
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

static void counters_add(struct counters *c, int metric, int series)
{
	metric_add(&c->metrics, c->cells, metric, series, 1);
}

void counters_begin(struct counters *c)
{
	metric_set(&c->metrics, c->cells, BUSY, 0, ++c->busy);
}

void counters_end(struct counters *c, enum counted_route route, int status, enum webhook_outcome outcome, int64_t us)
{
	metric_set(&c->metrics, c->cells, BUSY, 0, --c->busy);
	/* A series for each route and code; CODES ends in a NULL, which has none. */
	counters_add(c, REQUESTS, (int)(route * (COUNT_OF(CODES) - 1)) + code_of(status));
	if (outcome == WEBHOOK_NONE)
		return;
	counters_add(c, WEBHOOKS, (int)outcome - 1);
	/* The histogram measures the wait for the database, so it leaves out the webhooks that never came to it. */
	if (outcome == WEBHOOK_INVALID)
		counters_add(c, VALIDATION_ERRORS, (int)cause_of(status));
	else if (outcome != WEBHOOK_IGNORED && outcome != WEBHOOK_UNSIGNED && outcome != WEBHOOK_FORBIDDEN &&
		 outcome != WEBHOOK_PING)
		metric_observe(&c->metrics, c->cells, ACCEPT, 0, us);
}

void counters_commit(struct counters *c, int webhooks, int64_t us)
{
	metric_observe(&c->metrics, c->cells, BATCH, 0, webhooks);
	metric_observe(&c->metrics, c->cells, COMMIT, 0, us);
}

void counters_auth_failure(struct counters *c, int cause)
{
	counters_add(c, AUTH_FAILURES, cause - 1);
}

void counters_unrecorded(struct counters *c, int failures, int errors)
{
	metric_add(&c->metrics, c->cells, UNRECORDED, 0, failures);
	metric_add(&c->metrics, c->cells, UNRECORDED_INVALID, 0, errors);
}

void counters_unkept(struct counters *c, int count)
{
	metric_add(&c->metrics, c->cells, UNKEPT, 0, count);
}

bool counters_are_shared(const struct counters *c)
{
	return c->scoreboard;
}

bool counters_render(const struct counters *c, int64_t certificate_expires, struct buf *ret)
{
	int64_t *sums = c->scoreboard ? calloc((size_t)c->metrics.cells, sizeof *sums) : NULL;
	if (!sums)
		return false;
	/* These three are facts of the moment, not sums of cells. */
	int living = scoreboard_sum(c->scoreboard, sums);
	sums[c->metrics.first[BUILD]] = 1;
	sums[c->metrics.first[RESPONDERS]] = living;
	sums[c->metrics.first[CERTIFICATE]] = certificate_expires > 0 ? certificate_expires : METRIC_ABSENT;
	metrics_render(&c->metrics, sums, ret);
	free(sums);
	return true;
}
