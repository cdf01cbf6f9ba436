#pragma once

/* Whether other processes of a program's user may look into it. */

/* The kernel no longer lets processes of the same user trace this one, read or write its memory, or read its environment
 * and its open files in /proc; root may.  There is no core dump either.  The first thing that main() does: a secret is in
 * the environment from the start.  Does not outlast exec. */
void dumpable_clear(void);
