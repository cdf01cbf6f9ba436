#pragma once

#include "bench.h"

/* The rows: each is a question, measured once a round. */

struct row {
	const char *name;
	const char *asks;
	bool (*prepare)(struct bench *b, struct fault *f); /* or NULL */
	bool (*measure)(struct bench *b, struct fault *f);
};

bool row_accept(struct bench *b, struct fault *f);
