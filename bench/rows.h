#pragma once

#include "bench.h"

/* The rows of the bench.  Each answers one question by figures that are measured once a round. */

struct row {
	const char *name;
	const char *asks;                                  /* the question, for --list */
	bool (*prepare)(struct bench *b, struct fault *f); /* before the first round; or NULL */
	bool (*measure)(struct bench *b, struct fault *f);
	/* After the last round or a failure, when its own instances are stopped; or NULL. */
	void (*finish)(struct bench *b);
	bool is_long; /* measured once, and only when asked for */
};

extern const struct row ROW_ACCEPT, ROW_DUPLICATES, ROW_GET, ROW_LATENCY, ROW_FLUSH, ROW_STORED, ROW_BOTH, ROW_DRAIN,
	ROW_IDLE, ROW_SIGNED, ROW_PAYLOADS, ROW_LANES, ROW_CONSOLE, ROW_FAIR, ROW_GZIP, ROW_ORIGINAL, ROW_RETENTION,
	ROW_PEER, ROW_RESPONDERS, ROW_LONG;

#define THOUSAND 1000L
#define MILLION 1000000L
