#pragma once

#include "base/base.h"
#include "base/fault.h"
#include "instance.h"
#include "pg.h"

/* A payhook of the bench's own, from an empty folder to nothing left. */

struct stage {
	struct instance instance;
	PGconn *owner, *superuser;
	bool is_up;
};

/* settings: "NAME=value", NULL ends.  quick: with fewer files of the log made beforehand. */
MUST_USE bool stage_start(struct stage *s, const char *const settings[], bool quick, struct fault *f);

/* Whether it was started or not. */
void stage_stop(struct stage *s);

/* Empties the tables. */
MUST_USE bool stage_clean(struct stage *s, struct fault *f);

/* What it has written to its log, and how many transactions it has committed, so far. */
struct stage_work {
	double wal_bytes, commits;
};

MUST_USE bool stage_work(struct stage *s, struct stage_work *ret, struct fault *f);
