#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth/digest.h"
#include "auth/scheme.h"
#include "base/base.h"
#include "base/fault.h"

/* The secrets of a signer, and the forms in which providers issue them. */

#define SIGNER_KEY_MAX 512   /* bytes of a decoded secret, for schemes that issue it in hex or base64 */
#define SIGNER_SHARED_MIN 16 /* bytes of a shared secret that a source may have: one of 8 letters is found by trying */

/* How the text of a secret stands for the bytes of the key. */
enum key_form { KEY_AS_ISSUED, KEY_TEXT, KEY_HEX, KEY_BASE64 };

struct signer_secret {
	struct digest_key *key;
	int64_t not_after_s; /* Unix time of the last second in which the secret is valid; INT64_MAX: no end */
	bool is_shared;      /* the provider has it too, so that it could sign in the name of another source */
	/* Of a shared secret: its bytes without zero bytes at their end, since an HMAC fills its key up with zero bytes; and
	 * their SHA-256, for signer_has_secret() of signer.h; and that of the text that the provider has, without whsec_,
	 * which another source may read in another form. */
	size_t len;
	unsigned char fingerprint[DIGEST_SHA256_LEN];
	unsigned char issued[DIGEST_SHA256_LEN];
};

/* What decides about the form of a secret. */
struct signer_key_kind {
	enum scheme scheme;
	enum key_form form;
	enum digest_kind algorithm; /* of SCHEME_HMAC */
};

/* Makes the key of a secret, with the promises of signer_add_secret(): it writes all of *ret but the end.  A fault leaves
 * *ret alone. */
MUST_USE bool signer_key_create(
	struct signer_key_kind kind, const char *text, size_t len, struct signer_secret *ret, struct fault *f);

/* The same for "user:password" of HTTP Basic. */
MUST_USE bool signer_key_create_basic(const char *text, size_t len, struct signer_secret *ret, struct fault *f);

/* Whether a shared secret has fewer than SIGNER_SHARED_MIN bytes.  It is made nevertheless: the published examples of some
 * providers are short, and the caller decides. */
bool signer_secret_is_short(const struct signer_secret *s);
