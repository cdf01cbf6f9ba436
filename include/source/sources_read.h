#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/fault.h"
#include "source/source.h"
#include "txn/currency.h"

/* Reads the operator's list of sources, a strict JSON document (docs/sources/README.md).
 *
 * Mistakes are reported with the file, the line and the JSON pointer, all that are found in one run.  Members that
 * depend on a wrong one are not read (sources_read.c).  The document contains references to secrets, never a secret
 * itself.  A value in the place of a reference is not shown in a report, since it may be the secret. */

#define SECRET_MAX (16 * 1024) /* bytes; the longest secret is a chain of certificates in PEM */

enum secret_place { SECRET_IN_FILE, SECRET_IN_VARIABLE };

/* The reader's access to files, variables and the log: it opens nothing itself, so tests need none of them. */
struct sources_outside {
	const char *file; /* name of the document, for reports */
	const struct currency_extras *extras;
	/* Appends a secret to ret: the content of the file, or the value of the variable, of this name.  The fault must
	 * not contain the name, since the operator may have written the secret in its place. */
	bool (*secret)(void *ctx, enum secret_place place, const char *name, struct buf *ret, struct fault *f);
	/* Called with one line for each mistake. */
	void (*report)(void *ctx, const char *complaint);
	void *ctx;
};

/* Reads the list and adds the built-in source if it is not listed.  Returns false if there was a mistake; *ret is then
 * empty and needs no sources_finish(). */
MUST_USE bool sources_read(const char *text, size_t len, const struct sources_outside *outside, struct sources *ret);
