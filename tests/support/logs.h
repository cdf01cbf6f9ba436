#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "support/instance.h"

/* The logs of an instance's parts. */

/* Checks that every line of the responders, the worker and nginx's access log is one JSON object of the common form,
 * and that none contains data that must not be logged.  Returns false with the first wrong line in *trouble. */
bool logs_are_well_formed(const struct instance *i, char *trouble, size_t size);

/* Copies the first line of a log ("pool", "worker", "access") that contains both texts, cut to the buffer.  Returns
 * false if there is none. */
bool logs_find(const char *part, const char *text, const char *other, char *ret_line, size_t size);

/* The number of such lines. */
int logs_count(const char *part, const char *text, const char *other);

/* Waits for such a line; fails the test at the deadline. */
void logs_wait(const char *part, const char *text, const char *other, char *ret_line, size_t size);
