#pragma once

#include <stdbool.h>

#include "base/base.h"

/* W3C Trace Context: the header by which a request names the trace it belongs to.
 *
 *	00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01
 *	version, trace-id, parent-id (the sender's span), flags
 *
 * A sender's header counts or is ignored; it is never an error. */

#define TRACEPARENT_LEN 55
#define TRACE_ID_LEN 32
#define SPAN_ID_LEN 16

struct traceparent {
	char text[TRACEPARENT_LEN + 1]; /* of version 00; "": there is none */
};

/* Reads a header's value.  Of a later version, what version 00 knows is read, as the specification asks; of the flags,
 * sampled and random (of version 00 only) are kept, the others become zero.  False, and "": it does not count. */
bool traceparent_parse(const char *value, struct traceparent *ret);

/* What a call that we make in this trace says: the same trace-id and flags, and a span of our own.  False, and "":
 * parent, which may be NULL, does not count. */
bool traceparent_child(const char *parent, const char span_id[SPAN_ID_LEN + 1], struct traceparent *ret);

/* The trace-id of one that was parsed, for a log line; "" of none: NULL, or another length.  Returns ret. */
const char *traceparent_trace_id(const char *traceparent, char ret[TRACE_ID_LEN + 1]);

/* The same, in memory of the block that it stands in. */
#define TRACE_ID(traceparent) traceparent_trace_id((traceparent), (char[TRACE_ID_LEN + 1]){0})
