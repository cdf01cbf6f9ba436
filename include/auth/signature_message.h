#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/base.h"
#include "base/fault.h"

/* What a provider signs: "{time}:{body}", "id:{query.data.id|lower};request-id:{header.x-request-id};ts:{time};".
 *
 * The placeholders are {time}, {body}, {query.NAME} and {header.NAME}, the last two perhaps with |lower.  A signed text must
 * have one reading only: otherwise bytes could move between two values, and one signature would be valid for several
 * requests.  So a value has text behind it, or in front of it if it stands behind {body}, and must not hold the byte of that
 * text which is next to it. */

#define SIGNATURE_MESSAGE_MAX 255      /* bytes of the text */
#define SIGNATURE_MESSAGE_PARTS_MAX 15 /* texts and placeholders */
#define SIGNATURE_VALUES_MAX 4         /* of {query.NAME} and {header.NAME} */

enum signature_message_kind {
	MESSAGE_TEXT,
	MESSAGE_TIME,
	MESSAGE_BODY,
	MESSAGE_QUERY,
	MESSAGE_HEADER,
};

struct signature_message_part {
	enum signature_message_kind kind;
	size_t at, len; /* in text: the text itself, or the name, which has a NUL at its end */
	bool is_lower;  /* the letters of the value are changed to lower case */
	char border;    /* the value must not have this byte; NUL: any */
};

struct signature_message {
	int count; /* 0: there is none */
	struct signature_message_part part[SIGNATURE_MESSAGE_PARTS_MAX];
	bool has_time, has_body;
	bool is_time_bare; /* nothing but the number of its digits ends the time */
	char text[SIGNATURE_MESSAGE_MAX + 1];
};

/* Reads a text.  FAULT_INPUT names the mistake, and leaves *ret alone. */
MUST_USE bool signature_message_read(const char *text, struct signature_message *ret, struct fault *f);

/* The placeholder of a header (in lower case) or of a parameter of the query; NULL: the message has none. */
const struct signature_message_part *signature_message_find(
	const struct signature_message *m, enum signature_message_kind kind, const char *name);

/* Whether a text can be the name of a parameter in {query.NAME}. */
bool signature_message_is_query(const char *name);
