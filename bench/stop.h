#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Stopping by Ctrl-C, SIGTERM or SIGHUP.  The handler only sets a flag.  Every loop that waits looks at it and
 * returns a fault, so all that was started is stopped on the normal way out. */

/* Installs the handlers, and ignores SIGPIPE. */
void stop_listen(void);

/* True once a signal has arrived. */
bool stop_asked(void);

/* Nanoseconds of the monotonic clock. */
int64_t now_ns(void);

/* Waits for ms milliseconds, or until a signal arrives; then returns false. */
bool wait_ms(int ms);
