#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "auth/kept_headers.h"
#include "base/base.h"
#include "base/fault.h"
#include "ingest/batch.h"
#include "pg/db.h"
#include "source/source.h"
#include "txn/currency.h"
#include "txn/txn_rules.h"

/* One webhook that could not be mapped when it came, and what today's mapping makes of it. */

struct remap_item {
	void *owner; /* the caller's */
	struct pending_insert insert;
	struct txn txn;
	bool is_left_out; /* another item of the webhook contradicts it */
};

struct remap_row {
	int64_t id;
	const struct source *source; /* NULL: there is none of its name any more */
	char name[SOURCE_NAME_MAX + 1], request_id[40], traceparent[64], content_type[256];
	char *headers, *bytes; /* heap */
	struct insert_body body;
	int count;                         /* of items that can be read, and agree */
	struct remap_item *items;          /* heap */
	int unreadable;                    /* items that cannot be read; 1: the body as a whole */
	char header[KEPT_HEADERS_MAX + 1]; /* the value that was read last */
	struct txn_problems problems;
	const char *code; /* of a problem that is of no member; NULL: none */
};

/* Asks for the first row behind $1, of the source $2 or of all. */
extern const struct statement REMAP_NEXT;

/* Copies the row of an answer to it.  False: out of memory.  In either case remap_row_finish() frees it. */
MUST_USE bool remap_row_take(struct remap_row *row, const struct pg_result *r, const struct sources *sources);

/* Maps it.  False: out of memory. */
MUST_USE bool remap_row_map(struct remap_row *row, const struct currency_extras *extras);

void remap_row_finish(struct remap_row *row);
