#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth/digest.h"
#include "auth/signer.h"
#include "base/base.h"
#include "base/fault.h"

/* Whether a request was signed by who is said to send it.
 *
 * What is found out is for the operator alone, in the log, the metrics and rejected_requests; a sender learns only that
 * its request was refused.  No text holds a secret, or a digest that would do as a signature. */

enum signature_cause {
	SIGNATURE_GOOD,
	SIGNATURE_MISSING,     /* a header that the scheme needs is not there, or is empty */
	SIGNATURE_MALFORMED,   /* a header, or an item's signature, is not in the scheme's form */
	SIGNATURE_UNSUPPORTED, /* it has only versions or algorithms that no secret here is for */
	SIGNATURE_OLD,         /* signed rightly, too long ago by our clock */
	SIGNATURE_FUTURE,      /* signed rightly, at a time too far ahead of our clock */
	SIGNATURE_EXPIRED,     /* signed with a secret whose not_after has passed */
	SIGNATURE_WRONG_URL,   /* signed rightly, for another URL than the one configured */
	SIGNATURE_WRONG,       /* signed with another secret, or changed afterwards */
	SIGNATURE_FAILED,      /* we could not calculate; the request may be right */
};

#define SIGNATURE_CAUSE_COUNT (SIGNATURE_FAILED + 1)

/* The cause's name for labels and tables: "good", "missing", "wrong_url". */
const char *signature_cause_name(enum signature_cause cause);

struct signature_request {
	/* The value of a header, by its name in lower case; NULL: there is none. */
	const char *(*header)(void *ctx, const char *name);
	void *ctx;
	const char *body; /* raw, before any parsing */
	size_t len;
};

struct signature_report {
	enum signature_cause cause;
	int secret;                /* which of the signer's made the signature, expired or not; -1: none */
	int64_t skew_s;            /* how far the request's time lies behind ours; 0 where none is signed */
	char text[FAULT_TEXT_MAX]; /* why it is refused, for the operator; empty when it is good */
};

/* True: the report's cause is SIGNATURE_GOOD.  *ret is written either way.  Not for Adyen. */
MUST_USE bool signature_verify(
	const struct signer *s, const struct signature_request *request, int64_t now_s, struct signature_report *ret);

/* What Adyen signs of a notification item, in this order; amount.value as its digits, success as its text. */
enum adyen_field {
	ADYEN_PSP_REFERENCE,
	ADYEN_ORIGINAL_REFERENCE,
	ADYEN_MERCHANT_ACCOUNT_CODE,
	ADYEN_MERCHANT_REFERENCE,
	ADYEN_VALUE,
	ADYEN_CURRENCY,
	ADYEN_EVENT_CODE,
	ADYEN_SUCCESS,
	ADYEN_FIELDS,
};

/* One notification item: each field with its JSON escapes undone; len 0: it is not there. */
struct signature_item {
	struct digest_part field[ADYEN_FIELDS];
	struct digest_part signature; /* additionalData.hmacSignature */
};

/* The same for one item of Adyen's; a body of several is good if each of them is.  It signs no time. */
MUST_USE bool signature_verify_item(
	const struct signer *s, const struct signature_item *item, int64_t now_s, struct signature_report *ret);
