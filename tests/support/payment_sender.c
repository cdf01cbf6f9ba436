/* payment_sender.c - a responder without HTTP: it stores the events that it reads from standard input, in order.
 *
 * A line is "transaction_id payment_id"; when the event is durable, its transaction_id is printed.  All lines that are
 * read at once go into one batch.  PAYHOOK_DATABASE is the conninfo.  The program ends with its input, or by a signal
 * at any moment, as a responder may. */

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ingest/ingest.h"
#include "ingest/notifier.h"
#include "pg/connection.h"

struct sender {
	struct event_base *base;
	struct ingest *ingest;
	struct notifier *notifier;
};

struct stored {
	struct pending_insert pending_insert;
	struct txn txn;
	struct insert_body body;
};

static void on_change(void *ctx)
{
	(void)ctx;
}

static void on_down(void *ctx, const struct fault *why)
{
	(void)ctx;
	fprintf(stderr, "payment_sender: %s\n", why->text);
}

static void on_enqueued(void *ctx)
{
	notifier_mark(((struct sender *)ctx)->notifier);
}

static void on_parked(void *ctx, int64_t lane)
{
	notifier_activate(((struct sender *)ctx)->notifier, lane);
}

static const struct ingest_events EVENTS = {
	.up = on_change, .down = on_down, .enqueued = on_enqueued, .parked = on_parked};

static void on_done(struct pending_insert *p, enum accepted outcome, const struct fault *f)
{
	struct stored *s = (struct stored *)(void *)p;
	printf("%s %s\n", s->txn.transaction_id, f ? f->text : outcome == ACCEPTED_CONFLICT ? "conflict" : "");
	fflush(stdout);
	free(s);
}

static void store(struct sender *sender, const char *line)
{
	struct stored *s = calloc(1, sizeof *s);
	if (!s || sscanf(line, "%255s %255s", s->txn.transaction_id, s->txn.payment_id) != 2)
		exit(1);
	snprintf(s->txn.source_account, sizeof s->txn.source_account, "from");
	snprintf(s->txn.destination_account, sizeof s->txn.destination_account, "to");
	snprintf(s->txn.amount.digits, sizeof s->txn.amount.digits, "1.00");
	snprintf(s->txn.currency, sizeof s->txn.currency, "EUR");
	s->txn.kind = TXN_CAPTURED;
	s->body = (struct insert_body){.bytes = "{}", .len = 2};
	s->pending_insert = (struct pending_insert){.txn = &s->txn,
		.source = "s",
		.request_id = "r",
		.body = &s->body,
		.is_in_order = true,
		.done = on_done};
	ingest_accept(sender->ingest, &s->pending_insert);
}

static void on_read(struct bufferevent *input, void *ctx)
{
	char *line;
	while ((line = evbuffer_readln(bufferevent_get_input(input), NULL, EVBUFFER_EOL_LF))) {
		store(ctx, line);
		free(line);
	}
}

static void on_end(struct bufferevent *input, short what, void *ctx)
{
	(void)input, (void)what;
	event_base_loopbreak(((struct sender *)ctx)->base);
}

int main(void)
{
	struct sender sender = {.base = event_base_new()};
	struct connect_state connect_state = {.base = sender.base, .conninfo = getenv("PAYHOOK_DATABASE")};
	sender.notifier = notifier_create(&connect_state);
	sender.ingest = ingest_create(&connect_state, &EVENTS, &sender);
	struct bufferevent *input = bufferevent_socket_new(sender.base, STDIN_FILENO, 0);
	if (!sender.notifier || !sender.ingest || !input)
		return 1;
	bufferevent_setcb(input, on_read, NULL, on_end, &sender);
	bufferevent_enable(input, EV_READ);
	event_base_dispatch(sender.base);
	bufferevent_free(input);
	ingest_destroy(sender.ingest);
	notifier_destroy(sender.notifier);
	event_base_free(sender.base);
	return 0;
}
