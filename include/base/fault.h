#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/base.h"

/* Why a call failed: a kind, which names the party that can correct the problem, and one clause of text.
 *
 * A function that can fail returns bool.  It writes its results only on success and the fault only on failure, unless
 * its header states otherwise.  A fault travels up the call chain as one value and is logged once, where the request or
 * the job is answered. */

#define FAULT_TEXT_MAX 240 /* bytes with the NUL: a clause that quotes a name of 64 bytes */

enum fault_kind {
	FAULT_MALFORMED, /* the sender's software must use the right form: JSON, a path, an encoding */
	FAULT_INPUT,     /* the form is right; the sender must change a value */
	FAULT_TOO_LARGE, /* the sender must send less */
	FAULT_ABSENT,    /* nothing has that name; sending again does not help */
	FAULT_CONFLICT,  /* the id already belongs to a different transaction */
	FAULT_BUSY,      /* a dependency is unavailable; the same call may succeed later */
	FAULT_AGAIN,     /* deadlock or serialization failure; the same call may succeed at once */
	FAULT_BUG,       /* payhook has a bug, or the operator must change the installation */
};

struct fault {
	enum fault_kind kind;
	char text[FAULT_TEXT_MAX];
};

/* fault_set(f, kind, format, ...) fills *f and is false, so that a check is one statement: return fault_set(f, ...).  A
 * text of FAULT_TEXT_MAX bytes or more is truncated between two UTF-8 characters.  The arguments may point into *f.  It
 * is a macro, so that clang's analyzer sees in the caller that the result is false. */
#define fault_set(...) (fault_write(__VA_ARGS__), fault_false())

/* The two parts of fault_set(). */
void fault_write(struct fault *f, enum fault_kind kind, const char *format, ...) PRINTF_LIKE(3, 4);
static inline bool fault_false(void)
{
	return false;
}

#define FAULT_QUOTE_MAX 70 /* bytes: 64 of the text, two quotes, "..." after a truncation, and a NUL */

/* Prepares a sender's text for a fault or a log line.  The text is put in quotes and truncated after 64 bytes; control
 * characters are written as \u001b, bytes that are not UTF-8 as \xff.  Quotes and backslashes in it stay as they are,
 * so the result is for people, not for a parser.  Returns ret. */
const char *fault_quote(const char *text, size_t len, char ret[FAULT_QUOTE_MAX]);
