#pragma once

#include "base/base.h"
#include "base/fault.h"

/* The messages of the supervisor itself: on the terminal as "payhook: TEXT", and with the time in LOG_FOLDER/payhook.log. */

/* Opens the log, on a descriptor that the processes it starts do not inherit.  The folder's path stays borrowed.  A log
 * that becomes longer than PART_LOG_MOST is renamed to payhook.log.1.  False: FAULT_INPUT. */
MUST_USE bool message_open(const char *log_folder, struct fault *f);

/* Prints one line.  Never waits for the terminal. */
void message(const char *format, ...) PRINTF_LIKE(1, 2);

/* From now on nothing is printed on the terminal, and its reader gets end of file; stderr goes to the log. */
void message_detach(void);
