#pragma once

#include <stdbool.h>

#include "base/base.h"
#include "json/config.h"
#include "source/mapping.h"

/* The form in which a source's provider sends a body, and which of its bytes are signed. */

#define BODY_MEMBER_MAX 127 /* bytes of the name of a form's field */

enum body_format {
	BODY_JSON,
	BODY_FORM,        /* the fields of a form, read as an object of texts */
	BODY_FORM_MEMBER, /* JSON in one field of a form */
};

struct source_body {
	enum body_format format;
	char member[BODY_MEMBER_MAX + 1]; /* of BODY_FORM_MEMBER: the name of the field */
	bool is_array;                    /* the body itself is the array with one transaction in each element */
	bool is_signed_decoded; /* the signature is over what a Content-Encoding decodes to, not over the bytes that came */
};

/* Reads "body" and "signed_encoding", which may both be absent.  Mistakes are reported by json_config_complain(); *ret must not
 * be used if there was one. */
void sources_body_read(const struct json_place *body, const struct json_place *encoding, struct source_body *ret);

/* Whether "items", which is given, is "": the body itself is the array. */
bool sources_body_is_array(const struct json_place *items);

/* Reports what has no meaning for a form, as its fields are texts: items, and a pointer that goes into a field. */
void sources_body_check(const struct source_body *body, const struct json_place *items,
	const struct json_place *mapping, const struct mapping *list, int count);
