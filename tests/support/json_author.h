#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

/* Writes random JSON documents by the grammar of RFC 8259, without the help of any parser.  The same seed writes the
 * same document. */

/* Deliberate properties of a document that a parser may reject. */
enum quirk {
	QUIRK_ARRAY = 1 << 0,     /* an array at the top */
	QUIRK_DEEP = 1 << 1,      /* more than JSON_DEPTH_MAX levels */
	QUIRK_TWICE = 1 << 2,     /* a name twice in one object, possibly written in two ways */
	QUIRK_NUL = 1 << 3,       /* \u0000 */
	QUIRK_SURROGATE = 1 << 4, /* half of a surrogate pair, as an escape */
	QUIRK_HUGE = 1 << 5,      /* a number beyond a double */
	QUIRK_MARK = 1 << 6,      /* a byte order mark */
};

struct author {
	uint64_t state; /* the seed, at first */
	struct buf *out;
	unsigned quirks; /* of the document that was written last; most have none */
	int depth;
};

/* A random number from 0 to limit - 1. */
unsigned author_below(struct author *a, unsigned limit);

/* Writes a whole document; a->quirks then has its properties. */
void author_write(struct author *a, struct buf *out);
