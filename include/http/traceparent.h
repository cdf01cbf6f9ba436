#pragma once

#include <stdbool.h>

#include "base/base.h"

/* The traceparent header of W3C Trace Context, Level 2 (https://www.w3.org/TR/trace-context-2/): the trace that a
 * request belongs to.
 *
 *	00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01
 *	version, trace-id, parent-id (the sender's span), flags
 *
 * An invalid header is ignored, as the specification requires.  It is never an error of the request. */

/* Characters, without a NUL. */
#define TRACEPARENT_LEN 55
#define TRACE_ID_LEN 32
#define SPAN_ID_LEN 16

struct traceparent {
	char text[TRACEPARENT_LEN + 1]; /* always in version 00; "" if there is none */
};

/* Reads a header's value.  A later version is read as version 00 and its further fields are dropped, as the
 * specification requires.  The flag "sampled" is kept, and "random" if the version is 00; the other flags become zero.
 * Returns false, with "" in *ret, if the header is invalid. */
bool traceparent_parse(const char *value, struct traceparent *ret);

/* Makes the header of a call to a processor in the same trace: trace-id and flags of the parent, and a new span.
 * span_id is 16 lowercase hexadecimal digits, of which one should not be zero; it is not checked.  Returns false, with
 * "" in *ret, if parent is NULL or invalid. */
bool traceparent_child(const char *parent, const char span_id[SPAN_ID_LEN + 1], struct traceparent *ret);

/* Writes the trace-id of a header that traceparent_parse() has accepted, for a log line; "" for NULL and for a text of
 * another length.  Returns ret. */
const char *traceparent_trace_id(const char *traceparent, char ret[TRACE_ID_LEN + 1]);

/* The same, in memory that is valid to the end of the enclosing block. */
#define TRACE_ID(traceparent) traceparent_trace_id((traceparent), (char[TRACE_ID_LEN + 1]){0})
