#pragma once

#include <stddef.h>
#include <stdint.h>

#include "auth/signature.h"

/* signing.h - a sender of signed requests: each scheme's published algorithm, by libcrypto's one-call functions and by
 * none of ours. */

#define SENT_HEADERS_MAX 5
#define SENT_VALUE_MAX 2048

/* The headers of a request, to be looked up by sent_header(). */
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

/* One of a scheme's secrets, as its processor would hand it out. */
struct sender_key {
	char text[4096]; /* what signer_add_secret() gets */
	void *private;   /* Ed25519, RSA: an EVP_PKEY */
	char *hmac;      /* others: the key itself */
	size_t hmac_len;
};

/* How a scheme's requests are signed and verified. */
struct sender {
	const char *name;
	struct signer_settings settings;
	bool timed;
	bool ed25519;          /* Standard Webhooks: v1a in place of v1 */
	const char *signature; /* the header that holds it */
	const char *other[3];  /* the others that it needs */
};

/* Every scheme but Adyen's, whose signatures stand in the body; Standard Webhooks and the generic one in two forms. */
extern const struct sender SENDERS[];
extern const size_t SENDER_COUNT;

/* Makes key number n; the same n makes the same HMAC key.  A public key's certificate ends at end_s. */
void sender_key(const struct sender *s, int n, int64_t end_s, struct sender_key *ret);
void sender_key_finish(struct sender_key *key);

/* The headers of a request that was signed at this time. */
void sender_sign(const struct sender *s, const struct sender_key *key, int64_t time_s, const char *body, size_t len,
	struct sent *ret);

/* A digest's text, for tests that sign by hand. */
void sender_hmac(const char *algorithm, const char *key, size_t key_len, const char *message, size_t len, bool base64,
	char ret[SENT_VALUE_MAX]);
