#pragma once

#include <stddef.h>

#include "random.h"

/* What the load sends: HTTP requests, one after the other on kept connections. */

#define REQUEST_MAX 1024  /* bytes of the longest */
#define REQUEST_ID_LEN 36 /* "txn_" and 32 hexadecimal digits */

/* Ids of transactions that are stored, one after the other without NULs between. */
struct known_ids {
	char *ids;
	size_t count;
};

enum request_kind {
	REQUEST_UNIQUE, /* POST of a webhook with an id that was never sent */
	REQUEST_KNOWN,  /* POST of one that is stored, picked at random */
	REQUEST_HALF,   /* one or the other */
	REQUEST_SIGNED, /* as the first, with the headers of a signature (sign.h) */
	REQUEST_GET,    /* GET of a transaction that is stored, picked at random */
};

struct request_plan {
	enum request_kind kind;
	const struct known_ids *known; /* for all but the unique and the signed */
};

/* A fresh id, "txn_" and 32 hexadecimal digits. */
void request_id(struct random *r, char ret[REQUEST_ID_LEN + 1]);

/* Writes the next request and returns its length. */
size_t request_make(const struct request_plan *plan, struct random *r, char ret[REQUEST_MAX]);

/* The same for a given id. */
size_t request_post(const char *id, char ret[REQUEST_MAX]);
size_t request_get(const char *id, char ret[REQUEST_MAX]);
