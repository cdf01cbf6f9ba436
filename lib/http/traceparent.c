/* traceparent.c - reads and makes the traceparent header of W3C Trace Context.
 *
 * The header comes from the provider and goes to the job's row, to log lines and to the processor.  It is therefore
 * normalized as soon as it is received: a text in struct traceparent has exactly one form.  tracestate is not handled,
 * and spans are neither recorded nor exported. */

#include "http/traceparent.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/ascii.h"

/* Offset of each field; a dash precedes every field but the first. */
#define AT_TRACE_ID 3
#define AT_SPAN_ID 36
#define AT_FLAGS 53

/* Flags of version 00, Level 2. */
#define SAMPLED 0x01u
#define RANDOM 0x02u

/* Lowercase only: the specification makes uppercase digits invalid. */
static bool is_hex(const char *s, size_t len)
{
	return strspn(s, "0123456789abcdef") >= len;
}

static bool is_zero(const char *s, size_t len)
{
	return strspn(s, "0") >= len;
}

/* Whether the four fields have their form.  A text that is too short is not read past its NUL, because a NUL is neither
 * a digit nor a dash and ends the chain of checks. */
static bool has_fields(const char *s)
{
	return is_hex(s, 2) && s[2] == '-' && is_hex(s + AT_TRACE_ID, TRACE_ID_LEN) && s[AT_SPAN_ID - 1] == '-' &&
	       is_hex(s + AT_SPAN_ID, SPAN_ID_LEN) && s[AT_FLAGS - 1] == '-' && is_hex(s + AT_FLAGS, 2);
}

bool traceparent_parse(const char *value, struct traceparent *ret)
{
	ret->text[0] = '\0';
	if (!has_fields(value) || is_zero(value + AT_TRACE_ID, TRACE_ID_LEN) ||
		is_zero(value + AT_SPAN_ID, SPAN_ID_LEN))
		return false;
	/* Version ff is reserved.  Version 00 ends after the flags; a later one may go on, after a dash. */
	bool is_00 = is_zero(value, 2);
	char behind = value[TRACEPARENT_LEN];
	if (strncmp(value, "ff", 2) == 0 || (behind != '\0' && (is_00 || behind != '-')))
		return false;
	unsigned flags = (unsigned)ascii_hex(value + AT_FLAGS, 2) & (is_00 ? SAMPLED | RANDOM : SAMPLED);
	snprintf(ret->text, sizeof ret->text, "00%.*s%02x", AT_FLAGS - 2, value + 2, flags);
	return true;
}

bool traceparent_child(const char *parent, const char span_id[SPAN_ID_LEN + 1], struct traceparent *ret)
{
	if (!traceparent_parse(parent ? parent : "", ret))
		return false;
	memcpy(ret->text + AT_SPAN_ID, span_id, SPAN_ID_LEN);
	return true;
}

const char *traceparent_trace_id(const char *traceparent, char ret[TRACE_ID_LEN + 1])
{
	size_t len = traceparent && strlen(traceparent) == TRACEPARENT_LEN ? TRACE_ID_LEN : 0;
	if (len > 0)
		memcpy(ret, traceparent + AT_TRACE_ID, len);
	ret[len] = '\0';
	return ret;
}
