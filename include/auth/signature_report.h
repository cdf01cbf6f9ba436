#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth/digest.h"
#include "base/base.h"
#include "base/fault.h"

/* What is verified, a request or an item in its body, and the report of the verification. */

enum signature_cause {
	SIGNATURE_GOOD,
	SIGNATURE_MISSING,     /* a header that the scheme requires is absent or empty */
	SIGNATURE_MALFORMED,   /* a header, or the signature of an item, does not have the form of the scheme */
	SIGNATURE_UNSUPPORTED, /* the request has only versions or algorithms for which there is no secret */
	SIGNATURE_OLD,         /* the signature is valid, and the signed time is too far in the past */
	SIGNATURE_FUTURE,      /* the signature is valid, and the signed time is too far in the future */
	SIGNATURE_EXPIRED,     /* the signature is valid for a secret past its not_after */
	SIGNATURE_WRONG_URL,   /* the signature is valid for another URL than the configured one (Square) */
	SIGNATURE_WRONG,       /* signed with another secret, or changed after signing */
	SIGNATURE_FAILED,      /* the signature could not be calculated; it may be valid */
};

#define SIGNATURE_CAUSE_COUNT (SIGNATURE_FAILED + 1)

/* The name of the cause in labels and tables: "good", "missing", "wrong_url". */
const char *signature_cause_name(enum signature_cause cause);

struct signature_request {
	/* Returns the value of a header by its name in lower case; NULL: the request does not have it.  The value must
	 * stay valid until the verification returns. */
	const char *(*header)(void *ctx, const char *name);
	void *ctx;
	const char *body; /* as received, before any parsing */
	size_t len;
	/* For a source that signs values of the query or headers, otherwise not read. */
	const char *target; /* of the request: path and query; NULL: unknown, and no parameter is there */
	/* Whether the request has several headers of a name in lower case; NULL: it never has. */
	bool (*is_repeated)(void *ctx, const char *name);
};

struct signature_report {
	enum signature_cause cause;
	int secret;                /* index of the secret that made the signature, expired or not; -1: none did */
	bool is_scanned;           /* it verified, and json_scan() has accepted the body: Adyen's scheme reads it */
	int64_t skew_s;            /* our time minus the time in the request; 0 if none was read */
	char text[FAULT_TEXT_MAX]; /* why the verification failed; empty for SIGNATURE_GOOD */
};

/* The fields of a notification item that Adyen signs, in the order in which they are signed (docs.adyen.com, "Verify
 * HMAC signatures").  ADYEN_VALUE is amount.value as its digits, ADYEN_SUCCESS is "true" or "false". */
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

/* One notification item, borrowed for the call.  JSON escapes are decoded; an absent field has len 0. */
struct signature_item {
	struct digest_part field[ADYEN_FIELDS];
	struct digest_part signature; /* additionalData.hmacSignature, in base64 */
};

/* Writes a report.  The macro is false, for the reason of fault_set(). */
void signature_write(struct signature_report *r, enum signature_cause cause, const char *format, ...) PRINTF_LIKE(3, 4);
#define signature_refuse(...) (signature_write(__VA_ARGS__), fault_false())
