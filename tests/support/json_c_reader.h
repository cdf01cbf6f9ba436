#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Returns whether json-c accepts a text that json_scan() accepts, and has the same members and values as json/value.h
 * finds.  In a file of its own because json-c and jansson have names in common. */
bool json_c_reads_it(const char *text, size_t len);
