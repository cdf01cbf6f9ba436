#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "auth/api_keys.h"
#include "base/base.h"
#include "runtime/settings.h"
#include "source/source.h"

/* The complete configuration of a responder: the settings, and the files that SOURCES_FILE and API_KEYS_FILE name.
 * The start of a responder, "payhook-app --check" before a reload, and "payhook-ctl check" all read it by this code,
 * so a configuration that passes a check is also accepted at the start. */
struct configuration {
	struct settings settings;
	struct sources sources;
	struct api_keys keys; /* empty if API_KEYS_FILE is not set */
};

/* Reads the whole configuration into *ret, which the caller has zeroed.  Every error is reported, never with the
 * value of a secret; the result is then false, and *ret needs no configuration_finish().  DATABASE_URL or
 * POSTGRES_HOST must be set.  REQUIRE_SIGNATURES=true makes a source that accepts unsigned webhooks an error,
 * PROCESSOR_BODY=original one with items, and neither TLS_PORT nor REAL_IP_FROM one that is sent a token or a password.
 *
 * The environment variables that SOURCES_FILE names for secrets are overwritten after use, so a process can read its
 * configuration only once. */
MUST_USE bool configuration_read(struct configuration *ret, void (*report)(const char *complaint));

/* Wipes the secrets of the sources.  The keys need no wiping: only their SHA-256 is kept. */
void configuration_finish(struct configuration *c);

/* Reads the configuration and prints it: the effective settings with secrets hidden, a line for each source, with a
 * warning if its events may hide each other (source/identity.h), a line for each key.  Reports errors as
 * configuration_read() does; false: there was one.  Like configuration_read() it works only once in a process. */
MUST_USE bool configuration_check(FILE *out, void (*report)(const char *complaint));

/* The signature scheme of a source as SOURCES_FILE writes it, for logs and listings: the scheme's name, "none" or
 * "closed". */
const char *configuration_scheme(const struct source *s);
