#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "processor.h"
#include "runtime/settings.h"
#include "support/http_server.h"

/* The http processor as a worker drives it, on a loop with a server that answers it; no database. */

/* A job, its call, and what came of it. */
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
	struct settings settings; /* those of the processor; read by it while it stands */
	struct processor *processor;
	int ended;                                        /* calls */
	void (*on_end)(struct caller *c, struct made *m); /* also told, unless NULL */
};

/* A loop, and a server on it; the settings call the server.  The processor is made with the first call. */
void caller_open(struct caller *c);
void caller_close(struct caller *c);

/* A job with these ids, of 1500.10 EUR. */
struct made made_of(const char *source, const char *transaction_id);

void caller_start(struct caller *c, struct made *m);
void caller_cancel(struct caller *c, struct made *m);

/* Makes a call and turns the loop until it has ended. */
void caller_call(struct caller *c, struct made *m);

/* Turns the loop until so many calls have ended. */
void caller_until_ended(struct caller *c, int count);

/* Turns the loop until the server has heard so many calls. */
void caller_until_heard(struct caller *c, int count);

void caller_for(struct caller *c, int ms);
