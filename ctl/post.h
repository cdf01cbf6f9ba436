#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/fault.h"

/* One POST and its answer, for the commands that send: to payhook, or to a program under development.  The call waits, so a
 * command uses it for one request after the other.  Redirects are not followed, and proxies of the environment not used.
 * The certificate of a server at this host is not verified, as it may be for another name or for trials. */

#define POST_LINES_MAX 24           /* header lines of a request */
#define POST_ANSWER_MAX (64 * 1024) /* bytes kept of an answer's body; the rest is not read */
#define POST_WITHIN_MS 30000        /* the longest that a call takes */

/* Borrowed for the call. */
struct post {
	const char *url; /* url_check() accepts it */
	int count;
	const char *line[POST_LINES_MAX]; /* "Name: value" */
	const char *body;
	size_t len;
};

struct post_answer {
	int status;
	int ms;              /* from the call to the end of the answer */
	char type[128];      /* Content-Type; empty: there is none */
	char request_id[64]; /* X-Request-Id; empty: there is none */
	struct buf body;     /* as it came; the caller frees it with post_answer_finish() */
};

/* Makes the call.  Every answer is a success, whatever its status is.  FAULT_BUSY: there is no answer; the text is the
 * reason. */
MUST_USE bool post_send(const struct post *post, struct post_answer *ret, struct fault *f);

void post_answer_finish(struct post_answer *answer);
