#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth/digest.h"
#include "base/base.h"
#include "base/encode.h"
#include "base/fault.h"

/* The signature scheme of a source, with its options and its secrets.  A signer is made from the configuration and only
 * read afterwards, except that a verification uses the state inside its keys: one thread at a time (digest.h). */

enum scheme {
	SCHEME_STANDARD_WEBHOOKS,
	SCHEME_STRIPE,
	SCHEME_RAZORPAY,
	SCHEME_GITHUB,
	SCHEME_SQUARE,
	SCHEME_ADYEN,
	SCHEME_PAYPAL,
	SCHEME_HMAC, /* any other provider that sends an HMAC in a header */
};

#define SCHEME_COUNT (SCHEME_HMAC + 1)

/* The name of the scheme in the configuration: "standard-webhooks", "stripe" ... "hmac". */
const char *scheme_name(enum scheme scheme);

#define SIGNER_SECRETS_MAX 4          /* rotation needs two; a forged request costs one calculation for each */
#define SIGNER_KEY_MAX 512            /* bytes of a decoded secret, for schemes that issue it in hex or base64 */
#define SIGNER_TEXT_MAX 255           /* bytes of the name of a header, a prefix, a separator, an id */
#define SIGNER_URL_MAX 1023           /* bytes of a notification URL */
#define SIGNER_TOLERANCE_S 300        /* the default tolerance, in either direction */
#define SIGNER_TOLERANCE_MAX_S 604800 /* a week */

/* The options of a source's configuration, borrowed for the call.  NULL, and 0 for the tolerance: not given. */
struct signer_settings {
	enum scheme scheme;
	int tolerance_s;            /* 0: the default, SIGNER_TOLERANCE_S */
	const char *url;            /* Square: the notification URL as registered with Square */
	const char *webhook_id;     /* PayPal: the id that PayPal assigned to the webhook */
	const char *header;         /* this and the following options: SCHEME_HMAC only */
	const char *prefix;         /* text before the signature, such as "sha256="; visible ASCII */
	enum digest_kind algorithm; /* one of the two HMACs */
	enum encoding encoding;
	const char *timestamp_header; /* header with a Unix time; the message is then time, separator, body */
	const char *separator;        /* NULL: "." */
};

struct signer_secret {
	struct digest_key *key;
	int64_t not_after_s; /* Unix time of the last second in which the secret is valid; INT64_MAX: no end */
};

struct signer {
	enum scheme scheme;
	int tolerance_s;
	char url[SIGNER_URL_MAX + 1];
	char webhook_id[SIGNER_TEXT_MAX + 1];
	char header[SIGNER_TEXT_MAX + 1]; /* in lower case, as is timestamp_header */
	char prefix[SIGNER_TEXT_MAX + 1];
	char timestamp_header[SIGNER_TEXT_MAX + 1]; /* empty: no time is signed */
	char separator[SIGNER_TEXT_MAX + 1];
	enum digest_kind algorithm;
	enum encoding encoding;
	int count;
	struct signer_secret secrets[SIGNER_SECRETS_MAX];
};

/* Makes a signer without secrets.  FAULT_INPUT names the option that is missing, too long, or has no meaning in this
 * scheme; *ret is then left alone.  algorithm and encoding are taken as they are for SCHEME_HMAC and ignored
 * otherwise. */
MUST_USE bool signer_init(struct signer *ret, const struct signer_settings *settings, struct fault *f);

/* Whether the scheme signs a time.  Without one, a captured request can be replayed as long as its secret is valid. */
bool signer_signs_time(const struct signer *s);

/* Whether the signature covers the value of a header, given by its name in lower case. */
bool signer_covers_header(const struct signer *s, const char *name);

/* Whether the signature covers the body, or all of it that a mapping may read. */
bool signer_signs_body(const struct signer *s);

/* Adds a secret in the form in which the provider issues it: for Standard Webhooks "whsec_..." (the prefix is optional)
 * or "whpk_...", for Adyen hex, for PayPal a certificate in PEM, for all others the bytes as they are.  The caller
 * trims white space.  not_after_s is Unix time; INT64_MAX: no end.  The secret is valid until then, and a certificate no longer
 * than its own validity.  FAULT_INPUT: the secret does not have this form, or the signer has SIGNER_SECRETS_MAX secrets
 * already.  Faults do not quote it; FAULT_BUG is as in digest_key_create(). */
MUST_USE bool signer_add_secret(struct signer *s, const char *secret, size_t len, int64_t not_after_s, struct fault *f);

/* Destroys the keys, and wipes shared secrets.  Accepts NULL. */
void signer_finish(struct signer *s);
