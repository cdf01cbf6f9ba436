#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth/digest.h"
#include "auth/scheme.h"
#include "auth/signature_form.h"
#include "auth/signature_header.h"
#include "auth/signature_message.h"
#include "auth/signer_key.h"
#include "base/base.h"
#include "base/encode.h"
#include "base/fault.h"

/* The signature scheme of a source, with its options and its secrets.  A signer is made from the configuration and only
 * read afterwards, except that a verification uses the state inside its keys: one thread at a time (digest.h). */

#define SIGNER_SECRETS_MAX 4          /* rotation needs two; a forged request costs one calculation for each */
#define SIGNER_TEXT_MAX 255           /* bytes of the name of a header, a prefix, a separator, an id */
#define SIGNER_URL_MAX 1023           /* bytes of a notification URL */
#define SIGNER_TOLERANCE_S 300        /* the default tolerance, in either direction */
#define SIGNER_TOLERANCE_MAX_S 604800 /* a week */

/* The options of a source's configuration, borrowed for the call.  NULL, and 0 for the tolerance: not given. */
struct signer_settings {
	enum scheme scheme;
	int tolerance_s;        /* 0: the default, SIGNER_TOLERANCE_S */
	const char *url;        /* Square: the notification URL as registered with Square */
	const char *webhook_id; /* PayPal: the id that PayPal assigned to the webhook */
	const char *header;     /* SCHEME_HMAC, SCHEME_TOKEN and SCHEME_RSA */
	enum encoding encoding; /* SCHEME_HMAC and SCHEME_RSA */
	enum key_form key;      /* SCHEME_HMAC and SCHEME_STANDARD_WEBHOOKS; KEY_AS_ISSUED: not given */
	const char *prefix;     /* this and the following options: SCHEME_HMAC only.  Text before the signature, such as
				       "sha256="; visible ASCII */
	enum digest_kind algorithm;   /* one of the two HMACs */
	const char *timestamp_header; /* header with a Unix time; the message is then time, separator, body */
	const char *separator;        /* NULL: "." */
	enum time_unit timestamp_unit;
	const char *form;    /* how the header is written, instead of prefix: signature_form.h */
	const char *message; /* what is signed, instead of time, separator and body: signature_message.h */
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
	enum key_form key;
	/* SCHEME_HMAC: */
	enum time_unit timestamp_unit;
	bool is_time_bare;                 /* nothing but the number of its digits shows where the time ends */
	struct signature_form *form;       /* NULL: the header has signatures after the prefix */
	struct signature_message *message; /* NULL: what is signed is the body, or time, separator and body */
	int count;
	struct signer_secret secrets[SIGNER_SECRETS_MAX];
	struct signer_secret basic; /* beside the scheme, HTTP Basic; its key is NULL: it is not wanted */
};

/* Makes a signer without secrets, which signer_finish() frees.  FAULT_INPUT names the option that is missing, too long, or has no meaning in this
 * scheme; *ret is then left alone.  algorithm and encoding are taken as they are for SCHEME_HMAC and ignored
 * otherwise. */
MUST_USE bool signer_init(struct signer *ret, const struct signer_settings *settings, struct fault *f);

/* Whether the scheme signs a time.  Without one, a captured request can be replayed as long as its secret is valid. */
bool signer_signs_time(const struct signer *s);

/* Whether the signature covers the value of a header, given by its name in lower case. */
bool signer_covers_header(const struct signer *s, const char *name);

/* The value of a header that the signature covers, or of a parameter of the query, may be signed in lower case only: then it
 * has to be read so, or one signed request would be several events. */
bool signer_lowers_header(const struct signer *s, const char *name);
bool signer_lowers_query(const struct signer *s, const char *name);

/* Whether the signature covers a parameter of the query. */
bool signer_covers_query(const struct signer *s, const char *name);

/* Whether the signature covers the body, or all of it that a mapping may read. */
bool signer_signs_body(const struct signer *s);

/* Whether what is sent is the secret itself, which anyone that reads a request then has. */
bool signer_sends_secret(const struct signer *s);

/* Adds a secret in the form in which the provider issues it: for Standard Webhooks "whsec_..." or "whpk_...", for Adyen
 * hex, for PayPal a certificate in PEM, for RSA a public key or a certificate in PEM, for HTTP Basic "user:password", for
 * all others the bytes as they are; "key" of the settings comes before that.  The caller removes the newline at the end.
 *
 * not_after_s is Unix time; INT64_MAX: no end.  The secret is valid until then, and a certificate no longer than its own
 * validity.  FAULT_INPUT: the secret does not have this form, is a public key in the place of a shared secret, or the signer has SIGNER_SECRETS_MAX secrets already.  Faults do not quote it; FAULT_BUG is as
 * in digest_key_create(). */
MUST_USE bool signer_add_secret(struct signer *s, const char *secret, size_t len, int64_t not_after_s, struct fault *f);

/* Sets "user:password", which HTTP Basic has to bring beside what the scheme wants; otherwise as signer_add_secret(). */
MUST_USE bool signer_set_basic(struct signer *s, const char *secret, size_t len, int64_t not_after_s, struct fault *f);

/* Whether one of the signer's is the same shared secret: the same bytes, or the same text, which the two may read in two forms. */
bool signer_has_secret(const struct signer *s, const struct signer_secret *secret);

/* Destroys the keys, and wipes shared secrets.  Accepts NULL. */
void signer_finish(struct signer *s);
