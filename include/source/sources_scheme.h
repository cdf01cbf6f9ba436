#pragma once

#include "json/config.h"
#include "source/source.h"
#include "source/sources_secrets.h"

/* The members of a source in the operator's list that belong to its signature scheme. */

enum signing_member {
	SIGNING_SCHEME,
	SIGNING_SECRETS,
	SIGNING_TOLERANCE,
	SIGNING_URL,
	SIGNING_WEBHOOK_ID,
	SIGNING_HEADER,
	SIGNING_PREFIX,
	SIGNING_ALGORITHM,
	SIGNING_ENCODING,
	SIGNING_TIMESTAMP_HEADER,
	SIGNING_SEPARATOR,
	SIGNING_TIMESTAMP_UNIT,
	SIGNING_FORM,
	SIGNING_SIGNED,
	SIGNING_KEY,
	SIGNING_BASIC,
	SIGNING_MEMBERS,
};

/* Their names, as initializers of an array. */
#define SIGNING_MEMBER_NAMES                                                                               \
	[SIGNING_SCHEME] = "scheme", [SIGNING_SECRETS] = "secrets", [SIGNING_TOLERANCE] = "tolerance_s",   \
	[SIGNING_URL] = "url", [SIGNING_WEBHOOK_ID] = "webhook_id", [SIGNING_HEADER] = "header",           \
	[SIGNING_PREFIX] = "prefix", [SIGNING_ALGORITHM] = "algorithm", [SIGNING_ENCODING] = "encoding",   \
	[SIGNING_TIMESTAMP_HEADER] = "timestamp_header", [SIGNING_SEPARATOR] = "separator",                \
	[SIGNING_TIMESTAMP_UNIT] = "timestamp_unit", [SIGNING_FORM] = "form", [SIGNING_SIGNED] = "signed", \
	[SIGNING_KEY] = "key", [SIGNING_BASIC] = "basic"

/* Reads the members, of which there are SIGNING_MEMBERS, into ret's auth and signer.  ret is the last of all.  Mistakes are
 * reported by json_config_complain(); *ret must not be used if there was one, and may have secrets to be freed. */
void sources_scheme_read(const struct json_place member[], const struct sources_outside *outside,
	const struct sources *all, struct source *ret);

/* Whether the members leave the body among what is signed: for the mapping, which is read before the scheme. */
bool sources_scheme_signs_body(const struct json_place member[]);
