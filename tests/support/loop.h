#pragma once

#include <stdbool.h>

#include "base/base.h"
#include "pg/connection.h"

/* An event loop for tests of what runs on one. */

/* Lanes to the test's database, on a loop of their own. */
struct connect_state *loop_open(void);

/* The loop itself, for the lanes of what plays another process. */
struct event_base *loop_base(void);

void loop_close(void);

/* Turns the loop until the condition holds.  Fails the test after ten seconds. */
void loop_until(bool (*holds)(void *ctx), void *ctx, const char *what);

/* Turns the loop for a time in which something must not happen. */
void loop_for(int ms);
