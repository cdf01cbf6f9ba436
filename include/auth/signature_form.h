#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "auth/signature_header.h"
#include "base/base.h"
#include "base/encode.h"
#include "base/fault.h"

/* How a provider writes the header with its signatures: "ts={time};h1={signature}", "{any}/SHA256/{signature}".
 *
 * A header consists of parts with commas, semicolons or spaces between them, in any order.  A part of the form is text, at
 * most one {any} with text after it, and at its end {time} or {signature}, which run to the end of the part.  {any} is one
 * byte or more.  A part of a header that has the form of none is skipped, as one of a later version would be. */

#define SIGNATURE_FORM_MAX 255 /* bytes */

struct signature_form_part {
	size_t before, before_len; /* in the text of the form, as is what follows */
	size_t after, after_len;   /* what follows {any} */
	bool has_any;
};

struct signature_form {
	char text[SIGNATURE_FORM_MAX + 1]; /* empty: there is no form */
	bool has_time;
	struct signature_form_part time, signature;
};

/* Reads a form.  FAULT_INPUT names the mistake, and leaves *ret alone: it has no {signature} or two of them, a part without
 * either, or two parts of which a header would not show which is which. */
MUST_USE bool signature_form_read(const char *text, struct signature_form *ret, struct fault *f);

/* Reads a header in this form: 1 to SIGNATURES_MAX signatures of len bytes each, and one time if the form has one, which is
 * set as text and not read.  Faults are those of signature_header.h. */
MUST_USE bool signature_form_apply(const struct signature_form *form, const char *header, enum encoding encoding,
	size_t len, struct signature_list *ret, struct fault *f);
