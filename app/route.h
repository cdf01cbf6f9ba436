#pragma once

#include "http.h"

/* Sends a request to the handler of its path and method, or answers 400, 404, 405. */
void route_request(struct request *rq);
