#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

/* Writes JSON documents at random, by RFC 8259's grammar and with no parser's help.  The same seed writes the same. */

/* What a document has on purpose that a reader may mean to refuse. */
enum quirk {
	QUIRK_ARRAY = 1 << 0,     /* an array at the top */
	QUIRK_DEEP = 1 << 1,      /* more than JSON_DEPTH_MAX levels */
	QUIRK_TWICE = 1 << 2,     /* a name twice in one object, written in two ways maybe */
	QUIRK_NUL = 1 << 3,       /* \u0000 */
	QUIRK_SURROGATE = 1 << 4, /* half of a surrogate pair, as an escape */
	QUIRK_HUGE = 1 << 5,      /* a number beyond a double */
	QUIRK_MARK = 1 << 6,      /* a byte order mark */
};

struct author {
	uint64_t state; /* the seed */
	struct buf *out;
	unsigned quirks; /* of the document that is written; most have none */
	int depth;
};

/* A number from 0 to limit - 1. */
unsigned author_below(struct author *a, unsigned limit);

/* Writes a whole document; a->quirks says what it has. */
void author_write(struct author *a, struct buf *out);
