#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/base.h"
#include "source/source.h"
#include "source/sources_secrets.h"

/* Reads the operator's list of sources, a strict JSON document (docs/sources/README.md).
 *
 * Mistakes are reported with the file, the line and the JSON pointer, all that are found in one run.  Members that
 * depend on a wrong one are not read (sources_read.c).  The document contains references to secrets, never a secret
 * itself.  A value in the place of a reference is not shown in a report, since it may be the secret. */

/* Reads the list and adds the built-in source if it is not listed.  Returns false if there was a mistake; *ret is then
 * empty and needs no sources_finish(). */
MUST_USE bool sources_read(const char *text, size_t len, const struct sources_outside *outside, struct sources *ret);
