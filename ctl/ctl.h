#pragma once

/* What the commands of payhook-ctl share. */

#define CTL_PROGRAM "payhook-ctl"

/* Prints a complaint to standard error, the program's name before it. */
void ctl_complain(const char *complaint);
