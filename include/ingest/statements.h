#pragma once

#include "base/buf.h"
#include "ingest/batch.h"
#include "pg/db.h"

/* The statements of the accept path, and their parameters.  ingest.c sends them; the benchmark runs INGEST_STORE by
 * itself. */

#define INGEST_COLUMNS 6 /* arrays of INGEST_STORE */
#define INGEST_ARRAYS 20 /* arrays of INGEST_STORE_ALL */
#define INGEST_BODY_COLUMNS 5
#define INGEST_TRACES_MAX (1024 * 1024) /* bytes; 500 ids of 255 quotes, each escaped, take a third of it */

/* A condition: whether payloads takes a row of today.  A table with the name of the partition is not enough: an insert that
 * finds no partition fails, and an operator may have detached it, or a worker may attach it this moment.  The statement's
 * snapshot sees one only if it was attached before, so the insert finds it too.  The name is that of payhook.payloads_day(),
 * which would take longer to call than the rest. */
#define INGEST_DAY_HAS_PARTITION                                                                                        \
	"EXISTS (SELECT FROM pg_inherits i WHERE i.inhparent = 'payhook.payloads'::regclass AND NOT i.inhdetachpending" \
	"  AND i.inhrelid = to_regclass('payhook.payloads_' || to_char(now() AT TIME ZONE 'UTC', 'YYYYMMDD')))"

extern const struct statement INGEST_STORE;     /* makes a batch durable, of bodies with one transaction each */
extern const struct statement INGEST_STORE_ALL; /* also bodies of several transactions, events of payments, and lanes */
extern const struct statement INGEST_KEEP;      /* records conflicts */
extern const struct statement INGEST_PROBE;     /* whether a webhook could be stored; it has no parameters */

/* The parameters of INGEST_STORE or INGEST_STORE_ALL, whichever is returned, and those of INGEST_KEEP: each member of
 * *b that is no duplicate.  arrays and traces must live until connection_send() returns. */
const struct statement *ingest_params(
	struct db_params *p, struct db_array arrays[INGEST_ARRAYS], struct buf *traces, const struct batch *b);
void ingest_keep_params(struct db_params *p, struct db_array arrays[INGEST_ARRAYS], const struct batch *b);

/* Adds a body that is kept to the five columns of the bodies: source, request_id, content_type, headers, body. */
void ingest_body_add(
	struct db_array columns[], const char *source, const char *request_id, const struct insert_body *body);
