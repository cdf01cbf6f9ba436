#pragma once

#include <stdbool.h>

/* Whether the value of a Content-Type header means JSON in UTF-8: application/json, with charset=utf-8 or no charset,
 * in any case.  Other parameters are ignored.  "" stands for a missing header, and is not JSON. */
bool content_type_is_json(const char *content_type);
