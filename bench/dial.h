#pragma once

#include "base/base.h"
#include "base/fault.h"

/* A connection to a port of this machine; -1: there is none. */
MUST_USE int dial(int port, struct fault *f);
