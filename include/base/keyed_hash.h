#pragma once

#include <stddef.h>
#include <stdint.h>

/* A hash for tables with keys of a sender's choice.  Its key is random and of this process, so a sender cannot find texts
 * that collide.  Hashes must not leave the process. */

/* Hashes a number and len bytes.  The number separates what is in one table: the same bytes with another number have
 * another hash. */
uint64_t keyed_hash(uint64_t number, const void *bytes, size_t len);
