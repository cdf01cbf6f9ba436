#pragma once

#include "base/base.h"

/* The service manager that started this program, when it wants to be told (sd_notify(3), Type=notify).  Without one, and
 * when it does not listen, telling does nothing: it is a hint to whoever looks. */

/* Assignments, a line each: "READY=1\nSTATUS=claims". */
void sd_notify_send(const char *format, ...) PRINTF_LIKE(1, 2);

/* How often the manager wants to hear WATCHDOG=1 at the least, halved, so that one may be late; 0: it does not. */
int sd_notify_watchdog_ms(void);
