#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "support/instance.h"

/* What an instance's parts have logged. */

/* Whether every line of responders, worker and nginx's requests is one JSON object of the common shape, and none holds what
 * must not be logged.  False: *trouble shows the first that is not. */
bool logs_are_well_formed(const struct instance *i, char *trouble, size_t size);

/* The first line of a part's log ("pool", "worker", "access") that holds both texts, as far as it fits.  False: there is
 * none. */
bool logs_find(const char *part, const char *text, const char *other, char *ret_line, size_t size);

/* Waits for such a line; fails the test at the deadline. */
void logs_wait(const char *part, const char *text, const char *other, char *ret_line, size_t size);
