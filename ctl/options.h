#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/base.h"

/* The arguments of a command: options in any order, and one operand at most.
 *
 * An option is "--name VALUE", "--name=VALUE" or, with a flag, "--name".  Behind "--" is the operand, whatever it begins
 * with.  A value must not be empty: the empty value of a variable that a script forgot to set would widen a filter. */

struct option {
	const char *name;   /* with its hyphens */
	const char **value; /* NULL: it is a flag */
	bool *flag;         /* NULL: it has a value */
};

/* Writes the values, which are those of argv.  *operand stays NULL if there is none; a NULL operand allows none.
 * Complains and returns false if an argument does not fit. */
MUST_USE bool options_read(const struct option *options, size_t count, int argc, char **argv, const char **operand);
