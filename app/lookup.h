#pragma once

#include "http.h"

/* GET /v1/transactions/{transaction_id} */
void lookup_get(struct request *rq);
