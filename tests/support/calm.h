#pragma once

/* A clock for deadlines of what must come, in milliseconds; it begins anywhere.
 *
 * It runs as the monotonic clock does, less the time in which some process of the machine waited for a processor, or all
 * waited for the disk, by the kernel's pressure stall information (/proc/pressure, Linux's Documentation/accounting/psi.rst):
 * a machine that has other things to do makes nothing late.  It never runs slower than a quarter of the monotonic clock, so
 * every wait ends.  Where the kernel gives no such information it is the monotonic clock.
 *
 * What must not come before its time is measured by now_ms().  Each thread has a clock of its own. */
long long calm_ms(void);
