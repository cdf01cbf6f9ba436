#pragma once

#include <stdbool.h>

#include "base/base.h"
#include "source/source.h"
#include "txn/currency.h"

/* The sources of this process: the operator's file, and the secrets that it names. */

/* Reads the file; an empty path is the built-in source alone, open.  Whatever is wrong is told, and the result false.
 * A relative path of a secret begins in the file's folder.  Variables that held a secret are overwritten afterwards: the
 * file can be read once. */
MUST_USE bool sources_load(const char *path, const struct currency_extras *extras,
	void (*report)(const char *complaint), struct sources *ret);
