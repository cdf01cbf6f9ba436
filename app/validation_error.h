#pragma once

#include "service.h"

/* Reports validation errors: webhooks that are answered 400, 413, 415 or 422.
 *
 * The answer has the details, and the provider has the answer.  The operator gets pointers and codes, without any value, in
 * three places: the log (for each source at most one line a second), the counters, and the view validation_errors. */

/* request.on_problem of a webhook: reports the problem document if it is that of a validation error.  Never waits. */
void validation_error_on_problem(const struct request *rq, int status, const struct txn_problems *problems);
