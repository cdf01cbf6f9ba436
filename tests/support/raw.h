#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "support/client.h"

/* A connection that sends what no HTTP library would, and reads what comes back answer by answer. */

#define RAW_MAX (256 * 1024)

struct raw {
	int fd;
	bool has_ended; /* the other side closed */
	bool is_head;   /* the next answer is one to HEAD: its length is another's */
	size_t len;     /* bytes received and not yet taken as answers */
	char bytes[RAW_MAX];
};

/* A socket connected to the shared instance; the second: from this address of the loopback network. */
int raw_connect(void);
int raw_connect_from(const char *address);

/* The same with room for answers.  The struct is large: keep it static. */
void raw_open(struct raw *r);
void raw_open_from(struct raw *r, const char *address);
void raw_close(struct raw *r);

/* False: the other side took no more. */
bool raw_send(struct raw *r, const char *bytes, size_t len);
bool raw_send_text(struct raw *r, const char *text);

/* Takes the next whole answer (by its Content-Length; none is an empty body).  False: the connection ended or the
 * deadline passed before; ret is then empty.  answer_finish() frees it. */
bool raw_answer(struct raw *r, struct answer *ret, int timeout_ms);

/* Waits until the other side closes.  False: it did not by the deadline.  What came meanwhile stays in bytes. */
bool raw_wait_end(struct raw *r, int timeout_ms);
