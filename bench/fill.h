#pragma once

#include "pg.h"
#include "request.h"

/* Transactions that are there before a measurement begins, put there by SQL; with the same content as what the load
 * sends. */

/* So many that wait to be processed, each with its job, in the order in which senders' ids come: none. */
MUST_USE bool fill_backlog(PGconn *c, long count, struct fault *f);

/* So many without jobs, in the order of their ids, which lets ten million be stored in a minute or two. */
MUST_USE bool fill_stored(PGconn *c, long count, struct fault *f);

/* Their ids, in the client's memory. */
MUST_USE bool fill_fetch(PGconn *c, struct known_ids *ret, struct fault *f);
void known_ids_finish(struct known_ids *k);
