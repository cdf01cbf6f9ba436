#pragma once

#include <stdbool.h>

#include "base/base.h"
#include "source/mapping.h"
#include "txn/currency.h"
#include "json/config.h"

/* The part of a source's configuration that says how its payload is read: "items", "filter" and "mapping".  Each of the
 * three may lack a value.  Complains about what is wrong. */
void mapping_configure(const struct json_place *items, const struct json_place *filter,
	const struct json_place *mapping, const struct currency_extras *extras, struct mapping *ret);
