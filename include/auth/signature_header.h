#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth/digest.h"
#include "base/base.h"
#include "base/encode.h"
#include "base/fault.h"

/* What the headers of a signed request hold, read strictly and within bounds: a sender nobody knows yet wrote them.
 * Faults are FAULT_MALFORMED and quote nothing of a signature. */

#define SIGNATURES_MAX 8          /* in one header; a sender puts one for each of its secrets, two while it rotates */
#define SIGNATURES_ED25519_MAX 3  /* among them: each is a calculation of its own over the whole body */
#define SIGNATURE_HEADER_MAX 1024 /* bytes; eight signatures with their versions take less */
#define SIGNATURE_ENTRIES_MAX 16  /* of a list, those of unknown versions and kinds included */

enum signature_version {
	SIGNATURE_HMAC,    /* v1 */
	SIGNATURE_ED25519, /* v1a */
};

struct signature_value {
	enum signature_version version;
	size_t len;
	unsigned char bytes[DIGEST_SIGNATURE_MAX];
};

struct signature_list {
	int count;      /* of signatures; 0: none of a version that is known */
	int unreadable; /* of a known version, but not in its form; passed over */
	struct signature_value value[SIGNATURES_MAX];
	int64_t time_s; /* Stripe: the time as a number, and as it was signed, inside the header's text */
	const char *time;
	size_t time_len;
};

/* "t=1492774577,v1=5257a869...,v0=6ffbb59b...": one t, then or before it signatures in hex. */
MUST_USE bool signature_read_stripe(const char *header, struct signature_list *ret, struct fault *f);

/* "v1,K5oZfzN95Z9U... v1a,hnO3f9T8Ytu9...": signatures in base64, a space between two. */
MUST_USE bool signature_read_standard(const char *header, struct signature_list *ret, struct fault *f);

/* One signature of len bytes (0: any but none) after a prefix, which may be empty. */
MUST_USE bool signature_read_single(const char *header, const char *prefix, enum encoding encoding, size_t len,
	struct signature_list *ret, struct fault *f);

/* A unix time of one to eleven digits. */
MUST_USE bool signature_read_time(const char *text, size_t len, int64_t *ret, struct fault *f);

/* RFC 3339 in UTC: "2026-02-19T12:00:00Z", perhaps with a fraction of the second, which is dropped. */
MUST_USE bool signature_read_date(const char *text, int64_t *ret, struct fault *f);
