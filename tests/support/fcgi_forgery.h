#pragma once

#include <stdbool.h>
#include <stddef.h>

/* FastCGI as a sender would forge it: records that a responder must never read as such. */

enum record_type { BEGIN_REQUEST = 1, ABORT_REQUEST = 2, PARAMS = 4, STDIN = 5, GET_VALUES = 9 };

enum forgery {
	FORGED_PLAINLY,     /* a request of the responder's role, its connection kept */
	FORGED_LAST,        /* the connection not kept */
	FORGED_AUTHORIZER,  /* another role */
	FORGED_FILTER,      /* another role, with a DATA stream */
	FORGED_AFTER_ABORT, /* after an ABORT_REQUEST for the one before */
	FORGED_AFTER_END,   /* after the ends of the one before's streams */
	FORGED_SECOND,      /* under the request id 2, beside 1 */
	FORGED_PADDED,      /* each record followed by 7 bytes of padding */
	FORGED_TWICE,       /* BEGIN_REQUEST twice */
	FORGED_VALUES,      /* behind an FCGI_GET_VALUES that names each value 20 times, at which libfcgi dies */
	FORGERIES
};

#define FORGED_MOST 4096

/* One record at this place.  Returns its length. */
size_t record_add(char *at, enum record_type type, int request, const char *content, size_t len);

/* A request, of FORGED_MOST bytes at most, that would store a transaction of this id.  Returns its length. */
size_t fcgi_forgery(char *at, enum forgery kind, const char *id);

/* A whole body: records that are skipped, from the byte shift on, and then the forged request, so that it is found wherever
 * reading goes on, if that falls on the edge of a record.  One shift in FORGED_SHIFTS does.  Where the body is too short
 * for the request, its end is missing. */
void fcgi_forgery_body(char *body, size_t len, int shift, enum forgery kind, const char *id);

#define FORGED_SHIFTS 16
