#pragma once

/* Queries to the instance's database that bypass payhook.  Each test process has one connection, which is opened at its
 * first use and again after it broke.  A statement that fails fails the test. */

/* Returns the first column of the first row as a number; 0 if it is null or there is no row. */
long long database_number(const char *sql);

/* The same with one parameter, $1. */
long long database_number_of(const char *sql, const char *parameter);

/* Returns the first column of the first row as text; empty if it is null or there is no row.  Valid until the next
 * call. */
const char *database_text_of(const char *sql, const char *parameter);

/* Calls visit with the first column of each row. */
void database_each(const char *sql, const char *parameter, void (*visit)(const char *value, void *arg), void *arg);

/* Runs one statement as the server's superuser, on a connection of its own.  Returns what database_text_of() does. */
const char *database_as_superuser(const char *sql);

/* Repeats the query until its number is at least the given one or the time is over.  Returns the last number, which the
 * caller compares. */
long long database_wait(const char *sql, const char *parameter, long long least, int timeout_ms);
