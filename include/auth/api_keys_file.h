#pragma once

#include <stdbool.h>

#include "auth/api_keys.h"
#include "base/base.h"

/* Reads the API keys from the operator's file (setting API_KEYS_FILE).  Calls report with one line for each mistake, an
 * unreadable file included; the line is valid during the call.  Returns false if there was a mistake; ret then has no
 * key. */
MUST_USE bool api_keys_load(const char *path, void (*report)(const char *complaint), struct api_keys *ret);
