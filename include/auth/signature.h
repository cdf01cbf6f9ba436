#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "auth/signature_report.h"
#include "auth/signer.h"
#include "base/base.h"

/* Verifies that a webhook was signed with a secret of its source.
 *
 * The report is for the operator alone: it goes into the log, the metrics and the table rejected_requests.  The sender
 * gets the same answer for every invalid signature, so that an attacker does not learn which part of a forgery was
 * right.  No text contains a secret, or a digest that could serve as a signature. */

/* Verifies a request under any scheme but Adyen's, for which the cause is SIGNATURE_FAILED.  now_s is Unix time.  *ret
 * is always written; the result is true only for SIGNATURE_GOOD.  The skew is authentic only if a secret matched:
 * otherwise the sender could have written any time. */
MUST_USE bool signature_verify(
	const struct signer *s, const struct signature_request *request, int64_t now_s, struct signature_report *ret);

/* Verifies one notification item of Adyen's, with the same promises as signature_verify().  An item has no signed time.
 * A body of several items is valid only if each of them is; the caller checks that. */
MUST_USE bool signature_verify_item(
	const struct signer *s, const struct signature_item *item, int64_t now_s, struct signature_report *ret);

/* Verifies the HTTP Basic that the signer wants beside its scheme.  The promises are those of signature_verify(), but that
 * no secret of the scheme is named. */
MUST_USE bool signature_verify_basic(
	const struct signer *s, const struct signature_request *request, int64_t now_s, struct signature_report *ret);
