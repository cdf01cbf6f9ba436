#pragma once

#include "runtime/settings.h"

/* "--verify SOURCE [--at TIME] < request.http": tells an operator why a captured request does or does not verify, and
 * what becomes of it; no secret, and no digest that would verify, is told.  Returns the exit status: 0 it verifies, 1 it
 * does not, 2 there was nothing to judge. */
int verify_run(const struct settings *settings, int argc, char **argv);
