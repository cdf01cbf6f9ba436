#pragma once

#include <stdbool.h>

#include "base/base.h"
#include "json/config.h"

/* How a source answers a webhook that it has taken.  Providers differ in what they count as received: some take any 2xx,
 * some 200 alone, some an empty body or a certain text. */

#define ANSWER_BODY_MAX \
	1023 /* bytes: an acknowledgement is a word or a small document, and each source has room for one */
#define ANSWER_TYPE_MAX 127 /* bytes */

struct source_answer {
	int status;    /* 200, 202 or 204; 0: not configured, and the outcome decides */
	bool has_body; /* body and type are the answer's; otherwise it has payhook's own, if its status has one */
	char body[ANSWER_BODY_MAX + 1];
	char type[ANSWER_TYPE_MAX + 1]; /* Content-Type: printable ASCII, so that it cannot end a header */
};

/* Reads "answer": 200, 202 or 204, or {"status": 200, "body": text, "type": "text/plain"}.  The member may be absent.
 * Mistakes are reported by json_config_complain(); *ret must not be used if there was one. */
void sources_answer_read(const struct json_place *p, struct source_answer *ret);
