#pragma once

#include <stdbool.h>

#include "auth/signer.h"
#include "base/base.h"
#include "base/buf.h"
#include "base/fault.h"
#include "json/config.h"
#include "source/source.h"
#include "txn/currency.h"

/* The secrets of the sources, and the access to files and variables that reading them needs. */

#define SECRET_MAX (16 * 1024) /* bytes; the longest secret is a chain of certificates in PEM */

enum secret_place { SECRET_IN_FILE, SECRET_IN_VARIABLE };

/* The reader's access to files, variables and the log: it opens nothing itself, so tests need none of them. */
struct sources_outside {
	const char *file; /* name of the document, for reports */
	const struct currency_extras *extras;
	/* Appends a secret to ret: the content of the file, or the value of the variable, of this name.  The fault must
	 * not contain the name, since the operator may have written the secret in its place.  NULL: no secret is read,
	 * and no source can verify anything. */
	bool (*secret)(void *ctx, enum secret_place place, const char *name, struct buf *ret, struct fault *f);
	/* Called with one line for each mistake. */
	void (*report)(void *ctx, const char *complaint);
	void *ctx;
};

/* Reads "secrets" of a source, [{"file": path}, {"env": NAME, "not_after": time}], and adds each to the signer, which is
 * that of the source of all that is read.  Mistakes are reported by json_config_complain(), and show neither a secret nor
 * what stands in the place of a reference.  It is one if another source of all has the same secret. */
void sources_secrets_read(const struct json_place *p, const struct sources_outside *outside, const struct sources *all,
	struct signer *ret);

/* Reads "basic", one such reference, and sets it as the HTTP Basic that the signer wants beside its scheme. */
void sources_secrets_read_basic(const struct json_place *p, const struct sources_outside *outside,
	const struct sources *all, struct signer *ret);
