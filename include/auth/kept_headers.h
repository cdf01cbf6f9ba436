#pragma once

#include <stddef.h>

#include "auth/signer.h"
#include "base/base.h"

/* The headers of a verified request that are kept with its body: Content-Encoding, as the body is kept as it came; those that the signature scheme reads, so that the
 * request can be verified again, the provider's ids of the event and of its delivery, and User-Agent.
 *
 * No header that could be a credential is kept: not Authorization, Cookie or a usual name of an API key, even if a
 * source of the scheme hmac names one of them as its header. */

#define KEPT_HEADERS_MAX 2048     /* bytes of the JSON object; the headers of a request of PayPal's take some 900 */
#define KEPT_CONTENT_TYPE_MAX 255 /* bytes */

struct kept_headers {
	char content_type[KEPT_CONTENT_TYPE_MAX + 1];
	char json[KEPT_HEADERS_MAX + 1]; /* an object of texts, by name in lower case: {"user-agent":"Stripe/1.0"} */
};

/* Writes *ret.  signer is that of the source; NULL: its webhooks are not signed.  header returns the value of a header
 * by its name in lower case, NULL if the request does not have it.
 *
 * A value is left out, and never cut, if it is empty, is not UTF-8, has a control character, or would make the object
 * longer than KEPT_HEADERS_MAX bytes; Content-Encoding and those of the signature come first.  A Content-Type to which that applies, or of
 * more than KEPT_CONTENT_TYPE_MAX bytes, is kept as "application/json". */
void kept_headers_write(struct kept_headers *ret, const struct signer *signer, const char *content_type,
	const char *(*header)(void *ctx, const char *name), void *ctx);

/* Adds further headers to those that were written, by their names in lower case: those that the mappings of a source read.  What
 * is a credential, has no room, or is there already is left out. */
void kept_headers_add_names(struct kept_headers *kept, const struct signer *signer, const char *const names[],
	int count, const char *(*header)(void *ctx, const char *name), void *ctx);

/* The name under which parameters of the query are kept, as they stand in a target: "?data.id=7".  It is no name of a
 * header, so that it is never sent as one. */
#define KEPT_QUERY "?"

/* Adds the parameters of the query that the signature covers, and those of these names, which the mappings of a source read; no
 * others, since they may be credentials.  signer may be NULL. */
void kept_headers_add_query(struct kept_headers *kept, const struct signer *signer, const char *const names[],
	int count, const char *target);
