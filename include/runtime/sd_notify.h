#pragma once

#include "base/base.h"

/* Notifications to the service manager, by the protocol of sd_notify(3), for units with Type=notify.
 *
 * Without a service manager, and when a notification cannot be sent, these functions do nothing: the program works
 * the same way with and without it. */

/* Sends assignments, one a line, such as "READY=1\nSTATUS=works"; a text of more than 255 bytes is cut.  Never
 * waits. */
void sd_notify_send(const char *format, ...) PRINTF_LIKE(1, 2);

/* Milliseconds from one WATCHDOG=1 to the next: half of what the service manager allows, so that one may be late.
 * 0: the unit has no WatchdogSec. */
int sd_notify_watchdog_ms(void);
