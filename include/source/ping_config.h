#pragma once

#include "base/base.h"
#include "json/config.h"
#include "source/source.h"

/* Reads "ping" of a source after its body, filter, items and mapping: {"form": field}, or {"at": pointer, "is": [word,
 * ...]}, or {"header": name, "is": [word, ...]}.  The member may be absent.  A ping that could be an event of the source is a
 * mistake.  Mistakes are reported by json_config_complain(); s->ping must not be used if there was one. */
void ping_configure(const struct json_place *p, struct source *s);
