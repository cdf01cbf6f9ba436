#pragma once

#include "service.h"

/* Calls the handler of the request's method and path.  Answers 400 for a malformed path, 404 if no route has the
 * path, 405 if the route has another method, and 401, 403 or 503 if the route needs an API key that the request
 * lacks. */
void route_request(struct request *rq);
