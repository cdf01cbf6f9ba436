#pragma once

#include "base/base.h"
#include "fastcgi/fastcgi.h"
#include "service.h"

/* What a responder serves, within which bounds, and that each request is counted. */

/* nginx keeps at most 4 x 192 = 768 idle connections: its worker processes (ops/nginx.sh) times the upstream's keepalive
 * (nginx/payhook.conf.in).  All may lead to one responder, which then has 256 slots for requests on new connections.
 * An nginx of the host may run more worker processes; then the responder closes the connections that were idle longest.
 * tests/style/bounds.py compares the numbers. */
#define FASTCGI_SLOTS 1024

/* The plan of a responder with these settings. */
struct fastcgi_plan served_plan(const struct settings *s);
