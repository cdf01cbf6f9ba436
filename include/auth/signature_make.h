#pragma once

#include <stddef.h>
#include <stdint.h>

#include "auth/digest.h"
#include "auth/signature_report.h"
#include "auth/signer.h"
#include "base/base.h"
#include "base/fault.h"

/* Makes the signature of a request, for trials: by the same reading of the request that its verification begins with, so what
 * is signed is what will be verified.  Only for schemes with a secret that both sides have; with a public key only the provider
 * can sign.
 *
 * The request has every header of the scheme, and in the place of the signature any other of the same length. */

struct signature_made {
	unsigned char bytes[DIGEST_HMAC_MAX];
	size_t len;
};

/* Signs with the first shared secret that is valid at now_s, which is Unix time.  FAULT_INPUT: the signer has none, or the
 * request lacks a header of the scheme; *ret is then left alone. */
MUST_USE bool signature_make(const struct signer *s, const struct signature_request *request, int64_t now_s,
	struct signature_made *ret, struct fault *f);

/* The same for one notification item of Adyen's. */
MUST_USE bool signature_make_item(const struct signer *s, const struct signature_item *item, int64_t now_s,
	struct signature_made *ret, struct fault *f);

/* Whether such a secret is there. */
MUST_USE bool signature_can_be_made(const struct signer *s, int64_t now_s, struct fault *f);
