#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "processor.h"
#include "runtime/settings.h"
#include "support/http_server.h"

/* Drives the http processor as a worker does, on an event loop with a server that answers it, and without a
 * database. */

/* A job, the call for it, and the result. */
struct made {
	struct job job;
	struct call call;
	bool ended;
	int64_t began_ms, ended_ms; /* clock_ms() */
	enum call_result result;
	int64_t pause_ms;
	char why[400], request_id[64];
};

struct caller {
	struct event_base *base;
	struct http_server *server;
	struct settings settings; /* the processor's; it reads them as long as it exists */
	struct call_options options;
	struct processor *processor;
	int ended;                                        /* number of calls that have ended */
	void (*on_end)(struct caller *c, struct made *m); /* called for each ended call, unless NULL */
};

/* Creates a loop and a server on it; the settings contain the server's URL.  The processor is created with the first
 * call. */
void caller_open(struct caller *c);
void caller_close(struct caller *c);

/* A job with these ids, for 1500.10 EUR. */
struct made made_of(const char *source, const char *transaction_id);

void caller_start(struct caller *c, struct made *m);

/* Returns whether the server may have received the call. */
bool caller_cancel(struct caller *c, struct made *m);

/* Makes a call and runs the loop until it has ended. */
void caller_call(struct caller *c, struct made *m);

/* Runs the loop until this number of calls have ended. */
void caller_until_ended(struct caller *c, int count);

/* Runs the loop until the server has received this number of calls. */
void caller_until_heard(struct caller *c, int count);

/* The same of another server on the loop. */
void caller_until_calls_of(struct caller *c, const struct http_server *server, int count);

void caller_for(struct caller *c, int ms);
