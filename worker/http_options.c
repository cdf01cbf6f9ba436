/* http_options.c - what an HTTP call may do and how long it may take, whatever its transaction is. */

#include "http_options.h"

#define READ_SIZE 4096 /* bytes of curl's read buffer; its default of 16 KiB is meant for downloads */
#define IDLE_S 50      /* longest idle time of a reused connection: load balancers drop connections after 60 s */
#define DNS_S 60       /* time for which a resolved address is cached */
#define KEEPALIVE_S 30 /* idle time before the first TCP keepalive probe, and between two */

/* The options that keep a call within bounds.
 *
 * Only http and https are allowed, redirects are not followed, and proxies named in the environment are not used:
 * the transaction goes to PROCESSOR_URL and nowhere else.  NOSIGNAL keeps curl from using SIGALRM.  Without
 * QUICK_EXIT, curl would wait for the resolver's thread when a call ends during a name look-up, and the whole worker
 * with it. */
static int set_bounds(CURL *easy, const struct settings *s)
{
	int bad = 0;
	bad |= (int)curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	bad |= (int)curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	bad |= (int)curl_easy_setopt(easy, CURLOPT_PROXY, "");
	bad |= (int)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	bad |= (int)curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 1L);
	bad |= (int)curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
	bad |= (int)curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)s->processor_connect_timeout_ms);
	bad |= (int)curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)s->processor_timeout_ms);
	bad |= (int)curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, (long)IDLE_S);
	bad |= (int)curl_easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT, (long)DNS_S);
	bad |= (int)curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)READ_SIZE);
	bad |= (int)curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	bad |= (int)curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, (long)KEEPALIVE_S);
	bad |= (int)curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, (long)KEEPALIVE_S);
	return bad;
}

static int set_blob(CURL *easy, CURLoption option, const struct buf *pem)
{
	struct curl_blob blob = {.data = pem->data, .len = pem->len, .flags = CURL_BLOB_NOCOPY};
	return pem->len > 0 ? (int)curl_easy_setopt(easy, option, &blob) : 0;
}

/* curl shares the trusted certificates between connections only if it reads them from a bundle and from no folder.
 * Otherwise each connection reads them again, which takes 20 ms and 1 MB, and the last of 256 new connections is too
 * late for its handshake.  Debian's folder has the same certificates as its bundle.  Without a bundle, the folder
 * stays. */
static int set_trust(CURL *easy, const struct call_options *o)
{
	char *bundle = NULL;
	if (o->ca.len > 0)
		return set_blob(easy, CURLOPT_CAINFO_BLOB, &o->ca) | (int)curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	curl_easy_getinfo(easy, CURLINFO_CAINFO, &bundle);
	return bundle ? (int)curl_easy_setopt(easy, CURLOPT_CAPATH, NULL) : 0;
}

/* PEM in memory was checked when it was read; a file that is replaced during a connection was not. */
static int set_client(CURL *easy, const struct call_options *o)
{
	return set_blob(easy, CURLOPT_SSLCERT_BLOB, &o->certificate) | set_blob(easy, CURLOPT_SSLKEY_BLOB, &o->key);
}

bool http_options_set(CURL *easy, const struct call_options *o)
{
	return !set_bounds(easy, o->settings) && !set_trust(easy, o) && !set_client(easy, o);
}
