#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/fault.h"

/* The content coding of a body (RFC 9110, 8.4): none, or gzip. */

enum content_coding { CONTENT_CODING_NONE, CONTENT_CODING_GZIP };

#define CONTENT_CODINGS "gzip, identity" /* those that are taken, as Accept-Encoding names them */

/* Reads the value of a Content-Encoding header; NULL and "": there is none.  "identity" is none, "x-gzip" is gzip.  Returns
 * false and leaves *ret alone for any other coding, and for several. */
MUST_USE bool content_coding_read(const char *header, enum content_coding *ret);

/* Appends what len bytes of gzip decode to, most bytes at most.  The faults are
 *   FAULT_MALFORMED  the bytes are not one whole member of gzip (RFC 1952), or other bytes follow it,
 *   FAULT_TOO_LARGE  there is more than that; decoding stops there,
 *   FAULT_BUSY       there is no memory. */
MUST_USE bool content_coding_gunzip(const char *bytes, size_t len, size_t most, struct buf *ret, struct fault *f);
