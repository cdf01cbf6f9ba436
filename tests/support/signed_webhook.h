#pragma once

#include <stdint.h>

#include "support/client.h"
#include "support/signing.h"

/* Webhooks of four providers, each with its own payload and signature scheme, and the sources.json with which payhook
 * reads them.  The payloads are those of docs/sources with fresh ids. */

enum provider {
	BANK,     /* Standard Webhooks */
	STRIPE,   /* its first secret is in an environment variable */
	ADYEN,    /* two items, each signed */
	CLEARING, /* the generic HMAC; three items, of which the filter drops the second */
	PROVIDERS,
};

/* Selects a secret of the source: two valid ones, one of another source, and one whose not_after has passed. */
enum { KEY_FIRST, KEY_SECOND, KEY_FOREIGN, KEY_EXPIRED, KEYS };

#define SIGNED_WEBHOOK_MAX 8192
#define SIGNED_WEBHOOK_VARIABLE "E2E_STRIPE_SECRET" /* name of the variable with Stripe's first secret */

struct signed_webhook {
	enum provider from;
	int count;       /* number of transactions in the webhook */
	char ids[2][64]; /* their ids */
	char body[SIGNED_WEBHOOK_MAX];
	struct sent sent;
};

/* The source's name; and the members that GET returns for its nth transaction, from "source_account" to the
 * currency. */
const char *signed_webhook_source(enum provider from);
const char *signed_webhook_expected(enum provider from, int n);

/* The header that contains the signature; NULL for Adyen. */
const char *signed_webhook_header(enum provider from);

/* Writes a payload with fresh ids, signed now with the first secret. */
void signed_webhook_write(struct signed_webhook *w, enum provider from);

/* Signs it again, with this secret and time. */
void signed_webhook_sign(struct signed_webhook *w, int key, int64_t when_s);

/* Replaces every occurrence of a text in the body; the signature stays as it is. */
void signed_webhook_replace(struct signed_webhook *w, const char *old, const char *new);

void signed_webhook_post(const struct signed_webhook *w, struct answer *ret);

/* Writes a secret in the form in which its provider issues it. */
void signed_webhook_secret(enum provider from, int key, char ret[256]);

/* Writes a directory: sources.json (the given text; NULL: the four sources, and "ledger", a source that sends payhook's
 * own format signed as GitHub does), and a file NAME-N for each secret. */
void signed_webhook_furnish(const char *folder, const char *sources);
void signed_webhook_clear(const char *folder);

/* Whether a text contains any of the secrets. */
bool signed_webhook_betrays(const char *text, size_t len);
