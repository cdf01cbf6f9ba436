#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/fault.h"
#include "source/source.h"

/* Makes a new event of an example's body: the ids that the source reads become new ones of the same form, wherever they stand,
 * and its times move so that the event occurs now.  All else stays as it is, byte for byte.
 *
 * An id is what a mapping of the source reads as a part of the transaction_id, as payment_id or as part, unless a filter or
 * a kind reads the same member, or it is a time.  A time is what a mapping reads as occurred_at, and a member with the
 * name of a time and the form of one: an id of ten digits is none. */

#define FRESH_IDS_MAX 64   /* in one body; further ones stay */
#define FRESH_TEXT_MAX 256 /* bytes of an id, its NUL included; a longer one stays */

struct fresh_id {
	const char *at; /* where it stands in the body; a number is replaced there only */
	char old[FRESH_TEXT_MAX], new[FRESH_TEXT_MAX];
	size_t len; /* of either */
};

/* What is replaced. */
struct fresh {
	int count;
	struct fresh_id id[FRESH_IDS_MAX];
	int64_t shift_s; /* is added to every time */
};

/* Plans it for a body in JSON that json_scan() accepts; the plan is for this body, where it is.  keeps_ids: only the times
 * change. */
void fresh_plan(
	struct fresh *ret, const struct source *source, const char *body, size_t len, int64_t now_s, bool keeps_ids);

/* Adds an id that the source reads from the request besides the body. */
void fresh_add(struct fresh *fresh, const char *text);

/* Adds the new body to ret. */
void fresh_body(const struct fresh *fresh, const struct source *source, const char *body, size_t len, struct buf *ret);

/* Adds a text of the request besides its body, such as the query of its URL, in which an id is a whole word. */
void fresh_text(const struct fresh *fresh, const char *text, struct buf *ret);

/* Adds the body with another amount in every item that has one.  False: none has. */
MUST_USE bool fresh_amount(const struct source *source, const char *body, size_t len, struct buf *ret);
