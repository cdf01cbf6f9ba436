#pragma once

#include <event2/event.h>

#include "plan.h"

/* Works through the plan, keeps the parts running until a signal asks to stop, and stops them, wave by wave.  Returns
 * the exit status: 0 after a stop, the status of the step that failed, or 128 and the number of the signal that
 * interrupted the start. */
int supervisor_run(struct event_base *base, const struct plan *plan);
