#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth/digest.h"
#include "base/base.h"
#include "base/encode.h"
#include "base/fault.h"

/* Who signs the requests of a source, how, and with which secrets. */

enum scheme {
	SCHEME_STANDARD_WEBHOOKS,
	SCHEME_STRIPE,
	SCHEME_RAZORPAY,
	SCHEME_GITHUB,
	SCHEME_SQUARE,
	SCHEME_ADYEN,
	SCHEME_PAYPAL,
	SCHEME_HMAC, /* any other that sends an HMAC in a header */
};

#define SCHEME_COUNT (SCHEME_HMAC + 1)

/* "standard-webhooks", "stripe" ... "hmac". */
const char *scheme_name(enum scheme scheme);
MUST_USE bool scheme_find(const char *name, enum scheme *ret);

#define SIGNER_SECRETS_MAX 4   /* rotation needs two; each costs a calculation for every forged request */
#define SIGNER_KEY_MAX 512     /* bytes of a secret that is handed out in hex or base64 */
#define SIGNER_TEXT_MAX 255    /* bytes of a header's name, a prefix, a separator, an id */
#define SIGNER_URL_MAX 1023    /* bytes of a notification URL */
#define SIGNER_TOLERANCE_S 300 /* the usual tolerance, both ways */
#define SIGNER_TOLERANCE_MAX_S 604800

/* What a source's configuration says, borrowed for the call; NULL and 0: not given. */
struct signer_settings {
	enum scheme scheme;
	int tolerance_s;            /* 0: SIGNER_TOLERANCE_S */
	const char *url;            /* Square: the notification URL, as it was registered there */
	const char *webhook_id;     /* PayPal: the id that it gave the webhook */
	const char *header;         /* this and what follows: SCHEME_HMAC only */
	const char *prefix;         /* before the signature in the header, such as "sha256="; visible ASCII */
	enum digest_kind algorithm; /* one of the two HMACs */
	enum encoding encoding;
	const char *timestamp_header; /* holds a unix time, which is signed too: time, separator, body */
	const char *separator;        /* NULL: "." */
};

struct signer_secret {
	struct digest_key *key;
	int64_t not_after_s; /* unix time; INT64_MAX: for ever */
};

struct signer {
	enum scheme scheme;
	int tolerance_s;
	char url[SIGNER_URL_MAX + 1];
	char webhook_id[SIGNER_TEXT_MAX + 1];
	char header[SIGNER_TEXT_MAX + 1]; /* lower case, as timestamp_header */
	char prefix[SIGNER_TEXT_MAX + 1];
	char timestamp_header[SIGNER_TEXT_MAX + 1]; /* empty: no time is signed */
	char separator[SIGNER_TEXT_MAX + 1];
	enum digest_kind algorithm;
	enum encoding encoding;
	int count;
	struct signer_secret secrets[SIGNER_SECRETS_MAX];
};

/* FAULT_INPUT names the member that is missing, too long, or has no place in this scheme. */
MUST_USE bool signer_init(struct signer *ret, const struct signer_settings *settings, struct fault *f);

/* Whether its requests hold a time that is signed: only then do they grow old. */
bool signer_signs_time(const struct signer *s);

/* Adds a secret in the form in which the processor hands it out: "whsec_..." or "whpk_..." for Standard Webhooks, hex for
 * Adyen, a certificate in PEM for PayPal, bytes as they are for all others.  White space around it is the caller's to
 * trim.  After not_after_s (unix time; 0: never), and after a certificate's own end, it verifies nothing more. */
MUST_USE bool signer_add_secret(struct signer *s, const char *secret, size_t len, int64_t not_after_s, struct fault *f);

/* Wipes the secrets. */
void signer_finish(struct signer *s);
