#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Reads as much of an HTTP/1.1 response as the bench needs: its status and its end.  Only responses with a
 * Content-Length are understood; nginx sends no other kind here. */

struct response {
	int status;
	bool closes; /* the server closes the connection after it */
};

/* Reads a response at the beginning of len bytes, which a NUL must follow.  Returns the length of the response; 0 if
 * it is not complete yet; -1 if the bytes are no response with a Content-Length. */
int response_read(const char *bytes, size_t len, struct response *ret);
