#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "auth/api_keys.h"
#include "base/base.h"
#include "runtime/settings.h"
#include "source/source.h"

/* All that an operator configures for the responders: the settings, and the files that SOURCES_FILE and API_KEYS_FILE name.
 * What starts a responder and what checks a configuration before a start or a reload read it by the same rules. */
struct configuration {
	struct settings settings;
	struct sources sources;
	struct api_keys keys; /* none where API_KEYS_FILE is unset */
};

/* Reads all of it.  Each mistake is reported, without a secret's value; then the result is false and nothing has to be
 * finished.  A database must be named, and REQUIRE_SIGNATURES=true refuses a source that takes unsigned webhooks.
 * Environment variables that held secrets are overwritten, so a process can read its configuration once. */
MUST_USE bool configuration_read(struct configuration *ret, void (*report)(const char *complaint));

/* Wipes the secrets. */
void configuration_finish(struct configuration *c);

/* Prints the settings in force, a line for each source and a line for each key, and reports mistakes as
 * configuration_read() does; false: there was one.  For --check. */
MUST_USE bool configuration_check(FILE *out, void (*report)(const char *complaint));

/* The source's scheme for logs and listings: the scheme's name, "none" or "closed". */
const char *configuration_scheme(const struct source *s);
