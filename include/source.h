#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base.h"
#include "mapping.h"
#include "signature.h"
#include "signer.h"

/* A source: a processor that sends to us, how we know that it is the sender, and how it tells a transaction. */

#define SOURCE_NAME_MAX 64
#define SOURCES_MAX 32
#define SOURCE_BUILT_IN "transactions" /* is always there, and speaks our own body */

enum source_door {
	SOURCE_OPEN,   /* whoever reaches the port may send */
	SOURCE_SIGNED, /* only what the signer's secrets have signed is taken */
	SOURCE_CLOSED, /* as if it were not there; of use for the built-in one */
};

struct source {
	char name[SOURCE_NAME_MAX + 1]; /* lower case letters, digits, hyphens */
	enum source_door door;
	struct signer signer; /* of a signed one */
	struct mapping mapping;
};

struct sources {
	int count;
	struct source list[SOURCES_MAX];
};

/* The built-in source alone, open. */
void sources_init(struct sources *s);

/* Wipes the secrets. */
void sources_finish(struct sources *s);

/* Whether a source may have this name: 1 to SOURCE_NAME_MAX lower case letters, digits and hyphens. */
bool source_name_valid(const char *name);

/* NULL: there is none of that name, or it is closed. */
const struct source *sources_find(const struct sources *s, const char *name);

/* Whether a request to a source that is not open was signed by it.  For Adyen's, which signs fields, the body is scanned
 * strictly first, and each of its items has to be signed.  As signature_verify() else. */
MUST_USE bool source_verify(
	const struct source *s, const struct signature_request *request, int64_t now_s, struct signature_report *ret);
