#pragma once

#include "base/base.h"
#include "base/fault.h"

/* Connects to a TCP port of this machine.  The socket blocks, for at most 5 s in a call, and has TCP_NODELAY.  -1:
 * *f has the reason. */
MUST_USE int dial(int port, struct fault *f);

/* Waits until a port accepts connections. */
MUST_USE bool dial_await(int port, int timeout_ms, struct fault *f);

/* A port that was free a moment ago.  Another process may take it before the one that it is meant for. */
int dial_free_port(void);
