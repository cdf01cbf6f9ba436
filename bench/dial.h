#pragma once

#include "base/base.h"
#include "base/fault.h"

/* Connects to a TCP port of this machine.  The socket blocks, for at most 5 s in a call, and has TCP_NODELAY.  -1:
 * *f has the reason. */
MUST_USE int dial(int port, struct fault *f);
