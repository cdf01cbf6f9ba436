#pragma once

/* A look into the instance's database, past payhook.  Each test's process has one connection, made when it is first
 * needed and again when it broke; a statement that fails fails the test. */

/* The first column of the first row as a number; 0 when it is null or there is no row. */
long long database_number(const char *sql);

/* The same with $1. */
long long database_number_of(const char *sql, const char *parameter);

/* The first column of the first row as text, empty when null or no row.  Valid until the next call. */
const char *database_text_of(const char *sql, const char *parameter);

/* Calls visit with the first column of each row. */
void database_each(const char *sql, const char *parameter, void (*visit)(const char *value, void *arg), void *arg);

/* Waits until a number is at least this.  Returns the last number seen; the deadline makes it smaller. */
long long database_wait(const char *sql, const char *parameter, long long least, int timeout_ms);
