#pragma once

#include <stdbool.h>

#include "pg/connection.h"

/* A connection for tests, and what became of it: the functions of a plan for it, and statements without parameters. */

struct client {
	struct connection *connection;
	int ups, downs;
	bool is_answered;
	bool failed;
	char text
		[FAULT_TEXT_MAX]; /* of the last answer: the first value, or the fault; before it, why the connection is down */
};

/* For struct connection_plan; ctx is the client. */
void client_on_up(void *ctx);
void client_on_ready(void *ctx);
void client_on_down(void *ctx, const struct fault *why);

/* For loop_until(); ctx is the client. */
bool client_is_ready(void *ctx);
bool client_is_answered(void *ctx);

/* Sends the statement once the connection is ready. */
void client_send(struct client *c, const struct statement *s);

/* The same, and waits for the answer. */
void client_ask(struct client *c, const struct statement *s);
