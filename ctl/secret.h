#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/base.h"

/* The text of a secret that SOURCES_FILE refers to, for schemes that send the secret itself: a signer keeps digests only. */

#define SECRET_TEXT_MAX 1024 /* bytes, the NUL included: what a header may have */

/* Reads the secret at a pointer into the source of this name: "/secrets/0" or "/basic".  To be called before sources_load(),
 * which overwrites what environment variables have.  Empty: there is none, it is too long, or it cannot be read; then
 * sources_load() reports that. */
void secret_read(const char *sources_file, const char *source, const char *pointer, char ret[SECRET_TEXT_MAX]);
