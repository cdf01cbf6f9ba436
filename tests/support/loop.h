#pragma once

#include <stdbool.h>

#include "base/base.h"
#include "pg/connection.h"

/* An event loop for tests of code that runs on one. */

/* Creates a loop and the parameters for connections to the test's database on it. */
struct connect_state *loop_open(void);

/* The loop itself, for connections of a second simulated process. */
struct event_base *loop_base(void);

void loop_close(void);

/* Runs the loop until the condition holds.  Fails the test after ten seconds. */
void loop_until(bool (*holds)(void *ctx), void *ctx, const char *what);

/* Runs the loop for this time, in which something must not happen. */
void loop_for(int ms);
