#pragma once

#include <stdbool.h>

#include "base/base.h"
#include "base/fault.h"

/* Small text files, read whole, changed, and written again. */

/* The caller frees it; NULL: *f says why. */
MUST_USE char *text_read(const char *path, struct fault *f);
MUST_USE bool text_write(const char *path, const char *text, struct fault *f);

/* Replaces each occurrence; *text is freed and made anew.  Returns how many there were; -1: out of memory. */
int text_replace(char **text, const char *what, const char *by);
