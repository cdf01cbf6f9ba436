#pragma once

#include "base/base.h"
#include "base/fault.h"

/* Other programs, run to their end; what they print is added to a file. */

MUST_USE bool child_run(const char *const argv[], const char *log, int timeout_ms, struct fault *f);

/* Finds the number behind the last occurrence of a text in a file. */
MUST_USE bool child_output_number(const char *log, const char *text, double *ret, struct fault *f);
