#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/base.h"
#include "base/fault.h"
#include "instance.h"

/* nginx as an instance has it, by the same configuration, but with less behind it: nobody (it answers 202 itself), or
 * responders without a database. */

enum front_kind { FRONT_ALONE, FRONT_ECHO };

struct front {
	int port;
	pid_t nginx, pool;
	char folder[96];
};

/* program: the responder for FRONT_ECHO. */
MUST_USE bool front_start(
	struct front *fr, enum front_kind kind, const struct instance *like, const char *program, struct fault *f);

/* Whether it was started or not. */
void front_stop(struct front *fr);
