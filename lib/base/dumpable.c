/* dumpable.c - keeps the secrets of a program from the other processes of its user. */

#include "base/dumpable.h"

#include <sys/prctl.h>

/* prctl() cannot fail here: the kernel refuses other values only. */
void dumpable_clear(void)
{
	prctl(PR_SET_DUMPABLE, 0);
}
