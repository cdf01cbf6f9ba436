#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "pg/db.h"

/* Validation errors that wait to be recorded for the operator: webhooks answered 400, 413, 415 or 422.  They become rows
 * of payhook.invalid_webhooks, read through the view validation_errors.  auth_failures.h sends them.
 *
 * Anyone can send what has no signature, so those errors have places of their own, and so has each source: no flood
 * keeps the errors of another source, or those of verified webhooks, from being recorded. */

#define VALIDATION_ERRORS_WAITING_MAX 100  /* verified ones, and as many others */
#define VALIDATION_ERRORS_OF_SOURCE_MAX 20 /* of them from one source */
#define VALIDATION_ERROR_PROBLEMS_MAX 511  /* bytes; the check of the table has the same bound */
#define VALIDATION_ERROR_COLUMNS 7

/* One validation error.  A text is cut and made printable as those of an auth failure. */
struct validation_error {
	const char *source;     /* its name, 64 bytes kept */
	bool is_verified;       /* the signature had been verified */
	int status;             /* of the answer */
	const char *problems;   /* pointers and codes, without values */
	const char *address;    /* of the client, 64 bytes kept; NULL or "": unknown */
	const char *request_id; /* 32 bytes kept; NULL or "": none */
};

/* One that waits, its texts already cut and made printable. */
struct validation_error_waiting {
	int status;
	int64_t since_us; /* clock_us() */
	char source[65], problems[VALIDATION_ERROR_PROBLEMS_MAX + 1], address[65], id[33];
};

/* All that wait; a new one is all zero. */
struct validation_errors {
	int count[2]; /* of those without and with a verified signature, each oldest first */
	struct validation_error_waiting waiting[2][VALIDATION_ERRORS_WAITING_MAX];
	struct db_array columns[VALIDATION_ERROR_COLUMNS];
};

/* Records them; auth_failures.c sends it. */
extern const struct statement VALIDATION_ERRORS_RECORD;

/* Copies *error.  False: there is no place for it. */
MUST_USE bool validation_errors_add(struct validation_errors *all, const struct validation_error *error);

int validation_errors_count(const struct validation_errors *all);

/* The parameters of the statement: all that wait.  *all must live until connection_send() returns. */
void validation_errors_params(struct validation_errors *all, struct db_params *ret);

/* Forgets all that wait, and returns how many there were. */
int validation_errors_empty(struct validation_errors *all);

/* Frees the memory of the parameters. */
void validation_errors_finish(struct validation_errors *all);
