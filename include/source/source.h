#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "auth/signature.h"
#include "auth/signer.h"
#include "base/base.h"
#include "base/fault.h"
#include "http/network.h"
#include "source/mapping.h"

/* A source: a processor that sends to us, how we know that it is the sender, and how it tells a transaction. */

#define SOURCE_NAME_MAX 64
#define SOURCES_MAX 32
#define SOURCE_BUILT_IN "transactions" /* is always there, and speaks our own body */

enum source_auth {
	SOURCE_AUTH_NONE,      /* whoever reaches the port may send */
	SOURCE_AUTH_SIGNATURE, /* only what the signer's secrets have signed is taken */
	SOURCE_AUTH_DISABLED,  /* as if it were not there; of use for the built-in one */
};

#define SOURCE_ALLOW_MAX 32    /* networks; Stripe's webhooks come from a dozen addresses */
#define SOURCE_SUBJECT_MAX 255 /* bytes of a certificate's subject */

/* Who a source's client certificate is to be. */
enum source_client {
	SOURCE_ANY_CLIENT,    /* no certificate is wanted */
	SOURCE_KNOWN_CLIENT,  /* whoever has one of nginx's TLS_CLIENT_CA */
	SOURCE_CERTAIN_CLIENT /* and this subject */
};

struct source {
	char name[SOURCE_NAME_MAX + 1]; /* lower case letters, digits, hyphens */
	enum source_auth auth;
	struct signer signer; /* of a signed one */
	int allow_count;      /* 0: from everywhere */
	struct network allow[SOURCE_ALLOW_MAX];
	enum source_client client;
	char subject[SOURCE_SUBJECT_MAX + 1]; /* as nginx writes it (RFC 2253): "CN=stripe,O=Stripe" */
	struct mapping mapping;
};

struct sources {
	int count;
	struct source list[SOURCES_MAX];
};

/* The built-in source alone, open. */
void sources_init(struct sources *s);

/* Wipes the secrets. */
void sources_finish(struct sources *s);

/* Whether a source may have this name: 1 to SOURCE_NAME_MAX lower case letters, digits and hyphens. */
bool source_name_valid(const char *name);

/* NULL: there is none of that name, or it is closed. */
const struct source *sources_find(const struct sources *s, const char *name);

/* Who sends, as nginx tells; "" is unknown or none. */
struct source_sender {
	const char *address;
	const char *client_verify;  /* SUCCESS, NONE, "FAILED:..." */
	const char *client_subject; /* of a certificate that verifies */
};

enum source_admission { SOURCE_ADMITS, SOURCE_REFUSES_ADDRESS, SOURCE_REFUSES_CERTIFICATE };

/* Whether who sends may send to this source at all, before any signature is looked at.  Why not is for the operator. */
MUST_USE enum source_admission source_admits(
	const struct source *s, const struct source_sender *sender, struct fault *why);

/* Whether a request to a source that is not open was signed by it.  For Adyen's, which signs fields, the body is scanned
 * strictly first, and each of its items has to be signed.  As signature_verify() else. */
MUST_USE bool source_verify(
	const struct source *s, const struct signature_request *request, int64_t now_s, struct signature_report *ret);
