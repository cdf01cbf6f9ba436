#pragma once

#include <stdbool.h>

#include "auth/api_keys.h"
#include "base/base.h"

/* Reads the operator's file of keys.  Whatever is wrong is told, and the result false; ret then has no key. */
MUST_USE bool api_keys_load(const char *path, void (*report)(const char *complaint), struct api_keys *ret);
