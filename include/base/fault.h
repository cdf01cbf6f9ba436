#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/base.h"

/* Why a call failed: one kind, which names who can put it right, and one clause of text for a person.
 *
 * A function that can fail returns bool, writes its results only on success and the fault only on failure.  A fault
 * travels up as this one value and is told once, where it is answered. */

#define FAULT_TEXT_MAX 240 /* bytes with the final NUL; a clause, and a name of 64 bytes quoted in it */

enum fault_kind {
	FAULT_MALFORMED, /* the sender's software must send the form asked for: JSON, a path, an encoding */
	FAULT_INPUT,     /* the sender must change what it sent */
	FAULT_TOO_LARGE, /* the sender must send less */
	FAULT_ABSENT,    /* nothing by that name; sending again will not help */
	FAULT_CONFLICT,  /* that id already stands for something else */
	FAULT_BUSY,      /* a dependency is away; the same call may succeed later */
	FAULT_AGAIN,     /* two transactions met (deadlock, serialisation); the same call may succeed at once */
	FAULT_BUG,       /* we must change our code, or the operator the installation */
};

struct fault {
	enum fault_kind kind;
	char text[FAULT_TEXT_MAX];
};

/* Fills *f and returns false, so that a check is one statement: return fault_set(f, ...).  A text that is too long
 * is cut at a character's edge. */
bool fault_set(struct fault *f, enum fault_kind kind, const char *format, ...) PRINTF_LIKE(3, 4);

#define FAULT_QUOTE_MAX 70 /* 64 bytes of the text, the quotes, "..." where it was cut, and a NUL */

/* A sender's text made fit to stand in a fault: in quotes, cut when it is long, control characters and bytes that are
 * not UTF-8 shown as escapes.  Returns ret. */
const char *fault_quote(const char *text, size_t len, char ret[FAULT_QUOTE_MAX]);

/* The kind's name in lower case, for logs: "input", "busy". */
const char *fault_name(enum fault_kind kind);
