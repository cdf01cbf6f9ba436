/* calm.c - a clock that waits for a busy machine. */

#include "support/calm.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define SLOWEST 4     /* a quarter of the monotonic clock */
#define LOOK_US 50000 /* the kernel rounds what it adds at each look down to its ticks, of 1 to 10 ms */

static long long monotonic_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

/* Microseconds since the machine's start; 0 if the kernel does not say. */
static long long stalled_us(const char *file, const char *kind)
{
	char line[160];
	long long total = 0;
	FILE *f = fopen(file, "re");

	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		const char *at = strstr(line, " total=");
		if (strncmp(line, kind, strlen(kind)) == 0 && at != NULL)
			sscanf(at, " total=%lld", &total);
	}
	if (f != NULL)
		fclose(f);
	return total;
}

long long calm_ms(void)
{
	static _Thread_local long long calm, last, last_stalled; /* microseconds */
	long long now = monotonic_us(), slowest = (now - last) / SLOWEST;

	if (last != 0 && now - last < LOOK_US)
		return (calm + slowest) / 1000;
	long long stalled = stalled_us("/proc/pressure/cpu", "some ") + stalled_us("/proc/pressure/io", "full ");
	long long without = now - last - (stalled - last_stalled);
	if (last == 0)
		calm = now;
	else
		calm += without > slowest ? without : slowest;
	last = now;
	last_stalled = stalled;
	return calm / 1000;
}
