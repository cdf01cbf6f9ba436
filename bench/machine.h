#pragma once

#include <stdio.h>

#include "base/base.h"
#include "base/fault.h"
#include "stage.h"

/* What the figures depend on. */

struct machine {
	int cores;
	char processor[128];
	char kernel[128];
	double memory_gb;
	char file_system[64]; /* under the database */
	double fdatasync_us;  /* of 8 kB, by pg_test_fsync */
	int huge_pages;       /* that the kernel has lent or set aside, while a payhook ran */
	char postgres[512];   /* version and settings */
};

/* With the durable writes off there is nothing to measure: a fault. */
MUST_USE bool machine_read(struct machine *ret, struct stage *s, struct fault *f);
void machine_print(const struct machine *m, FILE *out);
