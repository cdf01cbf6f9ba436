#pragma once

/* One request as bytes on a new connection, and the expected answer. */

enum wire_then {
	KEPT,   /* the connection stays in step: the next request on it gets its own answer */
	CLOSED, /* the server closes the connection at once */
};

struct wire_case {
	const char *what;
	/* Names between two @: LEN and HEX are the length of BODY, a webhook with a fresh id; NUL is a byte; HOOK is
	 * the path to post to; HEAD is a Host line and the Content-Type of JSON. */
	const char *bytes;
	int status; /* 202: BODY is stored, once; otherwise not.  From 400 on the answer is a problem */
	enum wire_then then;
};

/* Sends all requests up to the one that is NULL, while the background sender checks that other clients are served. */
void wire_expect(const struct wire_case *cases);
