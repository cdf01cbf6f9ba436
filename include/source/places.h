#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/base.h"
#include "base/fault.h"
#include "json/value.h"

/* Where a mapping and a filter find a value.  A place is a text: a JSON pointer (RFC 6901) into an item of the body, or "@"
 * and a pointer into the values of the request, which are an object of texts:
 * {"header": {"x-topic": "paid"}, "query": {"data.id": "7"}, "request": {"id": "6b1f..."}, "body": {"sha256": "9f86..."}}. */

#define PLACE_HEADER "@/header/" /* followed by a name in lower case */
#define PLACE_QUERY "@/query/"   /* followed by the name of a parameter */
#define PLACE_REQUEST_ID "@/request/id"
#define PLACE_BODY_SHA256 "@/body/sha256"
#define PLACE_NAME_MAX 100     /* bytes of the name of a header */
#define PLACE_VALUE_MAX 255    /* bytes of a header's value: no text of a transaction is longer */
#define PLACE_TEXT_MAX 160     /* bytes of place_text() */
#define PLACES_HEADERS_MAX 8   /* headers that one source reads */
#define PLACES_QUERIES_MAX 4   /* parameters of the query */
#define PLACES_VALUES_MAX 8704 /* bytes of the values of a request: all of these, each byte of their values escaped */

/* The values in which one item's places are sought. */
struct places {
	struct json_value item;
	struct json_value request; /* len 0: none is known */
};

/* Those of an item alone. */
static inline struct places places_of(struct json_value item)
{
	return (struct places){.item = item};
}

/* Whether a place is in the item.  "" is no place, and counts as one. */
static inline bool place_is_in_item(const char *at)
{
	return *at != '@';
}

/* The name of the header at a place; NULL: the place is another. */
const char *place_header(const char *at);

/* The name of the parameter at a place; NULL: the place is another. */
const char *place_query(const char *at);

/* Finds the value at a place.  Returns false and leaves *ret alone if there is none.  A header that can be no text of a
 * transaction, since it is too long, is not UTF-8 or has a control character, has the value {}. */
MUST_USE bool place_find(const struct places *in, const char *at, struct json_value *ret);

/* Writes a place as it stands in the configuration, for messages: "/data/id" in quotes, {"header": "x-topic"}.  Returns
 * ret. */
const char *place_text(const char *at, char ret[PLACE_TEXT_MAX]);

/* What a source reads of a request besides its body. */
struct places_wanted {
	int header_count;
	const char *headers[PLACES_HEADERS_MAX]; /* in lower case, each once; borrowed from the source's mappings */
	int query_count;
	const char *queries[PLACES_QUERIES_MAX];
	/* Bits of those that are read in lower case, since they are signed so: otherwise one signed request could be several
	 * events. */
	unsigned lower_headers, lower_queries;
	bool request_id, body_sha256;
	bool has_svix; /* a header of Standard Webhooks may come under Svix's name, and is found under either */
};

/* Adds a place to what is wanted; is_lower: in lower case.  False: there are PLACES_HEADERS_MAX or PLACES_QUERIES_MAX
 * others. */
MUST_USE bool places_want(struct places_wanted *w, const char *at, bool is_lower);

/* Whether anything is wanted: a source for which this is false costs nothing. */
static inline bool places_are_wanted(const struct places_wanted *w)
{
	return w->header_count > 0 || w->query_count > 0 || w->request_id || w->body_sha256;
}

/* A request besides its body. */
struct places_request {
	const char *id; /* different for each request */
	/* Returns the value of a header by its name in lower case; NULL: the request does not have it. */
	const char *(*header)(void *ctx, const char *name);
	void *ctx;
	const char *target; /* path and query; NULL: unknown, and no parameter is there */
};

/* Writes the wanted values of a request into room and sets *ret, which borrows it.  body is what a JSON reader would see.
 * FAULT_BUSY: the SHA-256 could not be calculated.  FAULT_BUG: an id is wanted, and the request has none. */
MUST_USE bool places_write(const struct places_wanted *w, const struct places_request *request, const char *body,
	size_t len, char room[PLACES_VALUES_MAX], struct json_value *ret, struct fault *f);
