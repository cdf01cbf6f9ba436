#pragma once

#include <stdint.h>

#include "../unit/signing.h"
#include "client.h"

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

#define LETTER_MAX 8192
#define LETTER_VARIABLE "E2E_STRIPE_SECRET" /* holds Stripe's first secret */

struct letter {
	enum processor from;
	int count;       /* of transactions that it tells */
	char ids[2][64]; /* theirs */
	char body[LETTER_MAX];
	struct sent sent;
};

/* The source's name, and what GET says of its nth transaction: from "source_account" to the currency. */
const char *letter_source(enum processor from);
const char *letter_told(enum processor from, int n);

/* The header that holds the signature; NULL for Adyen. */
const char *letter_header(enum processor from);

/* A payload under fresh ids, signed now with the first secret. */
void letter_write(struct letter *l, enum processor from);

/* Signs it anew. */
void letter_sign(struct letter *l, int key, int64_t when_s);

/* Every such text of the body becomes another; the signature stays. */
void letter_replace(struct letter *l, const char *old, const char *new);

void letter_post(const struct letter *l, struct answer *ret);

/* A secret as its processor hands it out. */
void letter_secret(enum processor from, int key, char ret[256]);

/* Files of a folder: sources.json with these sources (its text, or NULL: the four, and "ledger", which signs our own body as
 * GitHub does), and a file NAME-N for each of their secrets. */
void letter_furnish(const char *folder, const char *sources);
void letter_clear(const char *folder);

/* Whether any of the secrets stands in a text. */
bool letter_betrays(const char *text, size_t len);
