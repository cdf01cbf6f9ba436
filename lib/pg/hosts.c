/* hosts.c - which host of several comes first. */

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

/* With a comma in the place of its NUL the list is elements alike; two parts change places by being reversed, and the
 * whole after them. */
void hosts_turn(char *list, unsigned turns)
{
	size_t len = strlen(list), at = 0;
	unsigned count = 1;
	for (const char *c = list; *c; c++)
		count += *c == ',';
	for (turns %= count; turns > 0; turns--)
		at += strcspn(list + at, ",") + 1;
	list[len] = ',';
	reverse(list, at);
	reverse(list + at, len + 1 - at);
	reverse(list, len + 1);
	list[len] = '\0';
}
