/* connection_client.c - a connection that records what became of it. */

#include "support/connection_client.h"

#include <stdio.h>

#include "support/loop.h"

void client_on_up(void *ctx)
{
	((struct client *)ctx)->ups++;
}

void client_on_ready(void *ctx)
{
	(void)ctx;
}

void client_on_down(void *ctx, const struct fault *why)
{
	struct client *c = ctx;
	c->downs++;
	if (!c->is_answered)
		snprintf(c->text, sizeof c->text, "%s", why->text);
}

static void client_on_answer(void *ctx, const struct pg_result *r, const struct fault *f)
{
	struct client *c = ctx;
	c->is_answered = true;
	c->failed = r == NULL;
	snprintf(c->text, sizeof c->text, "%s", f ? f->text : db_rows(r) > 0 ? db_text(r, 0, 0) : "");
}

bool client_is_ready(void *ctx)
{
	return connection_is_ready(((struct client *)ctx)->connection);
}

bool client_is_answered(void *ctx)
{
	return ((struct client *)ctx)->is_answered;
}

void client_send(struct client *c, const struct statement *s)
{
	loop_until(client_is_ready, c, "the connection is ready");
	c->is_answered = false;
	connection_send(c->connection, s, &(struct db_params){0}, client_on_answer);
}

void client_ask(struct client *c, const struct statement *s)
{
	client_send(c, s);
	loop_until(client_is_answered, c, "an answer");
}
