#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <json-c/json.h>

/* One HTTP request and its answer, through libcurl on a connection of its own. */

struct call {
	const char *method;         /* NULL: GET, or POST when there is a body */
	const char *target;         /* sent as it is: nothing is encoded or normalised */
	const char *type;           /* Content-Type; NULL: none */
	const char *body;           /* NULL: none */
	size_t len;                 /* bytes of the body; 0: up to its NUL */
	const char *header;         /* one additional header line, or NULL */
	const char *const *headers; /* further header lines, ended by NULL; or NULL */
	const char *from;           /* the client's address; NULL: 127.0.0.1 */
	bool chunked;               /* send the body without a Content-Length */
	int port;                   /* 0: that of the shared instance */
	int timeout_ms;             /* 0: CALL_TIMEOUT_MS */
};

#define CALL_TIMEOUT_MS 10000

struct answer {
	int status;        /* 0: no answer arrived */
	char *head;        /* header lines as received */
	char *body;        /* terminated by a NUL that len does not count */
	size_t len;        /* bytes of body */
	double seconds;    /* from the call to the last byte */
	char trouble[128]; /* why no answer arrived */
};

/* Sends the request.  Never fails the test: *ret reports an error in trouble.  Free the answer with answer_finish(). */
void call_send(const struct call *c, struct answer *ret);
void answer_finish(struct answer *a);

/* A GET; and a POST of a webhook's body as application/json. */
void call_get(const char *target, struct answer *ret);
void call_post(const char *body, struct answer *ret);

/* The same, but returns only the status. */
int call_post_status(const char *body);
int call_get_status(const char *target);

/* Copies the value of a header; its name is compared without case.  Returns false and sets "" if the header is
 * absent. */
bool answer_header(const struct answer *a, const char *name, char *ret, size_t size);

/* Parses the body as JSON.  Returns NULL if it is not JSON.  The caller releases the object with json_object_put(). */
json_object *answer_json(const struct answer *a);

#define WEBHOOK_MAX 2048

/* Writes the body of a valid webhook with this id, which must not need JSON escapes.  The amount is written as it is
 * given. */
const char *webhook(const char *id, const char *amount, const char *currency, char ret[WEBHOOK_MAX]);

/* The same with 1500 USD, which most tests use. */
const char *webhook_simple(const char *id, char ret[WEBHOOK_MAX]);

/* Makes an id that no other test of this run uses: the word, this process's number and a counter. */
const char *fresh_id(const char *word, char ret[64]);
