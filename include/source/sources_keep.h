#pragma once

#include "json/config.h"
#include "source/source.h"

/* Reads "unreadable" of a source: what happens to a webhook that is signed right and cannot be mapped.  "refuse", the
 * default, answers 422; "keep" keeps and acknowledges it.  The scheme and the mappings of *ret have been read. */
void sources_keep_read(const struct json_place *unreadable, struct source *ret);
