#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/buf.h"
#include "freshen.h"
#include "source/source.h"

/* Makes a new event of an example with a form as its body (freshen.h): of the fields that the source reads, or of the JSON in one
 * of them.  All else of the form stays as it is, byte for byte. */

/* Plans what is replaced and adds the new form to ret.  keeps_ids: only the times in the JSON change.  A form that is none, or
 * that lacks the field, stays as it is. */
void fresh_form(struct fresh *plan, const struct source *source, const char *body, size_t len, int64_t now_s,
	bool keeps_ids, struct buf *ret);

/* Adds the form with another amount in every item of the JSON in its field.  False: it has none, or no such field. */
MUST_USE bool fresh_form_amount(const struct source *source, const char *body, size_t len, struct buf *ret);
