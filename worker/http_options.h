#pragma once

#include <curl/curl.h>
#include <stdbool.h>

#include "base/base.h"
#include "call_options.h"

/* The options of a curl handle that are the same for each call: its bounds, its trusted certificates and its own. */

/* *o must outlive the handle.  False: memory is exhausted. */
MUST_USE bool http_options_set(CURL *easy, const struct call_options *o);
