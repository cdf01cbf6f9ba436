#pragma once

#include <stdbool.h>

#include "base/base.h"
#include "inquiry.h"

/* One transaction with all that happened to it, "show", and one payment with its events, "payment".  Each command returns
 * the exit status. */

int show_run(int argc, char **argv);
int payment_run(int argc, char **argv);

/* The source of the only transaction of this id; as_payment: of the only payment.  a is used for the call, and source is
 * valid until its next one.  Complains, sets a->exit_status and returns false if there is none or if several sources have
 * one. */
#define STORY_SOURCE_MAX 1024 /* bytes with the NUL; a source has 255 at most */
MUST_USE bool story_source(struct inquiry *a, const char *id, bool as_payment, char source[STORY_SOURCE_MAX]);
