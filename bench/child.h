#pragma once

#include "base/base.h"
#include "base/fault.h"

/* Other programs, run to their end.  Their output is appended to a file. */

/* Runs a program; argv ends with NULL.  A program that still runs after timeout_ms, or when the bench is asked to
 * stop, is killed with its process group.  Returns false also for an exit status other than 0. */
MUST_USE bool child_run(const char *const argv[], const char *log, int timeout_ms, struct fault *f);

/* Reads the number that follows a text, from the last line of a file that contains the text. */
MUST_USE bool child_output_number(const char *log, const char *text, double *ret, struct fault *f);
