#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "call_options.h"
#include "http_loop.h"

/* The token with which this worker calls the processor: OAuth 2.0 client credentials (RFC 6749, 4.4).
 *
 * It is fetched when the worker starts, and again before its life ends, one request at a time however many calls want it.
 * It is in memory only.  While there is none, calls wait for the request under way. */

struct event_base;
struct oauth;

/* Called from the event loop when a request for a token has ended.  why: NULL, or why there is none, a clause that is
 * valid until the next request ends. */
typedef void oauth_ended(void *ctx, const char *why);

/* Begins to fetch a token.  All arguments must outlive it.  NULL: out of memory. */
MUST_USE struct oauth *oauth_create(
	struct event_base *base, struct http_loop *loop, const struct call_options *o, oauth_ended *ended, void *ctx);

/* Cancels the request and wipes the token.  Accepts NULL. */
void oauth_destroy(struct oauth *oa);

/* The header line with the token, "Authorization: Bearer ...", a secret that is valid until the event loop runs again; NULL if
 * there is no token now.  *number becomes the number of this token. */
const char *oauth_line(const struct oauth *oa, int64_t *number);

/* Fetches a token if no request is under way.  Returns NULL: ended() follows; or why the last request failed, less than a
 * second ago, and no other is made yet. */
const char *oauth_want(struct oauth *oa);

/* The processor refused a call with the token of this number (401).  The token is fetched anew, unless that has happened
 * already, or the refused one was itself fetched for a refusal within the last minute.  Returns whether a call with another
 * token follows. */
bool oauth_refused(struct oauth *oa, int64_t number);

/* The processor gave an answer other than 401 or 5xx to a call with the token of this number, so the token is good. */
void oauth_accepted(struct oauth *oa, int64_t number);
