#pragma once

#include <stddef.h>

#include "random.h"

/* The HTTP/1.1 requests of the load: webhooks for the built-in source, and lookups.  Connections are kept open. */

#define REQUEST_MAX 2048  /* bytes of the longest request, NUL included */
#define REQUEST_ID_LEN 36 /* "txn_" and 32 hexadecimal digits */

/* The ids of stored transactions, REQUEST_ID_LEN bytes each, without separators or NULs. */
struct known_ids {
	char *ids;
	size_t count;
};

enum request_kind {
	REQUEST_UNIQUE,  /* POST of a webhook with an id that was never sent */
	REQUEST_KNOWN,   /* POST of a webhook that is stored, picked at random */
	REQUEST_HALF,    /* REQUEST_UNIQUE or REQUEST_KNOWN, with equal probability */
	REQUEST_SIGNED,  /* REQUEST_UNIQUE with the headers of a signature (sign.h) */
	REQUEST_LARGE,   /* REQUEST_UNIQUE with a body of 1,000 bytes */
	REQUEST_EVENT,   /* POST of an event of a payment, picked at random among 100,000, to a source of its own */
	REQUEST_TEXT,    /* REQUEST_UNIQUE with a body of some 1,000 bytes, which is compressed and sent as it is */
	REQUEST_GZIP,    /* the same body, sent in gzip */
	REQUEST_GET,     /* GET of a transaction that is stored, picked at random */
	REQUEST_CONSOLE, /* GET of the console's overview, without a key */
};

struct request_plan {
	enum request_kind kind;
	const struct known_ids *known; /* for REQUEST_KNOWN, REQUEST_HALF and REQUEST_GET */
	const char *source;            /* for REQUEST_EVENT */
};

/* Makes a new id: 128 random bits, so that no two are ever the same. */
void request_id(struct random *r, char ret[REQUEST_ID_LEN + 1]);

/* Writes the next request and returns its length. */
size_t request_make(const struct request_plan *plan, struct random *r, char ret[REQUEST_MAX]);

/* Write a POST or a GET for a given id, and return its length. */
size_t request_post(const char *id, char ret[REQUEST_MAX]);
size_t request_get(const char *id, char ret[REQUEST_MAX]);
