#pragma once

#include <stdbool.h>

#include "base/base.h"
#include "base/fault.h"

/* Text files of less than 1 MiB, read and written whole. */

/* Reads a file into a string, which the caller frees.  NULL: *f has the reason.  A longer file is cut. */
MUST_USE char *text_read(const char *path, struct fault *f);

/* Creates or replaces a file. */
MUST_USE bool text_write(const char *path, const char *text, struct fault *f);

/* Replaces each occurrence of what in *text, which was allocated, by another text.  *text is reallocated if there is
 * any.  Returns the number of occurrences; -1: the result would be too long, or memory is exhausted. */
int text_replace(char **text, const char *what, const char *by);
