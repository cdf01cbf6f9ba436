#pragma once

#include <curl/curl.h>

/* Which failures of an HTTP call have their cause on this machine, and so show nothing about the processor. */

/* Returns the cause as a clause, valid until the next call, or NULL if it is not on this machine.
 *
 * easy, result: the call that has failed.  socket_errno: why no socket could be opened or watched for it; 0: one
 * could. */
const char *http_failure_own(CURL *easy, CURLcode result, int socket_errno);
