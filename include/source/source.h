#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "auth/signature.h"
#include "auth/signer.h"
#include "base/base.h"
#include "base/fault.h"
#include "http/content_type.h"
#include "http/network.h"
#include "source/mapping.h"
#include "source/ping.h"
#include "source/places.h"
#include "source/sources_answer.h"
#include "source/sources_body.h"

/* A source: the configuration for one provider.  It defines how the provider's webhooks are authenticated, and where a
 * transaction is in their payload.  Sources are read when the process starts and do not change afterwards. */

#define SOURCE_NAME_MAX 64                   /* bytes */
#define SOURCES_LISTED_MAX 256               /* in the operator's file: each has an endpoint at a provider */
#define SOURCES_MAX (SOURCES_LISTED_MAX + 1) /* with the built-in one */
#define SOURCE_EVENTS_MAX 16           /* kinds of payload of one source: as many as an operator can still survey */
#define SOURCE_BUILT_IN "transactions" /* always exists, whether the operator lists it or not */

enum source_auth {
	SOURCE_AUTH_NONE,      /* webhooks are accepted unsigned */
	SOURCE_AUTH_SIGNATURE, /* a webhook must be signed with one of the signer's secrets */
	SOURCE_AUTH_DISABLED,  /* webhooks are answered 404; closes the built-in source, which cannot be removed */
};

#define SOURCE_ALLOW_MAX 32    /* addresses and networks; Stripe's webhooks come from a dozen addresses */
#define SOURCE_SUBJECT_MAX 255 /* bytes of a certificate's subject */

/* The TLS client certificate that a source requires.  nginx verifies it. */
enum source_client {
	SOURCE_ANY_CLIENT,    /* none */
	SOURCE_KNOWN_CLIENT,  /* any certificate of an authority in TLS_CLIENT_CA */
	SOURCE_CERTAIN_CLIENT /* a certificate of such an authority, with the subject below */
};

struct source {
	char name[SOURCE_NAME_MAX + 1]; /* lower case letters, digits, hyphens */
	enum source_auth auth;
	struct signer signer; /* for SOURCE_AUTH_SIGNATURE */
	int allow_count;      /* 0: any address */
	struct network allow[SOURCE_ALLOW_MAX];
	enum source_client client;
	char subject[SOURCE_SUBJECT_MAX + 1]; /* as nginx writes it (RFC 2253): "CN=stripe,O=Stripe" */
	struct source_body body;              /* the form of the bodies */
	/* Pointer to the array with one transaction in each element.  Empty: the body is one transaction, or the array
	 * itself. */
	char items[MAPPING_POINTER_MAX + 1];
	/* The kinds of payload, each with its filter; the first that an item meets counts.  0: every body is read in
	 * payhook's own form.  On the heap, since few sources have many; sources_finish() frees them. */
	int mapping_count;
	struct mapping *mappings;
	struct places_wanted wanted; /* what the mappings read of a request besides its body */
	bool in_order;  /* calls for the events of a payment are made one at a time, in order; all have a payment_id */
	bool continues; /* with in_order: the next event is sent though the one before has failed for good */
	struct ping ping;
	struct source_answer answer; /* to what was taken: new, known, ignored or a conflict */
	bool keep_ignored;           /* verified events that no filter lets pass are kept, under no transaction */
	bool keep_unreadable;        /* verified webhooks that cannot be mapped are kept and acknowledged */
};

struct sources {
	int count;
	struct source list[SOURCES_MAX]; /* as the operator lists them, the built-in one last if it is not among them */
	short by_name[SOURCES_MAX];      /* indexes of list in the order of names; set by sources_sort() */
};

/* Sets the list to the built-in source alone, without a signature scheme. */
void sources_init(struct sources *s);

/* Makes sources_find() find those in the list.  To be called when the list is complete. */
void sources_sort(struct sources *s);

/* Wipes the secrets, frees the mappings and empties the list. */
void sources_finish(struct sources *s);

/* True if the name consists of 1 to SOURCE_NAME_MAX lower case letters, digits and hyphens: it is a segment of the
 * URL. */
bool source_name_valid(const char *name);

/* Finds a source by its name.  NULL: there is none, or it is disabled. */
const struct source *sources_find(const struct sources *s, const char *name);

/* The mapping for an item: the first whose filter the item meets.  NULL: there is none, and the item is ignored.  The
 * result is borrowed from the source, or constant. */
const struct mapping *source_mapping_for(const struct source *s, const struct places *in);

/* Whether every body is one transaction in payhook's own form: the source has neither a mapping nor a filter. */
static inline bool source_is_plain(const struct source *s)
{
	return s->mapping_count == 0;
}

/* The Content-Type that the source takes. */
static inline enum content_type source_content_type(const struct source *s)
{
	return s->body.format == BODY_JSON ? CONTENT_TYPE_JSON : CONTENT_TYPE_FORM;
}

/* Whether a body has an array of transactions. */
static inline bool source_has_items(const struct source *s)
{
	return *s->items || s->body.is_array;
}

/* Whether what the source stores may be an event as version 0.1 does not know it: the configuration uses one of the
 * words for them.  A worker of that version cannot process it.  "events" with one entry is a filter and a mapping. */
bool source_has_events(const struct source *s);

/* Whether anyone may send to the source, as far as its own configuration goes: it has neither a scheme nor a list of
 * addresses, and wants no client certificate. */
bool source_is_open(const struct source *s);

/* Whether the signature of the source covers the value of a header, given by its name in lower case. */
bool source_signs_header(const struct source *s, const char *name);

/* The client, as nginx reports it; "" means unknown or none. */
struct source_sender {
	const char *address;
	const char *client_verify;  /* nginx's $ssl_client_verify: SUCCESS, NONE, "FAILED:..." */
	const char *client_subject; /* subject of a certificate that verifies */
};

enum source_admission { SOURCE_ADMITS, SOURCE_REFUSES_ADDRESS, SOURCE_REFUSES_CERTIFICATE };

/* Decides by address and client certificate whether this client may send to this source, before any signature is
 * verified.  *why is written only if the client is not admitted.  It is for the operator; the client does not learn
 * it. */
MUST_USE enum source_admission source_admits(
	const struct source *s, const struct source_sender *sender, struct fault *why);

/* Verifies a request to a source of SOURCE_AUTH_SIGNATURE, with the promises of signature_verify().  For Adyen, whose
 * signatures are in the body, the body is first scanned as strict JSON, and each of its items must be signed. */
MUST_USE bool source_verify(
	const struct source *s, const struct signature_request *request, int64_t now_s, struct signature_report *ret);

/* The same without the HTTP Basic that a source may want beside its scheme: for a request that is kept, which no longer has
 * the password. */
MUST_USE bool source_verify_signature(
	const struct source *s, const struct signature_request *request, int64_t now_s, struct signature_report *ret);
