/* sent.c - an ingest connection, the webhooks that a test sends to it, and their outcomes. */

#include "support/sent.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "support/fresh_database.h"
#include "support/loop.h"

struct ingest *in;
struct connect_state *connect_state;
struct sent sent[SENT_MOST];
int sent_count;
int sent_withdrawn;
static int report_count;
int enqueued;
int ups;
int downs;
int commits;
struct notifier *sent_notifier;
int unkept;

static void on_up(void *ctx)
{
	(void)ctx;
	ups++;
}

static void on_down(void *ctx, const struct fault *why)
{
	(void)ctx, (void)why;
	downs++;
}

static void on_enqueued(void *ctx)
{
	(void)ctx;
	enqueued++;
}

static void on_parked(void *ctx, int64_t lane)
{
	(void)ctx;
	if (sent_notifier)
		notifier_activate(sent_notifier, lane);
}

static void on_unkept(void *ctx, int transactions)
{
	(void)ctx;
	unkept += transactions;
}

static void on_committed(void *ctx, int webhooks, int64_t us)
{
	(void)ctx, (void)webhooks, (void)us;
	commits++;
}

const struct ingest_events SENT_EVENTS = {
	.up = on_up,
	.down = on_down,
	.enqueued = on_enqueued,
	.parked = on_parked,
	.unkept = on_unkept,
	.committed = on_committed,
};

bool is_up(void *ctx)
{
	(void)ctx;
	return ups > 0;
}

static bool all_reported(void *ctx)
{
	(void)ctx;
	return report_count == sent_count - sent_withdrawn;
}

void sent_init(void)
{
	database_init();
	connect_state = loop_open();
	in = ingest_create(connect_state, &SENT_EVENTS, NULL);
	cr_assert_not_null(in);
	loop_until(is_up, NULL, "ingest is up");
}

void sent_fini(void)
{
	ingest_destroy(in);
	loop_close();
	database_drop();
}

static void on_done(struct pending_insert *p, enum accepted outcome, const struct fault *f)
{
	struct sent *s = (struct sent *)(void *)p;
	cr_assert_not(s->is_reported, "reported twice");
	s->is_reported = true;
	s->outcome = outcome;
	s->failed = f != NULL;
	if (f)
		s->fault = *f;
	s->place = ++report_count;
}

struct sent *send_to(struct ingest *ingest, const char *id, const char *source, const char *amount)
{
	struct sent *s = &sent[sent_count++];
	snprintf(s->txn.transaction_id, sizeof s->txn.transaction_id, "%s", id);
	snprintf(s->txn.source_account, sizeof s->txn.source_account, "from");
	snprintf(s->txn.destination_account, sizeof s->txn.destination_account, "to");
	snprintf(s->txn.amount.digits, sizeof s->txn.amount.digits, "%s", amount);
	snprintf(s->txn.currency, sizeof s->txn.currency, "EUR");
	snprintf(s->bytes, sizeof s->bytes, "{\"amount\":%s}", amount);
	s->body = (struct insert_body){.bytes = s->bytes, .len = strlen(s->bytes)};
	s->pending_insert = (struct pending_insert){
		.txn = &s->txn, .source = source, .request_id = "r1", .body = &s->body, .done = on_done};
	ingest_accept(ingest, &s->pending_insert);
	return s;
}

struct sent *send_one(const char *id, const char *amount)
{
	return send_to(in, id, "transactions", amount);
}

void expect(const struct sent *s, enum accepted outcome)
{
	cr_assert(s->is_reported);
	cr_expect_not(s->failed, "%s: %s", s->txn.transaction_id, s->fault.text);
	cr_expect_eq(s->outcome, outcome, "%s of %s: %d", s->txn.transaction_id, s->txn.amount.digits, s->outcome);
}

void sent_all(void)
{
	loop_until(all_reported, NULL, "every outcome is reported");
}

long long rows(const char *table)
{
	return database_number("SELECT count(*) FROM payhook.%s", table);
}

bool is_blocked(void *ctx)
{
	(void)ctx;
	return database_number("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
			       " AND wait_event_type = 'Lock'") > 0;
}
