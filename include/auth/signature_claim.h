#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "auth/signature_header.h"
#include "auth/signature_report.h"
#include "auth/signer.h"
#include "base/base.h"

/* The form into which every scheme's request is read before its signatures are verified.  For the modules of the
 * verification only. */

#define SIGNATURE_PARTS_MAX (2 * ADYEN_FIELDS) /* Adyen: eight fields, and the colons between them */
_Static_assert(SIGNATURE_MESSAGE_PARTS_MAX <= SIGNATURE_PARTS_MAX, "a configured message has room");

/* The signed message as the request claims it.  The parts point into the request, the signer and crc. */
struct signature_claim {
	const struct signer *signer;
	const struct signer_secret *secrets; /* those of the signer that may have made the signature */
	int count;                           /* of them */
	int64_t now_s;
	struct digest_part part[SIGNATURE_PARTS_MAX];
	int parts;
	struct signature_list list;
	bool timed; /* the message has a time, time_s */
	int64_t time_s;
	char crc[12]; /* PayPal: ten digits at most */
	int values;   /* of the query and of headers, that are signed */
	char value[SIGNATURE_VALUES_MAX][SIGNER_TEXT_MAX + 1];
	struct signature_report *report;
};

/* Reads a request into a claim that has its signer, the time and the report, and no parts.  False: the report says why
 * the request has no signature of the scheme. */
MUST_USE bool signature_claim_read(struct signature_claim *c, const struct signature_request *request);

/* The same for HTTP Basic (RFC 7617), whatever the scheme of the signer is. */
MUST_USE bool signature_claim_read_basic(struct signature_claim *c, const struct signature_request *request);

/* The same for one notification item of Adyen's. */
MUST_USE bool signature_claim_read_item(struct signature_claim *c, const struct signature_item *item);
