#pragma once

/* One request as bytes on a connection of its own, and what must come of it. */

enum wire_then {
	KEPT,   /* the connection is in step: the next request on it gets its own answer */
	CLOSED, /* the other side closes at once */
};

struct wire_case {
	const char *what;
	/* Between two @: LEN and HEX are the length of BODY, a webhook with an id of its own; NUL is a byte; HOOK is the path
	 * to post to; HEAD is a Host and the Content-Type of JSON, as lines. */
	const char *bytes;
	int status; /* 202: BODY is stored, once; of any other answer it is not, and one of 400 and more is a problem */
	enum wire_then then;
};

/* Ends where what is NULL.  An honest sender (background_sender.h) is served all the while. */
void wire_expect(const struct wire_case *cases);
