/* hosts.c - rotates a comma-separated list.
 *
 * The list belongs to libpq, which has allocated it and frees it.  It is therefore changed in place, and its length
 * stays the same.  Which attempt begins with which host is decided in connection.c. */

#include "pg/hosts.h"

#include <string.h>

static void reverse(char *text, size_t len)
{
	for (size_t i = 0; i < len / 2; i++) {
		char c = text[i];
		text[i] = text[len - 1 - i];
		text[len - 1 - i] = c;
	}
}

unsigned hosts_count(const char *list)
{
	unsigned count = 1;
	for (; *list; list++)
		count += *list == ',';
	return count;
}

bool hosts_has(const char *list, unsigned place, const char *text)
{
	for (place = hosts_count(list) == 1 ? 0 : place; place > 0; place--) {
		list += strcspn(list, ",");
		if (!*list)
			return false;
		list++;
	}
	size_t len = strcspn(list, ",");
	return strlen(text) == len && memcmp(list, text, len) == 0;
}

/* With a comma in place of the NUL, every element ends in a comma.  Two adjacent parts change places when each is
 * reversed and then both together. */
void hosts_turn(char *list, unsigned turns)
{
	size_t len = strlen(list), at = 0;
	for (turns %= hosts_count(list); turns > 0; turns--)
		at += strcspn(list + at, ",") + 1;
	list[len] = ',';
	reverse(list, at);
	reverse(list + at, len + 1 - at);
	reverse(list, len + 1);
	list[len] = '\0';
}
