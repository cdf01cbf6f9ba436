#pragma once

#include <stdbool.h>

#include "api_keys.h"
#include "base/base.h"

/* Reads the operator's file of keys.  Whatever is wrong is told, and the result false; ret then has no key. */
MUST_USE bool api_keys_load(const char *path, void (*told)(const char *complaint), struct api_keys *ret);
