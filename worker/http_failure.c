/* http_failure.c - failures of an HTTP call that are not the processor's.
 *
 * Memory, descriptors and local ports can run out here, and TLS may not take what it needs, such as a client certificate
 * with too weak a key.  A name that cannot be resolved, a refused connection and a timeout count as the processor's:
 * from here they look the same as its outage. */

#include "http_failure.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

static bool is_exhausted(long error)
{
	return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM || error == EADDRNOTAVAIL;
}

const char *http_failure_own(CURL *easy, CURLcode result, int socket_errno)
{
	static const CURLcode OWN[] = {CURLE_OUT_OF_MEMORY, CURLE_FAILED_INIT, CURLE_SSL_CACERT_BADFILE,
		CURLE_SSL_CERTPROBLEM, CURLE_SSL_ENGINE_INITFAILED};
	for (size_t i = 0; i < sizeof OWN / sizeof *OWN; i++) {
		if (result == OWN[i])
			return curl_easy_strerror(result);
	}
	if (is_exhausted(socket_errno))
		return strerror(socket_errno);
	/* Of connect(), which needs a local port. */
	long error = 0;
	curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &error);
	return result == CURLE_COULDNT_CONNECT && is_exhausted(error) ? strerror((int)error) : NULL;
}
