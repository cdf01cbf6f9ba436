#pragma once

/* Shared by the commands of payhook-ctl.  Each command is a function NAME_run() that gets the arguments behind its
 * name, prints results to standard output and errors to standard error, and returns the exit status. */

#define CTL_PROGRAM "payhook-ctl"

/* Prints an error to standard error, after the program's name. */
void ctl_complain(const char *complaint);
