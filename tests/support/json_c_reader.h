#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Whether json-c accepts a text that json_scan() accepts, and finds the members and values that json_value.h finds.  Apart
 * from the tests because json-c and jansson have names in common. */
bool json_c_reads_it(const char *text, size_t len);
