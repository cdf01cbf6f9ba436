#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/fault.h"
#include "http_message.h"
#include "source/source.h"
#include "txn/currency.h"
#include "txn/txn.h"

/* Webhooks of the example folders (docs/sources): request.http; the events of life.json, which come with the headers of that
 * request; and refund.http, of a provider with other headers for refunds. */

#define EXAMPLE_TXNS_MAX 16 /* transactions of one body that are read */

struct example {
	char name[128];           /* "stripe/life.json, event 3" */
	struct http_message head; /* of the request; its pointers lead into text */
	struct buf text, life;    /* the files */
	const char *body;         /* in one of them; len bytes */
	size_t len;
};

/* Reads the transactions of a body as the source maps them, with what it reads of the request besides.  Returns their number, EXAMPLE_TXNS_MAX at most; 0: none, or the
 * body does not fit the source, and *f has the reason. */
int example_read(const struct source *source, const struct currency_extras *extras,
	const struct places_request *request, const char *body, size_t len, struct txn ret[EXAMPLE_TXNS_MAX],
	struct fault *f);

/* Finds an example that the source reads into a transaction: in the folder with the name of the source, then in those with a
 * name the source's begins with, then in the others.  kind: of the transaction, or a word that a filter of the source reads;
 * NULL: any.
 *
 * FAULT_ABSENT: there is none; the text names the kinds that there are.  FAULT_INPUT: the folder cannot be read.  After a
 * success the caller frees the files with example_finish(). */
MUST_USE bool example_find(const char *folder, const struct source *source, const struct currency_extras *extras,
	const char *kind, struct example *ret, struct fault *f);

void example_finish(struct example *e);
