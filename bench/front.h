#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/base.h"
#include "base/fault.h"
#include "support/instance.h"

/* nginx for ceilings H and F: with the configuration of an instance, but with less behind it. */

enum front_kind {
	FRONT_ALONE, /* H: nginx answers 202 itself */
	FRONT_ECHO,  /* F: responders without a database answer (echo.c) */
};

struct front {
	int port;
	pid_t nginx, pool; /* 0: not started */
	char folder[96];   /* inside the instance's folder, and removed with it */
};

/* Starts nginx on a free port, with as many responders as the instance like has.  program: the responder for
 * FRONT_ECHO.  After a failure front_stop() ends what was started. */
MUST_USE bool front_start(
	struct front *fr, enum front_kind kind, const struct instance *like, const char *program, struct fault *f);

/* Ends nginx and its responders, if they were started. */
void front_stop(struct front *fr);
