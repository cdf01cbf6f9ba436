/* url.c - whether a URL can be called. */

#include "http/url.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#define HOST_MAX 253 /* of a name in the DNS */

static const char *after_scheme(const char *url)
{
	if (strncasecmp(url, "http://", 7) == 0)
		return url + 7;
	return strncasecmp(url, "https://", 8) == 0 ? url + 8 : NULL;
}

static bool url_is_visible(const char *url)
{
	for (; *url; url++) {
		if (*url < '!' || *url > '~')
			return false;
	}
	return true;
}

/* An address of IPv6 between brackets; the length with them, 0: it is none. */
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

static size_t host_length(const char *text, size_t len)
{
	static const char LETTERS[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
	if (len > 0 && *text == '[')
		return bracketed(text, len);
	size_t host = strspn(text, LETTERS);
	return host <= HOST_MAX ? host : 0;
}

/* Nothing, or ":" and a number from 1 to 65535. */
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
