#pragma once

#include <stdbool.h>
#include <stddef.h>

/* FastCGI records as an attacker would forge them.  They are sent inside bodies; no responder may ever interpret them
 * as records. */

enum record_type { BEGIN_REQUEST = 1, ABORT_REQUEST = 2, PARAMS = 4, STDIN = 5, GET_VALUES = 9 };

enum forgery {
	FORGED_PLAINLY,     /* a request with the responder role, keeping the connection */
	FORGED_LAST,        /* the same without keeping the connection */
	FORGED_AUTHORIZER,  /* with the authorizer role */
	FORGED_FILTER,      /* with the filter role and a DATA stream */
	FORGED_AFTER_ABORT, /* preceded by an ABORT_REQUEST for the current request */
	FORGED_AFTER_END,   /* preceded by the ends of the current request's streams */
	FORGED_SECOND,      /* with request id 2 while 1 is in progress */
	FORGED_PADDED,      /* with 7 bytes of padding after each record */
	FORGED_TWICE,       /* BEGIN_REQUEST twice */
	FORGED_VALUES,      /* preceded by an FCGI_GET_VALUES that names each value 20 times, which crashes libfcgi */
	FORGERIES
};

#define FORGED_MOST 4096

/* Writes one record to the given place.  Returns its length. */
size_t record_add(char *at, enum record_type type, int request, const char *content, size_t len);

/* Writes a request that would store a transaction with this id.  Returns its length, at most FORGED_MOST bytes. */
size_t fcgi_forgery(char *at, enum forgery kind, const char *id);

/* Fills a whole body: from byte shift on records that a reader skips, then the forged request.  Wherever libfcgi
 * continues to read, it finds the request if it starts on the edge of a record, and one of the FORGED_SHIFTS shifts
 * makes that true.  If the body is too short for the request, the request is cut. */
void fcgi_forgery_body(char *body, size_t len, int shift, enum forgery kind, const char *id);

#define FORGED_SHIFTS 16
