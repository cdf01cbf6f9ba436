#pragma once

#include <stddef.h>

/* The few words that every file uses. */

#define MUST_USE __attribute__((warn_unused_result))
#define PRINTF_LIKE(text, first) __attribute__((format(printf, text, first)))

/* Runs fn(&variable) when the variable goes out of scope; for objects of foreign libraries inside their door. */
#define CLEANUP(fn) __attribute__((cleanup(fn)))

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* The struct that holds this member: how a callback gets back from the part it was given to the whole. */
#define CONTAINER_OF(pointer, type, member) ((type *)(void *)((char *)(pointer)-offsetof(type, member)))
