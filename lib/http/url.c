/* url.c - checks a URL before it is used.
 *
 * A wrong URL is reported when the settings are read, not by the first call that fails.  The check is stricter than
 * RFC 3986 and knows the two schemes only.  Names are not resolved: whether the host exists shows when it is called. */

#include "http/url.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#define HOST_MAX 253 /* characters of a DNS name, 255 bytes on the wire (RFC 1035, section 2.3.4) */

/* The rest of the URL after http:// or https://, in either case; NULL for another scheme. */
static const char *after_scheme(const char *url)
{
	if (strncasecmp(url, "http://", 7) == 0)
		return url + 7;
	return strncasecmp(url, "https://", 8) == 0 ? url + 8 : NULL;
}

/* Whether every byte may stand in a request line: no space, no control character, no byte above 126. */
static bool url_is_visible(const char *url)
{
	for (; *url; url++) {
		if (*url < '!' || *url > '~')
			return false;
	}
	return true;
}

/* The length of an IPv6 address in brackets, including them; 0 if there is none. */
static size_t bracketed(const char *text, size_t len)
{
	char address[INET6_ADDRSTRLEN];
	struct in6_addr ignored;
	const char *end = memchr(text, ']', len);
	size_t inside = end ? (size_t)(end - text - 1) : 0;
	if (!end || inside >= sizeof address)
		return 0;
	memcpy(address, text + 1, inside);
	address[inside] = '\0';
	return inet_pton(AF_INET6, address, &ignored) == 1 ? inside + 2 : 0;
}

/* The length of the host at the start of text; 0 if it has none.  A host name has no underscore, but names
 * of containers have it. */
static size_t host_length(const char *text, size_t len)
{
	static const char LETTERS[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
	if (len > 0 && *text == '[')
		return bracketed(text, len);
	size_t host = strspn(text, LETTERS);
	return host <= HOST_MAX ? host : 0;
}

/* Whether the rest of the authority is empty, or ":" and a number from 1 to 65535. */
static bool port_valid(const char *text, size_t len)
{
	if (len == 0)
		return true;
	int port = 0;
	for (size_t i = 1; i < len; i++) {
		if (text[i] < '0' || text[i] > '9' || len > 6)
			return false;
		port = port * 10 + (text[i] - '0');
	}
	return text[0] == ':' && port >= 1 && port <= 65535;
}

bool url_check(const char *url, struct fault *f)
{
	const char *host = after_scheme(url);
	if (!host)
		return fault_set(f, FAULT_INPUT, "it begins with neither http:// nor https://");
	if (!url_is_visible(url))
		return fault_set(f, FAULT_INPUT, "a space, or another byte that must be percent-encoded, stands in it");
	if (strchr(url, '#'))
		return fault_set(f, FAULT_INPUT, "it has a fragment (#), which is never sent");
	size_t authority = strcspn(host, "/?");
	if (memchr(host, '@', authority))
		return fault_set(f, FAULT_INPUT, "a user or a password must not stand in it");
	size_t host_len = host_length(host, authority);
	if (host_len == 0)
		return fault_set(f, FAULT_INPUT, "it has no host, or one that is neither a name nor an address");
	if (!port_valid(host + host_len, authority - host_len))
		return fault_set(f, FAULT_INPUT, "after the host stands no port from 1 to 65535");
	return true;
}
