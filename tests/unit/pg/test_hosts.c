/* test_hosts.c - rotating the list of hosts in a connection string, so that each attempt begins with the next host. */

#include <criterion/criterion.h>
#include <stdio.h>

#include "pg/hosts.h"

static void turns(const char *list, unsigned times, const char *expected)
{
	char text[64];
	snprintf(text, sizeof text, "%s", list);
	hosts_turn(text, times);
	cr_expect_str_eq(text, expected, "%s turned %u times is %s", list, times, text);
}

Test(hosts, begins_with_the_next_and_comes_round)
{
	turns("db1,db2,db3", 0, "db1,db2,db3");
	turns("db1,db2,db3", 1, "db2,db3,db1");
	turns("db1,db2,db3", 2, "db3,db1,db2");
	turns("db1,db2,db3", 3, "db1,db2,db3");
	turns("db1,db2,db3", 4294967295U, "db1,db2,db3");
	turns("a,long.example,/run/x", 1, "long.example,/run/x,a");
}

Test(hosts, leaves_one_host_alone)
{
	turns("db1", 7, "db1");
	turns("", 7, "");
}

Test(hosts, keeps_empty_elements)
{
	turns(",5433,", 1, "5433,,");
	turns(",,", 1, ",,");
}

Test(hosts, are_counted_and_found_by_their_place)
{
	cr_expect_eq(hosts_count("db1,db2,db3"), 3);
	cr_expect_eq(hosts_count(""), 1);
	cr_expect(hosts_has("db1,db2,db3", 0, "db1"));
	cr_expect(hosts_has("db1,db2,db3", 2, "db3"));
	cr_expect_not(hosts_has("db1,db2,db3", 1, "db"));
	cr_expect_not(hosts_has("db1,db2,db3", 1, "db2,db3"));
	cr_expect_not(hosts_has("db1,db2,db3", 3, "db3"));
	cr_expect(hosts_has("5432", 2, "5432"), "one port is that of every host");
	cr_expect(hosts_has("a,,b", 1, ""));
}
