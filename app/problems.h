#pragma once

#include "service.h"
#include "txn/txn_json.h"

/* Answers as http_problem() does, with a member "errors": pointer (RFC 6901), code and detail for each problem.  problems may be
 * NULL. */
void problems_answer(struct request *rq, int status, const char *detail, const struct txn_problems *problems);
