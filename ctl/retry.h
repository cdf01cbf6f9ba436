#pragma once

/* "retry": calls the processor again for one transaction, or for all FAILED ones that match a filter.  Returns the exit
 * status. */
int retry_run(int argc, char **argv);
