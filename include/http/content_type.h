#pragma once

#include <stdbool.h>

/* Whether a Content-Type is application/json, with no charset but utf-8.  The text is a header's value; "" where there is none. */
bool content_type_is_json(const char *content_type);
