#pragma once

#include "base/base.h"

/* The limit of open descriptors.  The usual soft limit, 1,024, is less than a responder's slots or a worker's calls. */

/* Raises the soft limit to so many descriptors, or to the hard limit if that is lower; never lowers it.  Returns the
 * limit in force, at most INT_MAX, so that the caller can report one that is too low; -1 if it cannot be read. */
int descriptors_raise(int wanted);
