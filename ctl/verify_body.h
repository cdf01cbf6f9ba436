#pragma once

#include <stddef.h>

#include "base/fault.h"
#include "source/places.h"
#include "source/source.h"
#include "txn/currency.h"

/* The body of a captured request, without its content coding. */
struct verify_body {
	const struct source *source;
	const struct currency_extras *extras;
	const struct places_request *request;
	const char *bytes;
	size_t len;
};

/* Prints the transactions of the body, or why they cannot be read, and how a responder answers the webhook if its signature is
 * right. */
void verify_body_print(const struct verify_body *b);

/* Prints the answer to a body that cannot be decoded or opened. */
void verify_body_refuse(const struct source *source, const struct fault *f);
