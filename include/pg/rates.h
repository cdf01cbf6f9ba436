#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "pg/db.h"

/* Counts by source for payhook.rates, and the statement that adds them.
 *
 * A process counts in memory, which costs a comparison and an addition, and sends its counts about once a second, on a
 * connection for which no webhook and no job waits.  People look at the sums; nothing is decided by them.  The counts of a
 * statement that fails, and those of a process that dies, are lost. */

#define RATES_EVERY_MS 1000
#define RATES_SOURCES_MAX 128 /* counted apart in one second; what comes of further ones is not counted */
#define RATES_SOURCE_MAX 255  /* bytes of a name; the check of payhook.rates has the same bound */

enum rate {
	RATE_ACCEPTED,  /* a webhook stored at least one transaction */
	RATE_REFUSED,   /* a webhook failed, and the reason is not ours */
	RATE_PROCESSED, /* a transaction became PROCESSED */
	RATE_FAILED,    /* a transaction became FAILED */
	RATES,
};

extern const struct statement RATES_ADD;

/* All zero: nothing is counted. */
struct rates {
	int count;
	int last; /* the place that was counted at last */
	struct {
		char source[RATES_SOURCE_MAX + 1];
		int64_t number[RATES];
	} list[RATES_SOURCES_MAX];
	struct db_array arrays[RATES + 1]; /* the parameters; kept for their memory */
};

/* Counts one.  source is copied. */
void rates_add(struct rates *r, const char *source, enum rate what);

/* Whether something is counted. */
bool rates_are_due(const struct rates *r);

/* Adds the parameters of RATES_ADD, and begins to count anew.  r must live until connection_send() returns. */
void rates_params(struct rates *r, struct db_params *p);

/* Frees the memory. */
void rates_finish(struct rates *r);
