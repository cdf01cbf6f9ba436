#pragma once

#include <stdint.h>

#include "support/client.h"
#include "support/signing.h"

/* What four processors send, each in its own words and signed in its own way, and the sources.json by which payhook
 * reads it.  The payloads are those of docs/sources under fresh ids. */

enum processor {
	BANK,     /* Standard Webhooks */
	STRIPE,   /* its first secret stands in a variable */
	ADYEN,    /* two items, each signed */
	CLEARING, /* the generic HMAC; three items, of which the second is filtered out */
	PROCESSORS,
};

/* Which of a source's secrets: two that count, one that is none of its, one whose not_after has passed. */
enum { KEY_FIRST, KEY_SECOND, KEY_FOREIGN, KEY_EXPIRED, KEYS };

#define SIGNED_WEBHOOK_MAX 8192
#define SIGNED_WEBHOOK_VARIABLE "E2E_STRIPE_SECRET" /* holds Stripe's first secret */

struct signed_webhook {
	enum processor from;
	int count;       /* of transactions that it tells */
	char ids[2][64]; /* theirs */
	char body[SIGNED_WEBHOOK_MAX];
	struct sent sent;
};

/* The source's name, and what GET says of its nth transaction: from "source_account" to the currency. */
const char *signed_webhook_source(enum processor from);
const char *signed_webhook_expected(enum processor from, int n);

/* The header that holds the signature; NULL for Adyen. */
const char *signed_webhook_header(enum processor from);

/* A payload under fresh ids, signed now with the first secret. */
void signed_webhook_write(struct signed_webhook *l, enum processor from);

/* Signs it anew. */
void signed_webhook_sign(struct signed_webhook *l, int key, int64_t when_s);

/* Every such text of the body becomes another; the signature stays. */
void signed_webhook_replace(struct signed_webhook *l, const char *old, const char *new);

void signed_webhook_post(const struct signed_webhook *l, struct answer *ret);

/* A secret as its processor hands it out. */
void signed_webhook_secret(enum processor from, int key, char ret[256]);

/* Files of a folder: sources.json with these sources (its text, or NULL: the four, and "ledger", which signs our own body as
 * GitHub does), and a file NAME-N for each of their secrets. */
void signed_webhook_furnish(const char *folder, const char *sources);
void signed_webhook_clear(const char *folder);

/* Whether any of the secrets stands in a text. */
bool signed_webhook_betrays(const char *text, size_t len);
