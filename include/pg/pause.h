#pragma once

/* The pause before an attempt to connect. */

/* Returns milliseconds: 0 without a failure, else a random number from the upper half of a bound that doubles with each
 * failure, from 50 ms to 1 s.  So a server that comes back is found within a second, and the processes that have lost
 * it do not all come at once. */
int pause_ms(int failures);
