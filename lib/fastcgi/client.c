/* client.c - where the client of a request is, by what nginx reports and what the client sent.
 *
 * An address proves little behind a proxy that nobody named, and nothing in a browser that shows another site's page.  The
 * three questions are apart, since the programs decide differently on them. */

#include "fastcgi/client.h"

#include <string.h>
#include <strings.h>

#include "http/network.h"

bool client_is_behind_named_proxy(const struct request *rq)
{
	return *rq->peer && strcmp(rq->peer, rq->address) != 0;
}

bool client_is_forwarded(const struct request *rq)
{
	/* Of the standards, of nginx, HAProxy and Envoy, and of the large content delivery networks. */
	static const char *const HEADERS[] = {"x-forwarded-for", "forwarded", "via", "x-real-ip", "x-forwarded-host",
		"x-forwarded-proto", "x-forwarded-port", "x-forwarded-server", "x-forwarded", "forwarded-for",
		"x-original-forwarded-for", "x-client-ip", "x-cluster-client-ip", "true-client-ip", "cf-connecting-ip",
		"fastly-client-ip", "x-envoy-external-address"};
	if (client_is_behind_named_proxy(rq))
		return false;
	return rq->has_header(rq, HEADERS, COUNT_OF(HEADERS));
}

bool client_is_local(const struct request *rq)
{
	if (rq->clients == CLIENTS_REMOTE || client_is_forwarded(rq))
		return false;
	return rq->clients == CLIENTS_LOCAL || network_is_private(rq->address);
}

/* Sec-Fetch-Site is the browser's own statement, which no page can change (Fetch Metadata, W3C). */
bool client_is_cross_site(const struct request *rq)
{
	const char *site = rq->header(rq, "sec-fetch-site");
	return site && strcasecmp(site, "cross-site") == 0;
}
