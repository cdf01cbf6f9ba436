#pragma once

#include "base/buf.h"
#include "http.h"

/* Reports validation errors: webhooks that are answered 400, 413, 415 or 422.
 *
 * The answer has the details, and the provider has the answer.  The operator gets pointers and codes, without any value, in
 * three places: the log (for each source at most one line a second), the counters, and the view validation_errors. */

/* request.on_problem of a webhook: reports the problem document if it is that of a validation error.  Never waits. */
void validation_error_on_problem(const struct request *rq, int status, const struct txn_problems *problems);

/* Appends "/amount too_many_decimals, /currency missing" to ret[VALIDATION_ERROR_PROBLEMS_MAX + 1]: as many as fit, then
 * "...".  Without problems it is the code alone; of is NULL or has none then. */
void validation_error_text(const struct txn_problems *of, const char *code, char *ret);
