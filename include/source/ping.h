#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/base.h"
#include "source/filter.h"
#include "source/places.h"

/* A ping: a request by which a provider tries an endpoint, often unsigned, before it saves the endpoint.  It is about no
 * event, so it is answered before the signature is looked at, and nothing is stored. */

#define PING_FIELD_MAX 63 /* bytes of the name of a form's field */

enum ping_kind {
	PING_NONE,
	PING_FORM,   /* the body is a form of one field, with a certain name */
	PING_MEMBER, /* the value at a pointer into the body is one of certain words */
	PING_HEADER, /* the value of a header is */
};

struct ping {
	enum ping_kind kind;
	char field[PING_FIELD_MAX + 1];     /* for PING_FORM */
	struct mapping_condition condition; /* for the others; it has words */
};

/* Whether a request is a ping.  The body is that which arrived, all of it. */
bool ping_is(const struct ping *p, const struct places_request *request, const char *content_type, const char *body,
	size_t len);
