#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/fault.h"
#include "source/source.h"
#include "txn/currency.h"

/* Reads what an operator says about the sources: a strict JSON document (docs/sources/README.md).
 *
 * Every mistake in it is told, with line and pointer.  A secret stands in it by reference only, and nothing that stands
 * where a secret's reference should is ever shown: it might be the secret. */

#define SECRET_MAX (16 * 1024) /* bytes; the longest is a chain of certificates in PEM */

enum secret_place { SECRET_IN_FILE, SECRET_IN_VARIABLE };

/* What the reader needs from outside. */
struct sources_outside {
	const char *file; /* the document's name, for complaints */
	const struct currency_extras *extras;
	/* Adds a secret to ret.  The fault does not show the name. */
	bool (*secret)(void *ctx, enum secret_place place, const char *name, struct buf *ret, struct fault *f);
	void (*report)(void *ctx, const char *complaint);
	void *ctx;
};

/* False: something was complained about; ret is then without secrets, and needs no sources_finish(). */
MUST_USE bool sources_read(const char *text, size_t len, const struct sources_outside *outside, struct sources *ret);
