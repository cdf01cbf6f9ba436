#pragma once

#include <stdbool.h>

/* Comma-separated lists of a connection string, "db1,db2,db3": hosts, addresses and ports.  The elements at the same
 * position of the lists belong together, so all lists must be rotated by the same number. */

/* Rotates the list in place: with turns 1, "db1,db2,db3" becomes "db2,db3,db1".  turns may exceed the number of
 * elements; a list of one element stays as it is. */
void hosts_turn(char *list, unsigned turns);

/* Whether the element at this place, counted from 0, is the given text.  A list of one element has it at every place. */
bool hosts_has(const char *list, unsigned place, const char *text);

/* The number of elements, at least 1. */
unsigned hosts_count(const char *list);
