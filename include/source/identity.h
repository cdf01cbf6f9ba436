#pragma once

#include <stdbool.h>

#include "base/base.h"
#include "base/buf.h"
#include "source/source.h"

/* Finds sources in which one event of a payment would hide another, or be taken for another.
 *
 * If several kinds of events pass, and the transaction_id is that of the payment, a refund of the whole amount has the
 * identity and the content of its capture: it is a duplicate, and vanishes.  payhook cannot know what a member of a
 * payload means, so this is a warning and no error: a provider's own id of the event is a good identity. */

#define IDENTITY_TEXT_MAX \
	3072 /* bytes of a warning: it has up to nine pointers and six words; a line of the log holds it */

/* Whether events of the source may hide each other: several words pass at a pointer, in one filter, by one kind, or in
 * several entries with one identity, and the identity has none of these pointers.  Entries of which each has its payment_id
 * for identity have one, wherever they read it.  The ids of events that Stripe, Square and PayPal give are known and cause
 * no warning.  If so, a sentence about the first such case is added to ret: the words, and what to do. */
bool identity_hides(const struct source *s, struct buf *ret);

/* Whether what the provider sends again becomes another event, since the transaction_id is the id of the request.  If so, a
 * sentence about it is added to ret. */
bool identity_repeats(const struct source *s, struct buf *ret);

/* Whether a header or a parameter of the query that is not signed decides alone which events pass: without a member of the body
 * in the same filter, and without one that the kind is read from.  If so, a sentence about the first such filter is added to
 * ret. */
bool identity_is_chosen_unsigned(const struct source *s, struct buf *ret);
