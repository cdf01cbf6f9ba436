#pragma once

#include "service.h"
#include "source/source.h"

/* Whether webhooks of this source need transmission_check(): their scheme signs an id and less than the body. */
bool transmission_is_needed(const struct source *source);

/* Continues with a webhook with a verified signature: passes it to submission_accept() if its body is the first
 * one that came with its transmission id.  Otherwise it is an auth failure, answered 401.  If the database does not
 * answer in time, 503.  The source outlives the request. */
void transmission_check(struct request *rq, const struct source *source);
