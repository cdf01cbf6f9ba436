#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth/digest.h"
#include "base/base.h"
#include "base/encode.h"
#include "base/fault.h"

/* Reads the headers of a signed request, strictly and within bounds: their sender is not authenticated yet.
 *
 * Faults are FAULT_MALFORMED and quote nothing from the request.  After a fault the content of *ret is undefined.  An
 * entry with an unknown version is skipped, and so is a signature that cannot be decoded as long as the header has
 * another one; an entry without its separator is a fault. */

#define SIGNATURES_MAX 8 /* in one header; a provider sends one for each of its secrets, two during a rotation */
#define SIGNATURES_ED25519_MAX 3  /* of those with Ed25519, each of which costs a calculation over the whole body */
#define SIGNATURE_HEADER_MAX 1024 /* bytes; eight signatures with their versions take less */
#define SIGNATURE_ENTRIES_MAX 16  /* entries of one list, those of unknown versions included */

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
	int count;      /* of signatures; 0: the header has none of a known version */
	int unreadable; /* signatures of a known version that could not be decoded and were skipped */
	struct signature_value value[SIGNATURES_MAX];
	/* Stripe, and a form with a time: the time, which only Stripe's reader reads, and its digits inside the header as they were signed.  The digits are valid as long as
	 * the header is.  The message must contain them as they stand, since a leading zero is signed too. */
	int64_t time_s;
	const char *time;
	size_t time_len;
};

/* Reads "t=1492774577,v1=5257a869...,v0=6ffbb59b...": exactly one t, and HMAC-SHA256 signatures in hex, in any order
 * (docs.stripe.com/webhooks). */
MUST_USE bool signature_read_stripe(const char *header, struct signature_list *ret, struct fault *f);

/* Reads "v1,K5oZfzN95Z9U... v1a,hnO3f9T8Ytu9...": signatures in base64, separated by single spaces (the specification
 * of Standard Webhooks). */
MUST_USE bool signature_read_standard(const char *header, struct signature_list *ret, struct fault *f);

/* Reads one signature after a prefix, which may be empty.  len is the length of the signature in bytes; 0 accepts 1 to
 * DIGEST_SIGNATURE_MAX. */
MUST_USE bool signature_read_single(const char *header, const char *prefix, enum encoding encoding, size_t len,
	struct signature_list *ret, struct fault *f);

/* Reads 1 to SIGNATURES_MAX signatures of len bytes, each of them after the prefix, with commas, semicolons or spaces between
 * them: "sha256=757107ea...,sha256=0b1d6a...". */
MUST_USE bool signature_read_repeated(const char *header, const char *prefix, enum encoding encoding, size_t len,
	struct signature_list *ret, struct fault *f);

/* Begins a list of the signatures in a header, which is not too long. */
MUST_USE bool signature_list_begin(const char *header, struct signature_list *ret, struct fault *f);

/* Adds a signature, or counts it as unreadable.  The fault is that there are SIGNATURES_MAX. */
MUST_USE bool signature_list_add(struct signature_list *list, enum encoding encoding, const char *text, size_t text_len,
	size_t len, struct fault *f);

enum time_unit {
	TIME_SECONDS,
	TIME_MILLISECONDS,
	TIME_BY_LENGTH, /* 13 digits are milliseconds, others seconds */
};

/* Reads a Unix time in this unit, into seconds.  is_bare: nothing but the number of digits shows where it ends, so there are
 * 10 for seconds and 13 for milliseconds; otherwise up to 3 more are accepted for milliseconds than for seconds.  A fault
 * leaves *ret alone. */
MUST_USE bool signature_read_time_of(
	const char *text, size_t len, enum time_unit unit, bool is_bare, int64_t *ret, struct fault *f);

/* Reads a Unix time of 1 to 11 digits.  A fault leaves *ret alone. */
MUST_USE bool signature_read_time(const char *text, size_t len, int64_t *ret, struct fault *f);

/* Reads a time in UTC in the form of RFC 3339, such as "2026-02-19T12:00:00Z", into Unix time.  Up to nine digits of a
 * fraction are accepted and dropped.  A fault leaves *ret alone. */
MUST_USE bool signature_read_date(const char *text, int64_t *ret, struct fault *f);
