#pragma once

#include <stddef.h>

/* Attributes and macros that every file may use. */

/* The build fails when a caller ignores the result. */
#define MUST_USE __attribute__((warn_unused_result))

/* The compiler checks the arguments against the format.  text and first are the positions, counted from 1, of the
 * format and of its first argument. */
#define PRINTF_LIKE(text, first) __attribute__((format(printf, text, first)))

/* Runs fn(&variable) when the variable goes out of scope.  It releases objects of foreign libraries, in the few files
 * that may include them.  A function uses either this or a goto ladder, never both. */
#define CLEANUP(fn) __attribute__((cleanup(fn)))

/* Elements of an array.  The argument must be an array, not a pointer. */
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* The struct that contains this member.  A callback uses it to get from a pointer to the member to the whole
 * struct. */
#define CONTAINER_OF(pointer, type, member) ((type *)(void *)((char *)(pointer)-offsetof(type, member)))
