#pragma once

#include "base/base.h"
#include "base/fault.h"
#include "pg.h"
#include "support/instance.h"

/* An instance of payhook that the bench starts in a folder of its own and removes, and two connections to its
 * database. */

struct stage {
	struct instance instance;
	PGconn *owner, *superuser;
	bool is_up;
};

/* Starts an instance and creates PostgreSQL's log files beforehand.  settings: "NAME=value", ended by NULL.  quick:
 * fewer log files.  After a failure stage_stop() removes what there is. */
MUST_USE bool stage_start(struct stage *s, const char *const settings[], bool quick, struct fault *f);

/* Stops and removes the instance, if it was started. */
void stage_stop(struct stage *s);

/* Empties the tables of transactions and jobs. */
MUST_USE bool stage_clean(struct stage *s, struct fault *f);

/* Bytes of WAL written, and transactions committed that wrote something, since the instance was created. */
struct stage_writes {
	double wal_bytes, commits;
};

/* Reads both.  The difference of two readings is the cost of what ran between them. */
MUST_USE bool stage_writes_read(struct stage *s, struct stage_writes *ret, struct fault *f);
