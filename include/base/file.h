#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/fault.h"

/* Appends a file to a buffer, up to the buffer's maximum.  A longer file is not an error: a caller that accepts N bytes
 * passes a buffer of N + 1 and compares the length.
 *
 * FAULT_INPUT means that the file cannot be opened or read, that it begins with a byte order mark, or that there is no
 * memory.  Its text gives the reason without the path; the caller adds the setting that names the file.  *ret may then
 * hold a part of the file.
 *
 * The bytes of the file are in the buffer and nowhere else, so wiping the buffer wipes every copy. */
MUST_USE bool file_read(const char *path, struct buf *ret, struct fault *f);

/* Refuses the content of a file if it begins with a byte order mark, of UTF-8 or UTF-16.  file_read() does this; it is here
 * for what is read in another way.  A mark is invisible in editors, and would be a part of the first secret or name. */
MUST_USE bool file_check_mark(const char *text, size_t len, struct fault *f);
