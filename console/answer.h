#pragma once

#include "console.h"

/* Answers a request to the console: signs the operator in, finds the endpoint, reads the parameters, and calls the database.
 *
 * 400, 404, 405, 413, 415, 422: the request is wrong; 401, 403, 429: the operator, or what the operator may do; 503: the database has
 * not answered in time.  Everything else is the status that the statement returns.  An act that is refused is on record. */
void answer_request(struct request *rq);
