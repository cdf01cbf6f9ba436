#pragma once

#include <stdbool.h>

#include "base/base.h"
#include "json/config.h"
#include "source/mapping.h"
#include "txn/currency.h"

/* Reads a "filter" and a "mapping" of a source's configuration.  Each of the two may be absent; without "mapping" the
 * body has payhook's own form.  needs_amount: an amount and a currency are wanted; otherwise they may both be left out, since
 * nothing in the body is signed.  Mistakes are reported by json_config_complain(); *ret must not be used if there was
 * one. */
void mapping_configure(const struct json_place *filter, const struct json_place *mapping,
	const struct currency_extras *extras, bool needs_amount, struct mapping *ret);
