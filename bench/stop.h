#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Ctrl-C and SIGTERM: whoever waits asks, and everything that was started is taken down on the way out. */

void stop_listen(void);
bool stop_asked(void);

/* Nanoseconds of the monotonic clock. */
int64_t now_ns(void);

/* Waits.  False: it was asked to stop. */
bool wait_ms(int ms);
