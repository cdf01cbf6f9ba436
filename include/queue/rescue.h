#pragma once

#include "pg/db.h"

/* The statements that free the jobs of lost workers; each records the attempts as unknown. */

/* Parameters: the worker's number, the heartbeat that was observed, the most jobs to free.  Returns the worker's host and
 * pid and the number of jobs freed; no row if its heartbeat has changed or its row is gone. */
extern const struct statement RESCUE_DEAD;

/* For jobs of owners without a row in workers.  Parameter: the most jobs to free.  Returns their number. */
extern const struct statement RESCUE_ORPHANS;
