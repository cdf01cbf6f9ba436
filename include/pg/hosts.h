#pragma once

/* The lists of a connection string, "db1,db2,db3": hosts, addresses and ports, each in the order of the hosts. */

/* Begins the list with its next element, turns times over; the first come behind the last.  In place: it stays as long. */
void hosts_turn(char *list, unsigned turns);
