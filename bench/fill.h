#pragma once

#include "pg.h"
#include "request.h"

/* Transactions that are stored by SQL before a measurement begins.  Their content is the same as that of the load's
 * webhooks (request.c). */

/* Stores count transactions with a job each.  Their ids are random, as the ids of providers are to an index. */
MUST_USE bool fill_backlog(PGconn *c, long count, struct fault *f);

/* The same as events of a fifth as many payments, in lanes: the first of each in jobs, the others parked. */
MUST_USE bool fill_lanes(PGconn *c, long count, struct fault *f);

/* Stores count transactions without jobs, in the order of their ids: the index then grows at its end, and ten
 * million are stored in a minute or two. */
MUST_USE bool fill_stored(PGconn *c, long count, struct fault *f);

/* Reads the ids of all stored transactions; the caller frees them with known_ids_finish(). */
MUST_USE bool fill_fetch(PGconn *c, struct known_ids *ret, struct fault *f);
void known_ids_finish(struct known_ids *k);
