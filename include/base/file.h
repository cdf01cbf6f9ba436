#pragma once

#include <stdbool.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/fault.h"

/* Adds a file to a buffer, as far as the buffer's maximum: whoever takes N bytes at most gives one of N + 1, and sees by
 * its length that there are more.  FAULT_INPUT: the file cannot be opened or read; the fault says why, without its path.
 * No bytes of the file stay in other memory than the buffer's. */
MUST_USE bool file_read(const char *path, struct buf *ret, struct fault *f);
