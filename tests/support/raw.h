#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "support/client.h"

/* A connection for requests that no HTTP library would send.  Answers are read one by one. */

#define RAW_MAX (256 * 1024)

struct raw {
	int fd;
	bool has_ended; /* the server has closed the connection */
	bool is_head;   /* the next answer is one to HEAD: its Content-Length describes a body that is not sent */
	size_t len;     /* bytes received and not yet taken as answers */
	char bytes[RAW_MAX];
};

/* Connects a socket to the shared instance; the second from this address of the loopback network. */
int raw_connect(void);
int raw_connect_from(const char *address);

/* The same with a buffer for answers.  The struct is large: keep it static. */
void raw_open(struct raw *r);
void raw_open_from(struct raw *r, const char *address);
void raw_close(struct raw *r);

/* Returns false if the server accepted no more bytes. */
bool raw_send(struct raw *r, const char *bytes, size_t len);
bool raw_send_text(struct raw *r, const char *text);

/* Takes the next complete answer, by its Content-Length; without one the body is empty.  Returns false with an empty
 * ret if the connection ended or the deadline passed before.  Free the answer with answer_finish(). */
bool raw_answer(struct raw *r, struct answer *ret, int timeout_ms);

/* Waits until the server closes the connection; returns false if it has not by the deadline.  Bytes that arrive
 * meanwhile are kept in bytes. */
bool raw_wait_end(struct raw *r, int timeout_ms);
