/* host.c - matches the header Host against the names that an operator allows.
 *
 * The comparison grants reads, so it is exact: no wildcards, no part of a name, and a value of unexpected form
 * is not allowed.  Whether a route needs the check is left to the caller. */

#include "http/host.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#define SEPARATORS ", \t"
#define NAME_MAX 253 /* bytes of a name in DNS (RFC 1035, 2.3.4), without the final dot */
#define DIGITS "0123456789"
#define LETTERS DIGITS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_"

/* Returns the next name of the list, not terminated, and sets its length; NULL at the end. */
static const char *next_name(const char **list, size_t *len)
{
	const char *name = *list + strspn(*list, SEPARATORS);
	*len = strcspn(name, SEPARATORS);
	*list = name + *len;
	return *len > 0 ? name : NULL;
}

static bool is_name(const char *name, size_t len)
{
	if (len > NAME_MAX)
		return false;
	for (size_t label; len > 0; name += label + 1, len -= label + 1) {
		label = strspn(name, LETTERS);
		if (label == 0 || label == len)
			return label == len;
		if (label > len || name[label] != '.')
			return false;
	}
	return false; /* it ends with a dot */
}

bool host_list_check(const char *list, struct fault *f)
{
	char quoted[FAULT_QUOTE_MAX];
	const char *name;
	size_t len;
	while ((name = next_name(&list, &len))) {
		if (!is_name(name, len))
			return fault_set(
				f, FAULT_INPUT, "%s is not the name of a host", fault_quote(name, len, quoted));
	}
	return true;
}

/* Copies the value of Host without its port, the brackets of an IPv6 address and a final dot.  False: it has another
 * form or is too long. */
static bool read_host(const char *host, bool *is_bracketed, char ret[NAME_MAX + 1])
{
	*is_bracketed = *host == '[';
	host += *is_bracketed;
	size_t len = strcspn(host, *is_bracketed ? "]" : ":");
	const char *port = host + len;
	if (*is_bracketed && *port++ != ']')
		return false;
	if (*port == ':')
		port += 1 + strspn(port + 1, DIGITS);
	if (*port != '\0')
		return false;
	len -= !*is_bracketed && len > 0 && host[len - 1] == '.';
	if (len == 0 || len > NAME_MAX)
		return false;
	memcpy(ret, host, len);
	ret[len] = '\0';
	return true;
}

bool host_is_allowed(const char *host, const char *list)
{
	char name[NAME_MAX + 1];
	unsigned char address[16];
	const char *allowed;
	bool is_bracketed;
	size_t len;
	if (!host || !*host)
		return true;
	if (!read_host(host, &is_bracketed, name))
		return false;
	if (is_bracketed)
		return inet_pton(AF_INET6, name, address) == 1;
	if (inet_pton(AF_INET, name, address) == 1 || strcasecmp(name, "localhost") == 0)
		return true;
	while ((allowed = next_name(&list, &len))) {
		if (strlen(name) == len && strncasecmp(name, allowed, len) == 0)
			return true;
	}
	return false;
}
