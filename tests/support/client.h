#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <json-c/json.h>

/* One HTTP request, one answer, through libcurl on a connection of its own. */

struct call {
	const char *method;         /* NULL: GET, or POST when there is a body */
	const char *target;         /* sent as it stands: nothing is encoded or tidied */
	const char *type;           /* Content-Type; NULL: none */
	const char *body;           /* NULL: none */
	size_t len;                 /* bytes of the body; 0: as far as its NUL */
	const char *header;         /* one more header line, or NULL */
	const char *const *headers; /* and more of them, NULL ends; or NULL */
	const char *from;           /* the sender's address; NULL: 127.0.0.1 */
	bool chunked;               /* the body without a Content-Length */
	int port;                   /* 0: the shared instance's */
	int timeout_ms;             /* 0: CALL_TIMEOUT_MS */
};

#define CALL_TIMEOUT_MS 10000

struct answer {
	int status;        /* 0: no answer came */
	char *head;        /* header lines as received */
	char *body;        /* ends in a NUL that len does not count */
	size_t len;        /* bytes of body */
	double seconds;    /* from the call to the last byte */
	char trouble[128]; /* why no answer came */
};

/* Never fails: what went wrong stands in the answer.  answer_finish() frees it. */
void call_send(const struct call *c, struct answer *ret);
void answer_finish(struct answer *a);

/* A GET, and a POST of a webhook's body as application/json. */
void call_get(const char *target, struct answer *ret);
void call_post(const char *body, struct answer *ret);

/* The status alone, for when nothing else matters. */
int call_post_status(const char *body);
int call_get_status(const char *target);

/* The value of a header, its name in any case.  False and empty: it is not there. */
bool answer_header(const struct answer *a, const char *name, char *ret, size_t size);

/* The body read as JSON; NULL when it is none.  The caller puts it. */
json_object *answer_json(const struct answer *a);

#define WEBHOOK_MAX 2048

/* A valid webhook's body under this id, which must need no escapes; amount stands as it is given. */
const char *webhook(const char *id, const char *amount, const char *currency, char ret[WEBHOOK_MAX]);

/* The same with 1500 USD, what most tests want. */
const char *webhook_simple(const char *id, char ret[WEBHOOK_MAX]);

/* An id that no other test of this run uses: the word with this process's number and a count. */
const char *fresh_id(const char *word, char ret[64]);
