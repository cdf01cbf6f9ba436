#pragma once

#include "service.h"

/* GET /v1/transactions/{transaction_id}?source=NAME: the state of one transaction.  Without the parameter the source
 * is the built-in one.
 *
 * Answers 200; 404 if there is no such transaction or the name cannot be one; 400 for a malformed query; 503 if the
 * database has not answered within REQUEST_WAIT_MS. */
void lookup_get(struct request *rq);

/* GET /v1/payments/{payment_id}?source=NAME: the state of a payment, and its events.  Answers as lookup_get() does. */
void lookup_get_payment(struct request *rq);
