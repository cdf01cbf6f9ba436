/* pause.c - how long to wait between attempts to connect.  What counts as a failure is decided in connection.c. */

#include "pg/pause.h"

#include "base/clock.h"

#define PAUSE_LEAST_MS 50
#define PAUSE_MOST_MS 1000

int pause_ms(int failures)
{
	int most = PAUSE_LEAST_MS;
	if (failures == 0)
		return 0;
	for (int i = 1; i < failures && most < PAUSE_MOST_MS; i++)
		most *= 2;
	if (most > PAUSE_MOST_MS)
		most = PAUSE_MOST_MS;
	return (int)clock_jitter(most / 2, most);
}
