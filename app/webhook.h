#pragma once

#include "http.h"

/* POST /v1/webhooks/transactions */
void webhook_post(struct request *rq);
