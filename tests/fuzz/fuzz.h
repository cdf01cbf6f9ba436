#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* What every fuzz target offers: libFuzzer calls it with inputs of its own making, replay.c with those of the corpus.
 * A target reads its input and checks what must hold for any; a broken promise ends the program. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* assert() that a release build keeps. */
#define MUST_HOLD(what)                                                                           \
	do {                                                                                      \
		if (!(what)) {                                                                    \
			fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #what); \
			abort();                                                                  \
		}                                                                                 \
	} while (0)
