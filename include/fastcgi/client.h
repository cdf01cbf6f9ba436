#pragma once

#include "base/base.h"
#include "fastcgi/request.h"

/* Where the client of a request is. */

/* Whether a proxy that REAL_IP_FROM names reported the client: nginx has then replaced the address.  A named proxy that
 * reports none does not differ from an unnamed one. */
MUST_USE bool client_is_behind_named_proxy(const struct request *rq);

/* Whether a proxy that REAL_IP_FROM does not name forwarded the request.  The address is then the proxy's. */
MUST_USE bool client_is_forwarded(const struct request *rq);

/* Whether the client is on this host or in a private network: by its address or by the port (enum clients), unless a proxy
 * that REAL_IP_FROM does not name forwarded the request.  The client may then be anywhere. */
MUST_USE bool client_is_local(const struct request *rq);

/* Whether a page of another site made the request, as the browser itself states. */
MUST_USE bool client_is_cross_site(const struct request *rq);
