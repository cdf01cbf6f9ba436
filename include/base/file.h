#pragma once

#include <stdbool.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/fault.h"

/* Appends a file to a buffer, up to the buffer's maximum.  A longer file is not an error: a caller that accepts N bytes
 * passes a buffer of N + 1 and compares the length.
 *
 * FAULT_INPUT means that the file cannot be opened or read, or that there is no memory.  Its text gives the reason
 * without the path; the caller adds the setting that names the file.  *ret may then hold a part of the file.
 *
 * The bytes of the file are in the buffer and nowhere else, so wiping the buffer wipes every copy. */
MUST_USE bool file_read(const char *path, struct buf *ret, struct fault *f);
