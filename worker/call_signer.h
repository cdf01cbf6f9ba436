#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth/digest.h"
#include "base/base.h"
#include "base/fault.h"

/* payhook's own signature of a call, as Standard Webhooks has it: HMAC-SHA256 over id, time and body.  The processor can
 * so know that a call came from payhook, and when.  With two secrets each call has two signatures, so that a secret is
 * replaced without a call that fails. */

#define CALL_SIGNER_SECRETS_MAX 2
#define CALL_SIGNER_FILE_MAX 16384  /* bytes of the file, with its comments */
#define CALL_SIGNER_SECRET_LEAST 16 /* bytes of a decoded secret */
#define CALL_SIGNER_SECRET_MOST 512
#define CALL_SIGNER_SIGNATURES_MAX 96 /* two of "v1," and 44 characters, with a space and a NUL */

/* All zero: calls are not signed. */
struct call_signer {
	int count;
	struct digest_key *keys[CALL_SIGNER_SECRETS_MAX];
};

/* Reads the file that PROCESSOR_SIGNING_SECRETS_FILE names: one or two secrets, "whsec_" and base64, each on a line.  Empty
 * lines and those that begin with "#" have no meaning.  FAULT_INPUT names the line and quotes nothing. */
MUST_USE bool call_signer_read(const char *text, size_t len, struct call_signer *ret, struct fault *f);

/* Destroys and wipes the keys.  Accepts what is all zero. */
void call_signer_finish(struct call_signer *s);

/* Writes the signatures, one for each secret, in the form of the header webhook-signature.  time_s is Unix time.  False:
 * libcrypto lacks memory. */
MUST_USE bool call_signer_sign(const struct call_signer *s, const char *id, int64_t time_s, const void *body,
	size_t len, char ret[CALL_SIGNER_SIGNATURES_MAX]);
