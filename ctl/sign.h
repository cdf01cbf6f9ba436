#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/fault.h"
#include "source/source.h"

/* Signs a request as the provider of a source would, with the source's own secret. */

#define SENDING_HEADERS_MAX 20
#define SENDING_NAME_MAX 256
#define SENDING_VALUE_MAX 1024

struct sending_header {
	char name[SENDING_NAME_MAX]; /* in lower case */
	char value[SENDING_VALUE_MAX];
};

struct sending {
	int count;
	struct sending_header header[SENDING_HEADERS_MAX];
	const char *target; /* path and query; of its owner, as is body */
	struct buf body;
};

/* Sets a header, in the place of one with this name.  A value that is too long is cut; what does not fit is left out. */
void sending_set(struct sending *s, const char *name, const char *value);

/* The value of a header, by its name in lower case; NULL: it has none. */
const char *sending_header(const struct sending *s, const char *name);

/* Texts of the source's secrets, for what is sent as it is; empty: there is none. */
struct sign_secrets {
	const char *first; /* of "secrets" */
	const char *basic; /* "user:password" beside another scheme */
};

/* Signs it as of a time, Unix time: sets the headers of the scheme; of Adyen's, writes the signatures into the body.  An
 * unsigned source needs none.  is_bad: each signature has one wrong bit.
 *
 * FAULT_INPUT: the source has no secret by which that is possible; *s is then of no use. */
MUST_USE bool sign_request(struct sending *s, const struct source *source, const struct sign_secrets *secrets,
	int64_t time_s, bool is_bad, struct fault *f);
