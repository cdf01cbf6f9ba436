#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* The interface of a fuzz target.  libFuzzer calls it with generated inputs, replay.c with those of the corpus.  A
 * target processes the input and checks what must hold for every input; if a check fails, the program aborts. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* An assert() that is also active in a release build. */
#define MUST_HOLD(what)                                                                           \
	do {                                                                                      \
		if (!(what)) {                                                                    \
			fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #what); \
			abort();                                                                  \
		}                                                                                 \
	} while (0)
