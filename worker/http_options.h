#pragma once

#include <curl/curl.h>
#include <stdbool.h>

#include "base/base.h"
#include "runtime/settings.h"

/* The options of a curl handle that are the same for each call: its bounds and its trusted certificates. */

/* False: memory is exhausted. */
MUST_USE bool http_options_set(CURL *easy, const struct settings *s);
