#pragma once

#include <stddef.h>
#include <stdint.h>

#include "auth/signature.h"

/* signing.h - the provider's side of signed requests.  Each scheme is implemented from its published description with
 * libcrypto's one-call functions, independently of payhook's own code. */

#define SENT_HEADERS_MAX 5
#define SENT_VALUE_MAX 2048

/* The headers of a request; sent_header() looks them up. */
struct sent {
	int count;
	struct {
		const char *name;
		char value[SENT_VALUE_MAX];
	} header[SENT_HEADERS_MAX];
};

/* For struct signature_request: ctx is a struct sent. */
const char *sent_header(void *ctx, const char *name);

/* Sets a header, or removes it (NULL). */
void sent_set(struct sent *s, const char *name, const char *value);

/* One of a scheme's secrets, in the form in which its provider issues it. */
struct sender_key {
	char text[4096]; /* the argument of signer_add_secret() */
	void *private;   /* Ed25519, RSA: an EVP_PKEY */
	char *hmac;      /* other schemes: the key itself */
	size_t hmac_len;
};

/* How requests of a scheme are signed, and the settings that verify them. */
struct sender {
	const char *name;
	struct signer_settings settings;
	bool timed;
	bool ed25519;          /* Standard Webhooks: v1a instead of v1 */
	const char *signature; /* the header that contains the signature */
	const char *other[3];  /* the other headers that it needs */
};

/* All schemes except Adyen's, whose signatures are in the body; Standard Webhooks and the generic scheme in two forms
 * each. */
extern const struct sender SENDERS[];
extern const size_t SENDER_COUNT;

/* Makes key number n, 0 to 15; the same n makes the same HMAC key.  The certificate of a public key expires at end_s. */
void sender_key(const struct sender *s, int n, int64_t end_s, struct sender_key *ret);
void sender_key_finish(struct sender_key *key);

/* Makes the headers of a request that is signed at this time. */
void sender_sign(const struct sender *s, const struct sender_key *key, int64_t time_s, const char *body, size_t len,
	struct sent *ret);

/* Writes an HMAC as text, for tests that sign by hand. */
void sender_hmac(const char *algorithm, const char *key, size_t key_len, const char *message, size_t len, bool base64,
	char ret[SENT_VALUE_MAX]);
