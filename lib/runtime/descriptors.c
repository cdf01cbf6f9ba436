/* descriptors.c - raises the limit of open descriptors at the start of a program.
 *
 * The hard limit is the operator's and stays.  With fewer descriptors than wanted the programs still work: a responder
 * closes idle connections, and calls of a worker fail temporarily. */

#include "runtime/descriptors.h"

#include <limits.h>
#include <sys/resource.h>

int descriptors_raise(int wanted)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return -1;
	rlim_t before = limit.rlim_cur;
	if (before < (rlim_t)wanted) {
		limit.rlim_cur = limit.rlim_max < (rlim_t)wanted ? limit.rlim_max : (rlim_t)wanted;
		if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
			limit.rlim_cur = before;
	}
	return limit.rlim_cur > INT_MAX ? INT_MAX : (int)limit.rlim_cur;
}
