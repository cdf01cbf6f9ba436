#pragma once

#include <stdbool.h>

#include "base/base.h"
#include "source/source.h"
#include "txn/currency.h"

/* Reads the sources from the operator's file (setting SOURCES_FILE), with the secrets to which it refers.  An empty
 * path yields the built-in source alone, without a signature scheme.
 *
 * A relative path of a secret is resolved against the directory of the file.  The values of environment variables that
 * held a secret are overwritten in this process's environment afterwards, so a file that refers to variables can be
 * loaded only once.
 *
 * Calls report with one line for each mistake, an unreadable file included.  Returns false if there was a mistake; *ret
 * then has no secrets and must not be used.  Otherwise the caller frees them with sources_finish(). */
MUST_USE bool sources_load(const char *path, const struct currency_extras *extras,
	void (*report)(const char *complaint), struct sources *ret);

/* The same without the secrets, which are not opened: for mappings alone.  "-" is standard input. */
MUST_USE bool sources_load_mappings(const char *path, const struct currency_extras *extras,
	void (*report)(const char *complaint), struct sources *ret);
